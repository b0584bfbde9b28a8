"""One device or eight: the same steps, and each goes on from the other."""

import os
import subprocess
import sys

import pytest

_SCRIPT = """
import pathlib, sys
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp, numpy as np, optax
from small_models import random_variables, shapes_of
from chexjax import models
from chexjax.training.checkpoints import Checkpoints
from chexjax.training.config import EvidenceOptions
from chexjax.runtime.sharding import make_mesh, replicated, shard_batch
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step
from chexjax.types import Batch
from chexjax.runtime import compile_cache

jax.config.update("jax_compilation_cache_dir", sys.argv[1] + "cache")
assert jax.device_count() == 8
model = models.ChexModel(
  num_classes=2, block_sizes=(1, 1), growth=4, bn_size=2, stem=4,
  fpn_features=4, hidden=4, detection_features=4, roi_size=2, crop_size=8,
  crop_stages=(1,), crop_width=4, crop_hidden=4, dtype=jnp.float64,
)
fresh = jax.tree.map(
  lambda x: np.asarray(x, np.float64), random_variables(shapes_of(model)))
# Plain descent: what a step adds is the gradient, in units of 0.01.
tx = optax.sgd(0.01)
meshes = {n: make_mesh(jax.devices()[:n]) for n in (1, 8)}
def make_step(n):
  step = make_train_step(
    model, tx, meshes[n], stage=3, beta_pos=jnp.full(2, 0.7),
    beta_neg=jnp.full(2, 0.3), evidence=EvidenceOptions(regions=2))
  # As the main job has it: traced, kept, read again.
  return compile_cache.at_first_call(step, f"of {n}")

steps = {n: make_step(n) for n in meshes}

def batch(step):
  rng = np.random.default_rng(step)
  return Batch(
    image=rng.integers(0, 256, (8, 32, 32, 1), dtype=np.uint8),
    labels=rng.integers(0, 2, (8, 2)).astype(np.float32),
    mask=np.ones(8, np.float32), index=np.arange(8, dtype=np.int32))

def train(folder, devices):
  # Saves after every step, and goes on with another number of devices.
  losses = []
  for step, n in enumerate(devices):
    mesh, checkpoints = meshes[n], Checkpoints(pathlib.Path(folder))
    state = jax.device_put(create_state(fresh, tx, stage=3), replicated(mesh))
    if step:
      state, position = checkpoints.restore(step, state)
      assert position == {"next_index": step}
    state, metrics = steps[n](
      state, shard_batch(batch(step), mesh), jax.random.key(1))
    for leaf in jax.tree.leaves((state, metrics)):
      assert leaf.sharding == replicated(mesh)
    losses.append(float(metrics["loss"]))
    checkpoints.save(
      step + 1, state, inputs={"next_index": step + 1}, auc=None)
    checkpoints.close()
  return losses, jax.device_get(state)

losses, one = train(sys.argv[1], [1, 1, 1])
for name, devices in (("b", [8, 8, 8]), ("c", [1, 8, 1]), ("d", [8, 1, 8])):
  other_losses, other = train(sys.argv[1] + name, devices)
  # float64 sums in another order.
  np.testing.assert_allclose(other_losses, losses, rtol=1e-12)
  jax.tree.map(
    lambda a, b: np.testing.assert_allclose(a, b, atol=1e-13), other, one)
moved = jax.tree.map(
  lambda a, b: np.abs(a - b).max(), one.params, fresh["params"])
for group in moved.values():
  assert max(jax.tree.leaves(group)) > 1e-4
"""


@pytest.mark.slow
def test_eight_devices_train_as_one_and_go_on_from_it(tmp_path):
  flags = os.environ.get("XLA_FLAGS", "")
  environment = os.environ | {
    "XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count=8",
    "JAX_PLATFORMS": "cpu",
    "PYTHONPATH": os.pathsep.join(sys.path),
  }
  subprocess.run(
    [sys.executable, "-c", _SCRIPT, str(tmp_path / "a")],
    env=environment,
    check=True,
  )
