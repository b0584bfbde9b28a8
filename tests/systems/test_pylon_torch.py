"""PYLON's decoder against a plain PyTorch one, written from its description.

The description (Preechakul et al. 2022): a 1x1 convolution of the last map,
times a one-channel attention of three steps down and back up; three steps up,
each adding the next finer map through two 1x1 convolutions; one 1x1
convolution to the findings, and the maximum.
"""

import jax
import numpy as np
import pytest

from chexjax.systems.pylon import Pylon

torch = pytest.importorskip("torch")
functional = pytest.importorskip("torch.nn.functional")


def layer(x, group, stats):
  """Return ReLU of the norm of the convolution, as at prediction."""
  kernel = group["conv"]["kernel"]
  x = functional.conv2d(x, weight(kernel), padding=kernel.shape[0] // 2)
  norm, stats = group["norm"], stats["norm"]
  return functional.relu(
    functional.batch_norm(
      x,
      torch.tensor(stats["mean"]),
      torch.tensor(stats["var"]),
      torch.tensor(norm["scale"]),
      torch.tensor(norm["bias"]),
    )
  )


def weight(kernel):
  return torch.tensor(np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)))


def up_to(x, like):
  return functional.interpolate(
    x, size=like.shape[2:], mode="bilinear", align_corners=True
  )


def decode(taps, params, stats):
  """Return logits and cells' probabilities of maps `[B, C, h, w]`."""

  def apply(x, name):
    return layer(x, params[name], stats[name])

  f4, f8, f16, f32 = taps
  down1 = apply(functional.max_pool2d(f32, 2), "down7")
  down2 = apply(functional.max_pool2d(down1, 2), "down5")
  down3 = apply(functional.max_pool2d(down2, 2), "down3")
  up = up_to(apply(down3, "same3"), down2)
  # The finest kernel goes with the finest step, also on the way back.
  up = up_to(up + apply(down2, "same5"), down1)
  up = up_to(up + apply(down1, "same7"), f32)
  x = apply(f32, "middle") * up
  for number, skip in ((3, f16), (2, f8), (1, f4)):
    side = apply(apply(skip, f"up{number}_skip"), f"up{number}_merge")
    x = up_to(x, skip) + side
  last = params["last"]
  cells = functional.conv2d(
    x, weight(last["kernel"]), torch.tensor(last["bias"])
  )
  return cells.amax((2, 3)), torch.sigmoid(cells)


def test_logits_and_map_are_those_of_torch():
  model = Pylon(
    num_classes=3, block_sizes=(1, 1, 1, 1), growth=4, bn_size=2, stem=8,
    hidden=8,
  )  # fmt: skip
  # 256 pixels: the last map of 8 x 8 is halved three times, as its authors ask.
  images = jax.random.normal(jax.random.key(0), (2, 256, 256, 3))
  variables = jax.jit(lambda x: model.init(jax.random.key(1), x, train=False))(
    images
  )
  draw = np.random.default_rng(0)
  # Fresh norms do nothing: variances are above 0, the rest is any number.
  variables = jax.tree_util.tree_map_with_path(
    lambda path, x: (
      draw.uniform(0.5, 2, x.shape) if path[-1].key == "var" else
      x if path[-1].key == "kernel" else draw.normal(0, 0.5, x.shape)
    ).astype(np.float32),
    jax.device_get(variables),
  )  # fmt: skip
  (logits, found), state = model.apply(
    variables,
    images,
    train=False,
    capture_intermediates=lambda module, _: module.name == "densenet",
    mutable=["intermediates"],
  )
  (taps,) = state["intermediates"]["densenet"]["__call__"]
  taps = [torch.tensor(np.moveaxis(np.asarray(x), -1, 1)) for x in taps]
  want, cells = decode(taps, variables["params"], variables["batch_stats"])
  assert np.ptp(np.asarray(want)) > 0.1
  # Twelve layers in float32, summed in other orders.
  np.testing.assert_allclose(logits, want, rtol=2e-5, atol=2e-5)
  np.testing.assert_allclose(found["pylon"], cells, rtol=2e-5, atol=2e-5)
