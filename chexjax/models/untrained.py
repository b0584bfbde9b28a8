"""Regions of untrained detection heads, as a control."""

import jax

from chexjax.models.model import ChexModel, decode_regions

_HEADS = 4


def untrained_regions(
  model: ChexModel, maps: dict[str, jax.Array], height: int, width: int
) -> dict[str, jax.Array]:
  """Score the proposals by untrained detection heads, as a control.

  The scores are the mean over a few heads from fixed seeds, because those of
  one head depend on its seed. The mean is about as good as the best head.

  Args:
    model: the model whose detection head is drawn again.
    maps: `hidden` and `saliency_logits` of the model.
    height: of the image, in pixels.
    width: of the image, in pixels.

  Returns:
    As `decode_regions`; an untrained head refines nothing.
  """
  head = model.detection_head
  given = maps["hidden"], maps["saliency_logits"]
  heads = []
  for seed in range(_HEADS):
    params = head.init(jax.random.key(seed), None, *given)
    heads.append(head.apply(params, None, *given)[1])
  scores, deltas = (sum(x) / _HEADS for x in zip(*heads))
  return decode_regions(scores, deltas, height, width)
