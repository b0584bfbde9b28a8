"""A system as a model of a run: one stage, the call of `ChexModel`."""

import dataclasses
from collections.abc import Callable
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import traverse_util

from chexjax.models import ChexModel, Logits
from chexjax.systems.base import Intermediates, System
from chexjax.systems.table import NAMES, OURS, SYSTEMS

CONTROLS = 4  # untrained heads, averaged

# Variables by their paths.
Variables = dict[tuple[str, ...], jax.Array]


class OneStageModel(nn.Module):
  """Any system of the table, with the widths and depths of our own model.

  All its parameters are in the group `classification`, as those of stage 1.

  Attributes:
    system: name in `SYSTEMS`.
    num_classes: findings, K.
    block_sizes, growth, bn_size, stem: those of the DenseNet.
    fpn_features, hidden: widths of heads that have more layers.
    dtype: type of the convolutions.
    tf32: see `ChexModel`.
    remat: whether the gradient computes the DenseNet's blocks again.
  """

  system: str
  num_classes: int = 14
  block_sizes: tuple[int, ...] = (6, 12, 24, 16)
  growth: int = 32
  bn_size: int = 4
  stem: int = 64
  fpn_features: int = 256
  hidden: int = 128
  dtype: Any = jnp.float32
  tf32: bool = False
  remat: bool = False

  last_stage: ClassVar[int] = 1

  @property
  def definition(self) -> System:
    """The entry of the table."""
    return SYSTEMS[self.system]

  @nn.compact
  def __call__(
    self,
    images: jax.Array,
    *,
    train: bool = False,
    stage: int = 1,
    tau: float | jax.Array = 1.0,
  ) -> tuple[Logits, dict[str, jax.Array]]:
    """Classify normalised images `[B, H, W, 3]`.

    Args:
      images: H and W multiples of 32.
      train: whether norms are in training mode.
      stage: 1, the only one.
      tau: not read: nothing is sampled.

    Returns:
      `Logits` without crops, and the system's intermediates.

    Raises:
      ValueError: for another stage, a side that 32 does not divide, or a module
        that does not return what its entry in the table promises.
    """
    del tau
    if stage != 1:
      raise ValueError(f"{self.system} has stage 1 alone, got {stage!r}")
    if images.shape[1] % 32 or images.shape[2] % 32:
      raise ValueError(
        f"image sides must be multiples of 32, got {images.shape[1:3]}"
      )
    system = self.definition
    own = {
      name: value for name, value in vars(self).items() if name in system.fields
    }
    module = system.module(**own, **system.options, name="classification")
    full, found = module(images, train=train)
    if not train:  # Maps that no loss reads may be left out of a training.
      system.check(full, found, len(images))
    return Logits(full, None), found


Model = ChexModel | OneStageModel


def build_model(system: str, num_classes: int, **options: Any) -> Model:
  """Build the model of a system.

  Args:
    system: a name of the table, or `chexjax`.
    num_classes: findings, K.
    **options: fields of `ChexModel`. Of another system those that the table's
      module lacks, such as the size of the crops, are left out.

  Returns:
    The model.

  Raises:
    ValueError: there is no such system or option.
  """
  if system not in NAMES:
    raise ValueError(f"no system {system!r}; there are {', '.join(NAMES)}")
  known = {field.name for field in dataclasses.fields(ChexModel)}
  if strangers := sorted(options.keys() - known):
    raise ValueError(f"the model has no option {', '.join(strangers)}")
  if system == OURS:
    return ChexModel(num_classes=num_classes, **options)
  fields = {field.name for field in dataclasses.fields(OneStageModel)}
  own = {name: value for name, value in options.items() if name in fields}
  return OneStageModel(system=system, num_classes=num_classes, **own)


def untrained_heads(draw: Callable[[int], Any]) -> Variables:
  """Draw a few heads of a system from fixed seeds.

  Args:
    draw: from a seed to fresh variables of the model.

  Returns:
    Path -> `[CONTROLS, ...]`, of all variables but a DenseNet's. A system that
    has a backbone of its own is drawn again whole.
  """
  drawn = [traverse_util.flatten_dict(draw(i)) for i in range(CONTROLS)]
  return {
    path: jnp.stack([of[path] for of in drawn])
    for path in drawn[0]
    if not any(part.startswith("densenet") for part in path)
  }


def untrained_maps(
  model: OneStageModel, variables: Any, heads: Variables, images: jax.Array
) -> Intermediates:
  """Draw a system's maps with untrained heads on its backbone, as a control.

  The maps are means over the heads, because those of one head depend on its
  seed.

  Args:
    model: of the system.
    variables: trained.
    heads: of `untrained_heads`.
    images: `[B, H, W, 3]` normalised.

  Returns:
    Name -> `[B, K, h, w]` for each of the system's maps.
  """
  trained = traverse_util.flatten_dict(dict(variables))

  def draw(head: Variables) -> Intermediates:
    mixed = traverse_util.unflatten_dict(trained | head)
    _, found = model.apply(mixed, images)
    return {name: found[name] for name in model.definition.maps}

  # One after another, so that the program is compiled once.
  drawn = jax.lax.map(draw, heads)
  return {name: x.mean(0) for name, x in drawn.items()}
