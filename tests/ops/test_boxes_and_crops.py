"""Box formats and crops against references of their own."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import ndimage

from chexjax import ops

RNG = np.random.default_rng(3)


def random_boxes(count, size=32.0):
  corners = RNG.uniform(0, size, (count, 2, 2))
  return np.concatenate([corners.min(1), corners.max(1)], -1).astype(np.float32)


def test_area_iou_and_clip_agree_with_counted_pixels():
  boxes = np.round(random_boxes(12))
  boxes[0] = [5, 5, 5, 9]
  masks = np.zeros((12, 32, 32), bool)
  for mask, (x1, y1, x2, y2) in zip(masks, boxes.astype(int)):
    mask[y1:y2, x1:x2] = True
  flat = masks.reshape(12, -1).astype(int)
  shared = flat @ flat.T
  areas = flat.sum(1)
  np.testing.assert_array_equal(ops.boxes.area(boxes), areas)
  union = areas[:, None] + areas - shared
  want = np.divide(shared, union, out=np.zeros((12, 12)), where=union > 0)
  np.testing.assert_allclose(ops.boxes.iou(boxes, boxes), want, atol=1e-6)
  clipped = ops.boxes.clip(jnp.asarray(boxes), height=20, width=10)
  np.testing.assert_array_equal(
    ops.boxes.area(clipped), masks[:, :20, :10].sum((1, 2))
  )
  outside = ops.boxes.clip(jnp.array([[40.0, 40, 50, 50]]), height=9, width=9)
  assert float(ops.boxes.area(outside)[0]) == 0


def test_formats_go_there_and_back():
  boxes = random_boxes(8)
  xywh = np.asarray(ops.boxes.to_xywh(boxes))
  np.testing.assert_allclose(xywh[:, 2], boxes[:, 2] - boxes[:, 0])
  np.testing.assert_allclose(ops.boxes.from_xywh(xywh), boxes, atol=1e-5)
  sides = {"height": 20.0, "width": 40.0}
  fractions = ops.boxes.to_normalized_yxyx(jnp.asarray(boxes), **sides)
  np.testing.assert_allclose(
    fractions[0], boxes[0][[1, 0, 3, 2]] / [20, 40, 20, 40], rtol=1e-6
  )
  back = ops.boxes.from_normalized_yxyx(fractions, **sides)
  np.testing.assert_allclose(back, boxes, atol=1e-5)


def test_decode_follows_faster_rcnn_and_clamps():
  anchor = jnp.array([10.0, 20, 30, 60])
  got = ops.boxes.decode(jnp.array([0.5, -0.25, np.log(2), 0]), anchor)
  # Centre (20, 40) moves by half a width and a quarter height; width doubles.
  np.testing.assert_allclose(got, [10, 10, 50, 50], atol=1e-4)
  huge = ops.boxes.decode(jnp.array([0.0, 0, 99, 99]), anchor)
  np.testing.assert_allclose(huge[2] - huge[0], 20 * 1000 / 16, rtol=1e-5)


def test_bilinear_crop_agrees_with_scipy():
  image = RNG.normal(size=(24, 20, 2)).astype(np.float32)
  x1, y1, x2, y2 = 3.2, -2.0, 18.7, 21.4
  steps = (np.arange(7) + 0.5) / 7
  grid = np.meshgrid(
    y1 + steps * (y2 - y1) - 0.5, x1 + steps * (x2 - x1) - 0.5, indexing="ij"
  )
  want = np.stack(
    [
      ndimage.map_coordinates(image[..., c], grid, order=1, mode="nearest")
      for c in range(2)
    ],
    -1,
  )
  got = ops.crop_bilinear(image, jnp.array([x1, y1, x2, y2]), size=7)
  np.testing.assert_allclose(got, want, atol=1e-5)


@pytest.mark.parametrize("size", [5, (5, 7)])
def test_gaussian_crop_agrees_with_a_literal_reading(size):
  height, width = 20, 24
  image = RNG.normal(size=(height, width)).astype(np.float32)
  box = np.array([4.0, 3, 17, 18])
  filters = []
  num_rows, num_cols = np.broadcast_to(size, 2)
  for length, low, high, count in (
    (height, 3, 18, num_rows),
    (width, 4, 17, num_cols),
  ):
    centre, extent = (low + high) / length - 1, (high - low) / length
    rows = []
    for i in range(count):
      stride = (max(height, width) - 1) / (count - 1) * extent
      mean = (length + 1) / 2 * (centre + 1) + (i - count / 2 - 0.5) * stride
      row = np.exp(-((np.arange(length) - mean) ** 2) / 2)
      rows.append(row / max(row.sum(), 1e-8))
    filters.append(np.array(rows))
  want = filters[0] @ image @ filters[1].T
  got = ops.crop_gaussian(image[..., None], jnp.asarray(box), size=size)
  np.testing.assert_allclose(got[..., 0], want, atol=1e-5)


@pytest.mark.parametrize("crop", [ops.crop_bilinear, ops.crop_gaussian])
def test_crop_gradient_to_the_box_agrees_with_differences(crop):
  with jax.enable_x64(True):
    ramp = np.add.outer(np.arange(16.0), 2 * np.arange(16.0))[..., None]
    weights = np.arange(16.0).reshape(4, 4, 1)

    def loss(box):
      return (crop(jnp.asarray(ramp), box, size=4) * weights).sum()

    box = jnp.array([4.3, 5.1, 11.2, 10.4])
    got = jax.jit(jax.grad(loss))(box)
    step = 1e-5
    want = [
      (loss(box + step * e) - loss(box - step * e)) / (2 * step)
      for e in np.eye(4)
    ]
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_tau_falls_exponentially():
  taus = ops.exponential_tau(jnp.array([-1.0, 0, 0.5, 1, 2]))
  np.testing.assert_allclose(taus, [1, 1, np.sqrt(1e-3), 1e-3, 1e-3], rtol=1e-5)


def test_released_maps_agree_with_loops():
  boxes = np.array([[1.4, 0, 6.6, 3.5], [0, 2, 8, 8]], np.float32)
  scores = np.array([2.0, -0.5], np.float32)
  want = np.zeros((8, 8))
  for (x1, y1, x2, y2), score in zip(np.round(boxes).astype(int), scores):
    want[y1:y2, x1:x2] += score
  got = ops.released_detection_map(boxes, scores, height=8, width=8)
  np.testing.assert_allclose(got, want, atol=1e-6)
  flat = jnp.full((2, 2), 0.3)
  np.testing.assert_allclose(
    ops.released_final_map(flat, got), jax.nn.sigmoid(0.3) * want, atol=1e-6
  )
