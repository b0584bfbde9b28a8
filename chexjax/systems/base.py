"""What makes a system: a module, its maps, its loss."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.densenet import DenseNet
from chexjax.ops.checks import check_shape

Intermediates = dict[str, jax.Array]

SCALES = ("none", "minmax")


class Truth(NamedTuple):
  """What a loss is told of a batch.

  Attributes:
    labels: `[B, K]` in 0..1, 0 where not known.
    known: `[B, K]`, 1 where the label is known, else 0; padding is not.
    beta_pos: `[K]` weights of positive labels, of `ops.balance_weights`.
    beta_neg: `[K]` weights of negative labels.
    boxes: `[B, K, M, 4]` x1, y1, x2, y2 in fractions of the film as the network
      sees it, NaN where there is none; None unless the system trains on boxes.
  """

  labels: jax.Array
  known: jax.Array
  beta_pos: jax.Array
  beta_neg: jax.Array
  boxes: jax.Array | None = None


# From logits `[B, K]`, intermediates and the truth to losses `[B, K]`, of which
# the mean over known pairs is trained.
Loss = Callable[[jax.Array, Intermediates, Truth], jax.Array]


def balanced_loss(
  logits: jax.Array, found: Intermediates, truth: Truth
) -> jax.Array:
  """Compute the loss of our own classification module, `ops.balanced_bce`.

  Args:
    logits: `[B, K]`.
    found: intermediates; not read.
    truth: of the batch.

  Returns:
    `[B, K]`, at least 0.
  """
  del found
  return ops.balanced_bce(
    logits,
    truth.labels,
    beta_pos=truth.beta_pos,
    beta_neg=truth.beta_neg,
  )


@dataclasses.dataclass(frozen=True)
class System:
  """One way to classify a film and to say where, beside the others.

  Attributes:
    title: name of its rows in tables.
    module: linen class, called with `(images, *, train)`: `[B, H, W, 3]`
      normalised. It returns logits `[B, K]` and intermediates by name, among
      them the maps `[B, K, h, w]`.
    maps: intermediates that are heat maps -> how values are scaled before
      cDice: "none" for maps that lie in 0..1 by nature, else "minmax". Boxes
      are cut from the first.
    options: fields of the module that this system sets.
    loss: from logits and intermediates to losses.
    assumed: what its authors do not say and was decided here, as a sentence.
    boxes: whether the loss reads `Truth.boxes`. Such a system is not weakly
      supervised: it is trained on folds of the boxed test films.

  Raises:
    ValueError: there is no map, or the scale of one is another.
  """

  title: str
  module: type[nn.Module]
  maps: Mapping[str, str]
  options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
  loss: Loss = balanced_loss
  assumed: str = ""
  boxes: bool = False

  def __post_init__(self) -> None:
    """Find what would else be found after a training."""
    if not self.maps:
      raise ValueError(f"system {self.title!r} names no map")
    for name, scale in self.maps.items():
      if scale not in SCALES:
        raise ValueError(
          f"system {self.title!r}: the scale of map {name!r} must be one of "
          f"{', '.join(SCALES)}, got {scale!r}"
        )

  def check(self, logits: jax.Array, found: Intermediates, films: int) -> None:
    """Raise unless the module has returned what this entry promises.

    Args:
      logits: of the module, `[B, K]`.
      found: its intermediates.
      films: B.

    Raises:
      ValueError: a map is missing, or logits or a map have another shape.
    """
    title = f"system {self.title!r}"
    check_shape(f"{title}: logits", logits, "[B, K]", B=films)
    for name in self.maps:
      if name not in found:
        raise ValueError(
          f"{title} has a map {name!r} that its module does not return; it "
          f"returns {', '.join(sorted(found)) or 'nothing'}"
        )
      sizes = {"B": films, "K": logits.shape[1]}
      check_shape(f"{title}: {name}", found[name], "[B, K, h, w]", **sizes)

  @property
  def fields(self) -> frozenset[str]:
    """Names of the module's options that a user may set."""
    names = {field.name for field in dataclasses.fields(self.module)}
    return frozenset(names - {"parent", "name", *self.options})


class Backbone(nn.Module, kw_only=True):
  """Base of the modules on our DenseNet.

  Attributes:
    num_classes: findings, K.
    block_sizes, growth, bn_size, stem: those of the DenseNet.
    dtype: type of the convolutions; logits and maps are float32.
    remat: whether the gradient computes the DenseNet's blocks again.
  """

  num_classes: int = 14
  block_sizes: tuple[int, ...] = (6, 12, 24, 16)
  growth: int = 32
  bn_size: int = 4
  stem: int = 64
  dtype: Any = jnp.float32
  remat: bool = False

  def taps(
    self, images: jax.Array, *, train: bool, name: str = "densenet"
  ) -> tuple[jax.Array, ...]:
    """Return the DenseNet's maps, fine to coarse; see `models.DenseNet`.

    Args:
      images: `[B, H, W, 3]` normalised.
      train: whether batch statistics are taken from this batch.
      name: of the group of its variables; it must begin with `densenet`, by
        which ImageNet weights and untrained heads tell backbones.
    """
    densenet = DenseNet(
      block_sizes=self.block_sizes,
      growth=self.growth,
      bn_size=self.bn_size,
      stem=self.stem,
      dtype=self.dtype,
      remat=self.remat,
      name=name,
    )
    return densenet(images.astype(self.dtype), train=train)


class Linear(nn.Module):
  """A linear classifier of every cell of a map, in float32.

  The mean over cells commutes with it: pooled after it or before, the logits
  are the same.

  Attributes:
    num_classes: K.
    use_bias: whether each class has a bias.
  """

  num_classes: int
  use_bias: bool = True

  @nn.compact
  def __call__(self, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Map `[..., C]` to `[..., K]`, without the bias; return the bias too."""
    wide = jnp.promote_types(x.dtype, jnp.float32)
    shape = (x.shape[-1], self.num_classes)
    kernel = self.param("kernel", nn.initializers.lecun_normal(), shape)
    bias = jnp.zeros(self.num_classes)
    if self.use_bias:
      bias = self.param("bias", nn.initializers.zeros, (self.num_classes,))
    return x.astype(wide) @ kernel, bias


def class_first(x: jax.Array) -> jax.Array:
  """Turn maps `[B, h, w, K]` into `[B, K, h, w]`."""
  return jnp.moveaxis(x, -1, 1)
