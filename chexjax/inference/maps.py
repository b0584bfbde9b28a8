"""Maps of where a finding is, drawn from a model's intermediates."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax

from chexjax import evaluation, ops
from chexjax.evaluation import MapRule
from chexjax.systems import Model, OneStageModel

Maps = tuple[jax.Array, ...]
Found = Mapping[str, Any]

# The paper's saliency map x_SAL, detection map x_RPN and final map x_FS.
MAPS = ("sal", "det", "mix")
# The intermediates that `det` and `mix` are drawn from.
REGIONS = ("proposal_boxes", "proposal_scores")
GRAD_CAMS = ("grad_cam", "grad_cam_plus_plus")


class MapPlan(NamedTuple):
  """Which maps a model has, and how they are drawn and read.

  Attributes:
    rules: name of each map -> what a threshold means and how it is scaled.
    keep: the intermediates that the maps are drawn from.
    draw: jitted, from these intermediates of one image to the maps
      `[K, h, w]`, in the order of `rules`.
    controlled: the maps that have a row with untrained heads.
    heads: those of `keep` that untrained heads make anew.
  """

  rules: dict[str, MapRule]
  keep: tuple[str, ...]
  draw: Callable[[Found], Maps]
  controlled: tuple[str, ...]
  heads: tuple[str, ...]

  def named(self, found: Found) -> dict[str, jax.Array]:
    """Return an image's maps by name."""
    kept = {name: found[name] for name in self.keep}
    return dict(zip(self.rules, self.draw(kept)))

  def controls(self, found: Found) -> dict[str, jax.Array]:
    """Return an image's maps by untrained heads, which `found` must hold."""
    if not self.controlled:
      return {}
    fresh = {name: found[f"untrained_{name}"] for name in self.heads}
    maps = self.named({**found, **fresh})
    return {evaluation.untrained_name(n): maps[n] for n in self.controlled}


def map_plan(
  model: Model,
  size: int,
  *,
  kind: str = "paper",
  whole: bool = True,
  grad_cam: bool = False,
) -> MapPlan:
  """Say which maps a model has and how they are drawn.

  Args:
    model: our own, or a system.
    size: side of the image, in pixels.
    kind: "paper" or "released": whose detection and final map. Systems have
      neither.
    whole: whether our own model has trained proposals; otherwise only `sal` is
      drawn.
    grad_cam: whether Grad-CAM and Grad-CAM++ of our own model's hidden maps
      are drawn too.

  Returns:
    The plan.

  Raises:
    ValueError: `grad_cam` is asked of another system.
  """
  if isinstance(model, OneStageModel):
    if grad_cam:
      raise ValueError(
        f"grad_cam is for our own model; {model.system} has the maps "
        + ", ".join(model.definition.maps)
      )
    scales = model.definition.maps
    names = tuple(scales)
    return MapPlan(
      {name: MapRule("percentile", scale) for name, scale in scales.items()},
      names,
      lambda found: tuple(found[name] for name in names),
      names,
      names,
    )
  rules = dict(
    evaluation.RELEASED_MAPS if kind == "released" else evaluation.DEFAULT_MAPS
  )
  keep: tuple[str, ...] = ("saliency_logits", *REGIONS)
  if not whole:
    rules, keep = {"sal": rules["sal"]}, keep[:1]
  more = GRAD_CAMS if grad_cam else ()
  rules |= dict.fromkeys(more, MapRule("percentile", "minmax"))
  draw_ours = make_maps(size, kind, whole=whole)

  def draw(found: Found) -> Maps:
    drawn = draw_ours(*(found[name] for name in keep))
    return (*drawn, *(found[name] for name in more))

  controlled, heads = (MAPS[1:], REGIONS) if whole else ((), ())
  return MapPlan(rules, (*keep, *more), draw, controlled, heads)


def make_maps(
  size: int, kind: str, *, whole: bool = True
) -> Callable[..., Maps]:
  """Build the jitted function that draws our own maps of an image's findings.

  Args:
    size: side of the image, in pixels.
    kind: "paper" or "released": whose detection and final map.
    whole: whether there are proposals; otherwise only `sal` is drawn.

  Returns:
    A function of saliency logits `[K, h, w]` and, if `whole`, boxes
    `[K, N, 4]` and scores `[K, N]`. It returns `MAPS` in their order, each
    `[K, h', w']` with a size of its own.
  """

  def saliency_alone(saliency: jax.Array) -> Maps:
    return (jax.nn.sigmoid(saliency),)

  def paper(saliency: jax.Array, boxes: jax.Array, scores: jax.Array) -> Maps:
    det = ops.detection_map(boxes, scores, height=size, width=size)
    return jax.nn.sigmoid(saliency), det, ops.final_map(saliency, det)

  def released(
    saliency: jax.Array, boxes: jax.Array, scores: jax.Array
  ) -> Maps:
    det = ops.released_detection_map(boxes, scores, height=size, width=size)
    mix = ops.released_final_map(saliency, det)
    return jax.nn.sigmoid(saliency), det, mix

  drawn: Callable[..., Maps] = {"paper": paper, "released": released}[kind]
  return jax.jit(jax.vmap(drawn if whole else saliency_alone))
