"""Every op gives the same under jit and vmap, and finite gradients at edges."""

import functools

import jax
import numpy as np
import pytest

from chexjax import ops

IMAGE = (16, 16, 1)
MAP = (4, 4)
# name -> function of arrays, the arrays' shapes.
CASES = {
  "area": (ops.boxes.area, [(4,)]),
  "iou": (ops.boxes.iou, [(3, 4), (2, 4)]),
  "clip": (functools.partial(ops.boxes.clip, height=8, width=8), [(4,)]),
  "decode": (ops.boxes.decode, [(3, 4), (3, 4)]),
  "crop_bilinear": (functools.partial(ops.crop_bilinear, size=3),
                    [IMAGE, (4,)]),
  "crop_gaussian": (functools.partial(ops.crop_gaussian, size=3),
                    [IMAGE, (4,)]),
  "roi_align": (ops.roi_align, [(4, 4, 2), (3, 4)]),
  "roi_align_proposals": (ops.roi_align_proposals, [(4, 4, 2)]),
  "lse_pool": (ops.lse_pool, [MAP]),
  "lse_lba_pool": (ops.lse_lba_pool, [MAP, ()]),
  "balanced_bce": (ops.balanced_bce, [(5,), (5,)]),
  "detection_map": (functools.partial(ops.detection_map, height=16, width=16),
                    [(3, 4), (3,)]),
  "final_map": (ops.final_map, [MAP, MAP]),
  "released_detection_map": (
    functools.partial(ops.released_detection_map, height=16, width=16),
    [(3, 4), (3,)]),
  "released_final_map": (ops.released_final_map, [MAP, (16, 16)]),
  "normalize": (ops.normalize, [IMAGE]),
  "affine_warp": (ops.affine_warp, [IMAGE, (2, 3)]),
  "pick_region": (ops.pick_region, [(5,)]),
  "sample_region": (functools.partial(ops.sample_region, jax.random.key(0)),
                    [(5,)]),
  "augment": (functools.partial(ops.augment, jax.random.key(0)), [IMAGE]),
}  # fmt: skip


def draw(shapes, seed):
  rng = np.random.default_rng(seed)
  return [rng.uniform(0, 9, shape).astype(np.float32) for shape in shapes]


@pytest.mark.parametrize("name", CASES)
def test_jit_and_vmap_change_nothing(name):
  function, shapes = CASES[name]
  batch = [np.stack(pair) for pair in zip(draw(shapes, 0), draw(shapes, 1))]
  each = [function(*(x[i] for x in batch)) for i in range(2)]
  close = functools.partial(np.testing.assert_allclose, rtol=1e-5, atol=1e-4)
  close(jax.jit(function)(*(x[0] for x in batch)), each[0])
  close(jax.jit(jax.vmap(function))(*batch), np.stack(each))


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_finite_on_constant_input(name):
  function, shapes = CASES[name]
  gradient = jax.jit(
    jax.grad(lambda *x: function(*x).sum(), argnums=tuple(range(len(shapes))))
  )
  for value in (0.0, 1.0, 10.0):
    grads = gradient(*(np.full(shape, value, np.float32) for shape in shapes))
    assert all(np.isfinite(g).all() for g in grads), value
