import numpy as np

from chexjax.evaluation.measures import overlap

BOX = [10, 20, 30, 40]


def mask_of(box, shape=(60, 60)):
  mask = np.zeros(shape)
  mask[overlap.box_slices(box, shape)] = 1
  return mask


def test_hand_made_overlaps():
  half = [10, 20, 20, 40]
  assert overlap.iou(BOX, BOX) == 1
  assert overlap.iou(BOX, half) == 0.5
  assert overlap.iobb(half, BOX) == 1
  assert overlap.iobb(BOX, half) == 0.5
  assert overlap.dice(BOX, half) == 2 * 200 / 600
  assert overlap.iou(BOX, [30, 20, 50, 40]) == 0  # x2 is exclusive
  assert overlap.iou(BOX, np.zeros(4)) == 0
  assert overlap.iou(np.zeros(4), np.zeros(4)) == 0
  assert overlap.area([5, 5, 1, 9]) == 0


def test_overlaps_are_those_of_masks_and_broadcast():
  rng = np.random.default_rng(0)
  low = rng.integers(0, 40, (2, 20, 2))
  a, b = np.concatenate([low, low + rng.integers(1, 20, low.shape)], -1)
  masks = [np.stack([mask_of(box) for box in boxes]) for boxes in (a, b)]
  both = np.einsum("ihw,jhw->ij", *masks)
  sizes = [mask.sum((1, 2)) for mask in masks]
  total = sizes[0][:, None] + sizes[1]
  got = a[:, None], b[None]
  np.testing.assert_allclose(overlap.iou(*got), both / (total - both))
  np.testing.assert_allclose(overlap.dice(*got), 2 * both / total)
  np.testing.assert_allclose(overlap.iobb(*got), both / sizes[0][:, None])


def test_cdice_against_the_written_formula():
  rng = np.random.default_rng(0)
  heat = rng.random((60, 60)).astype(np.float32)
  mask = mask_of(BOX)
  want = 2 * (heat * mask).sum() / ((heat**2).sum() + (mask**2).sum())
  assert abs(overlap.cdice(heat, BOX) - want) < 1e-6  # float32 sums
  assert overlap.cdice(mask, BOX) == 1
  assert overlap.cdice(np.zeros((60, 60)), BOX) == 0
  other = [0, 0, 20, 30]
  assert overlap.cdice(mask, other) == overlap.dice(BOX, other)


def test_a_mask_holds_the_pixels_whose_centre_is_inside():
  assert mask_of([0.4, 0.6, 2.5, 3.0], (4, 4)).tolist() == [
    [0, 0, 0, 0],
    [1, 1, 0, 0],
    [1, 1, 0, 0],
    [0, 0, 0, 0],
  ]
  assert mask_of([-5, -5, 99, 99], (4, 4)).all()
