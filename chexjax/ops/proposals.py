"""The 395 fixed square proposals (Hermoza et al. 2020, section 3.2)."""

import numpy as np

from chexjax.ops.checks import check_count

# Side of a proposal as a fraction of the image; the step is half the side.
PROPOSAL_SIZES = (1 / 8, 1 / 4, 1 / 2)
# Proposals of each size: a grid that includes both borders.
PROPOSAL_COUNTS = tuple((round(2 / x) + 1) ** 2 for x in PROPOSAL_SIZES)
NUM_PROPOSALS = sum(PROPOSAL_COUNTS)
# Half of the smallest proposal's side is the side of the image by this.
_UNIT = 16


def proposal_intervals(length: int) -> tuple[np.ndarray, ...]:
  """Return the intervals whose products are the proposals, per size.

  Args:
    length: side of the image in pixels.

  Returns:
    A `[n, 2]` float32 array of start and end per size, n = 17, 9 and 5,
    clipped to 0..length. Centres include both borders.
  """
  intervals = []
  for size in PROPOSAL_SIZES:
    centres = np.arange(round(2 / size) + 1) * (size * length / 2)
    ends = centres[:, None] + np.array([-0.5, 0.5]) * size * length
    intervals.append(np.clip(ends, 0, length).astype(np.float32))
  return tuple(intervals)


def make_proposals(height: int, width: int | None = None) -> np.ndarray:
  """List the proposals of an image; sizes and steps scale with it.

  Proposals are clipped to the image, which makes some in the corners equal:
  of the 395, 387 are distinct, and equal boxes get equal scores.

  Args:
    height: of the image, in pixels.
    width: of the image, in pixels; the height by default.

  Returns:
    `[395, 4]` float32 numpy array, x1, y1, x2, y2 in pixels, ordered by size,
    centre y, centre x. At 512: sides 64, 128 and 256, steps 32, 64 and 128.
    As the anchors of Faster R-CNN, except that all are square, clipped, and
    spaced by half of their side, not by the feature map's stride.

  Raises:
    ValueError: if a side is not a positive multiple of 16, so that proposals
      begin and end on whole pixels.

  Example:
    >>> boxes = make_proposals(128)
    >>> boxes.shape
    (395, 4)
    >>> boxes[0].tolist(), boxes[-1].tolist()  # both clipped by the border
    ([0.0, 0.0, 8.0, 8.0], [96.0, 96.0, 128.0, 128.0])
  """
  width = height if width is None else width
  for name, side in (("height", height), ("width", width)):
    check_count(name, side)
    if side % _UNIT:
      low = side // _UNIT * _UNIT
      raise ValueError(
        f"{name} must be a multiple of {_UNIT}, got {side}; the nearest are "
        f"{f'{low} and ' if low else ''}{low + _UNIT}"
      )
  boxes = []
  for ys, xs in zip(proposal_intervals(height), proposal_intervals(width)):
    y, x = np.repeat(ys, len(xs), 0), np.tile(xs, (len(ys), 1))
    boxes.append(np.stack([x[:, 0], y[:, 0], x[:, 1], y[:, 1]], -1))
  return np.concatenate(boxes)
