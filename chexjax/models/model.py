"""The whole model: saliency, proposals, sampled crops, two sets of logits."""

import functools
from typing import Any, ClassVar, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from chexjax import ops
from chexjax.models.classification import ClassificationModule
from chexjax.models.detection import (
  CropClassifier,
  DetectionHead,
  scan_detection_head,
)
from chexjax.models.layers import leaky_relu
from chexjax.models.tracing import is_for_accelerator

CROPS = {"bilinear": ops.crop_bilinear, "gaussian": ops.crop_gaussian}


class Logits(NamedTuple):
  """Logits `[B, K]` of the full image (y~) and of the crops (z~).

  `crop` is None where the model stopped after the classification module.
  """

  full: jax.Array
  crop: jax.Array | None


class ChexModel(nn.Module):
  """Classifies an image and locates the findings (Hermoza et al. 2020).

  The parameters are grouped as the stages train them: `classification`, and
  `detection` with `crop_classifier`. Defaults are the paper's; the released
  code differs in the fields of `released_options`.

  Attributes:
    num_classes: findings, K.
    block_sizes, growth, bn_size, stem: those of the DenseNet.
    fpn_features, hidden: channels of the merged and the hidden maps.
    detection_features: channels of the detection head.
    roi_size: bins along each side of a pooled region.
    crop_size: side of the crops, in pixels.
    crop_stages, crop_width, crop_hidden: sizes of the crop classifier.
    lse_r, centre_prior: see `ClassificationModule`.
    pooling: "lse" or "lse_lba".
    crop: "bilinear" or "gaussian".
    gate_gradient: whether the saliency gate on pooled features is trained.
    crop_leaky: whether the crop ResNet's activations are LeakyReLU(0.1).
    add_full_logit: whether z~ is the crop's logit plus y~.
    noise_scale: factor on the Gumbel noise.
    explore: share of sampled regions that follow `ops.saliency_scores`.
    region_gradient: whether the crops' logits train scores and boxes, by the
      straight-through estimator. Else `training.evidence` has to train them.
    dtype: type of the convolutions; parameters, statistics, log-sum-exp,
      boxes and losses stay in float32.
    tf32: whether products of float32 may be rounded to TF32 or its like; who
      traces the model heeds it (`for_platform`).
    remat: whether the gradient computes the DenseNet's blocks again, to save
      memory.
  """

  num_classes: int = 14
  block_sizes: tuple[int, ...] = (6, 12, 24, 16)
  growth: int = 32
  bn_size: int = 4
  stem: int = 64
  fpn_features: int = 256
  hidden: int = 128
  detection_features: int = 64
  roi_size: int = 5
  crop_size: int = 64
  crop_stages: tuple[int, ...] = (3, 4, 6, 3)
  crop_width: int = 64
  crop_hidden: int = 512
  lse_r: float = 1.0
  centre_prior: float = 0.0
  pooling: str = "lse"
  crop: str = "bilinear"
  gate_gradient: bool = True
  crop_leaky: bool = True
  add_full_logit: bool = False
  noise_scale: float = 1.0
  explore: float = 0.0
  region_gradient: bool = True
  dtype: Any = jnp.float32
  tf32: bool = False
  remat: bool = False

  last_stage: ClassVar[int] = 3

  @nn.compact
  def __call__(
    self,
    images: jax.Array,
    *,
    train: bool = False,
    stage: int = 3,
    tau: float | jax.Array = 1.0,
  ) -> tuple[Logits, dict[str, jax.Array]]:
    """Apply the parts of a stage.

    Stage 1 stops after the classification module. Stage 2 in training holds
    the classification module fixed, in evaluation mode and without gradient.
    Training needs the streams `region` and `dropout`.

    Args:
      images: `[B, H, W, 3]` normalised, H and W multiples of 32.
      train: whether regions are sampled, and the stage's norms and dropouts
        are in training mode. Else the region with the best score is taken.
      stage: 1, 2 or 3.
      tau: temperature of the region sampler.

    Returns:
      `Logits`, and the intermediates `fpn`, `hidden`, `saliency_logits`
      `[B, K, H/4, W/4]`; from stage 2 on also `proposal_scores` `[B, K, N]`,
      `proposal_deltas` and `proposal_boxes` `[B, K, N, 4]`, `picked`
      `[B, K]`, `picked_boxes` `[B, K, 4]`, `crops` `[B, K, S, S, 3]` and
      `crop_logits` `[B, K]` (before y~ is added).

    Raises:
      ValueError: for another stage, or a side that 32 does not divide.
    """
    if stage not in (1, 2, 3):
      raise ValueError(f"stage must be 1, 2 or 3, got {stage!r}")
    if images.shape[1] % 32 or images.shape[2] % 32:
      raise ValueError(
        f"image sides must be multiples of 32, got {images.shape[1:3]}"
      )
    classification = ClassificationModule(
      num_classes=self.num_classes,
      block_sizes=self.block_sizes,
      growth=self.growth,
      bn_size=self.bn_size,
      stem=self.stem,
      fpn_features=self.fpn_features,
      hidden=self.hidden,
      pooling=self.pooling,
      lse_r=self.lse_r,
      centre_prior=self.centre_prior,
      dtype=self.dtype,
      remat=self.remat,
      name="classification",
    )
    score = self._score(held=stage == 2) if stage > 1 else None
    full, maps = classification(images, train=train and stage != 2, score=score)
    if stage == 1:
      return Logits(full, None), maps
    scored = maps.pop("scored", None)
    if stage == 2:
      full, maps = jax.lax.stop_gradient((full, maps))
    regions = self._propose(maps, images.shape[1:3], scored)
    scores, boxes = regions["proposal_scores"], regions["proposal_boxes"]
    if not self.region_gradient:
      scores, boxes = jax.lax.stop_gradient((scores, boxes))
    if train:
      weights = self._sample(scores, maps["saliency_logits"], tau)
    else:
      weights = ops.pick_region(scores)
    # A product in TF32 or bfloat16 would move the box by up to a pixel.
    picked_boxes = jnp.einsum(
      "bkn,bknc->bkc", weights, boxes, precision="highest"
    )
    crops = self.crop_regions(images, picked_boxes)
    crop_logits = self.crop_classifier(crops, train=train)
    intermediates = (
      maps
      | regions
      | {
        "picked": weights.argmax(-1),
        "picked_boxes": picked_boxes,
        "crops": crops,
        "crop_logits": crop_logits,
      }
    )
    if self.add_full_logit:
      crop_logits = crop_logits + full
    return Logits(full, crop_logits), intermediates

  def _sample(self, scores, saliency_logits, tau):
    """Sample a region for each class, `[B, K, N]` one-hot."""
    options = {"tau": tau, "noise_scale": self.noise_scale}
    key = self.make_rng("region")
    if not self.explore:
      return ops.sample_regions(key, scores, **options)
    scores_key, saliency_key, share_key = jax.random.split(key, 3)
    follow = jax.vmap(jax.vmap(ops.saliency_scores))(saliency_logits)
    other = ops.sample_regions(saliency_key, follow)
    exploring = jax.random.bernoulli(
      share_key, self.explore, (*scores.shape[:2], 1)
    )
    mine = ops.sample_regions(scores_key, scores, **options)
    return jnp.where(exploring, other, mine)

  def crop_regions(self, images: jax.Array, boxes: jax.Array) -> jax.Array:
    """Crop boxes `[B, R, 4]` out of `[B, H, W, 3]` to `[B, R, S, S, 3]`."""
    crop = functools.partial(CROPS[self.crop], size=self.crop_size)
    if not is_for_accelerator():
      return jax.vmap(jax.vmap(crop, (None, 0)))(images, boxes)

    # A TPU is slow where three channels lie side by side.
    def crop_planes(planes, box):
      crop_plane = jax.vmap(lambda x: crop(x[..., None], box)[..., 0], 0, -1)
      return crop_plane(planes)

    planes = jnp.moveaxis(images, -1, 1)
    return jax.vmap(jax.vmap(crop_planes, (None, 0)))(planes, boxes)

  @property
  def crop_classifier(self) -> CropClassifier:
    """Return the module of the group `crop_classifier`."""
    return CropClassifier(
      num_classes=self.num_classes,
      stage_sizes=self.crop_stages,
      width=self.crop_width,
      act=leaky_relu if self.crop_leaky else nn.relu,
      hidden=self.crop_hidden,
      dtype=self.dtype,
      name="crop_classifier",
    )

  @property
  def detection_head(self) -> nn.Module:
    """Return the module of the group `detection`."""
    return scan_detection_head(**self._detection_options, name="detection")

  @property
  def _detection_options(self) -> dict[str, Any]:
    return {
      "features": self.detection_features, "roi_size": self.roi_size,
      "gate_gradient": self.gate_gradient, "dtype": self.dtype,
    }  # fmt: skip

  def _propose(self, maps, image_shape, scored):
    """Refine the proposals, which are `scored` already or are scored here."""
    if scored is None:
      given = maps["hidden"], maps["saliency_logits"]
      _, scored = self.detection_head(None, *given)
    return decode_regions(*scored, *image_shape)

  def _score(self, *, held: bool) -> Any:
    """Return what scores the proposals of a finding along with its maps.

    An accelerator then does not write and read the maps once more, and their
    gradient not at all. None on a CPU, and while parameters are drawn.

    Args:
      held: whether the maps get no gradient.
    """
    if not is_for_accelerator() or self.is_initializing():
      return None
    head = DetectionHead(**self._detection_options, parent=None)

    def score(params: Any, *maps: jax.Array) -> tuple[jax.Array, jax.Array]:
      maps = jax.lax.stop_gradient(maps) if held else maps
      found: Any = head.apply({"params": params}, None, *maps)
      return found[1]

    params = self.variables["params"]["detection"]
    return jax.tree_util.Partial(score, params)


def decode_regions(
  scores: jax.Array, deltas: jax.Array, height: int, width: int
) -> dict[str, jax.Array]:
  """Refine the proposals of an image by the detection head's deltas.

  Args:
    scores: `[..., N]`.
    deltas: `[..., N, 4]`.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    `proposal_scores` and `proposal_deltas`, unchanged, and the refined
    `proposal_boxes` `[..., N, 4]`, clipped to the image.
  """
  proposals = jnp.asarray(ops.make_proposals(height, width))
  boxes = ops.boxes.clip(
    ops.boxes.decode(deltas, proposals), height=height, width=width
  )
  return {
    "proposal_scores": scores,
    "proposal_deltas": deltas,
    "proposal_boxes": boxes,
  }


def released_options() -> dict[str, Any]:
  """Return the fields of `ChexModel` that the released code sets otherwise."""
  return {
    "pooling": "lse_lba",
    "crop": "gaussian",
    "gate_gradient": False,
    "crop_leaky": False,
    "add_full_logit": True,
  }
