"""Positions of the pipeline, and evaluation on several devices."""

import os
import subprocess
import sys

import numpy as np
import pytest

from chexjax.data.own_set import open_own_set
from chexjax.data.pipeline import train_batches
from chexjax.data.prefetch import Prefetch


class Source:
  """Examples that are their own index."""

  def __init__(self, length=11):
    self.length = length

  def __len__(self):
    return self.length

  def __getitem__(self, index):
    image = np.full((4, 4, 1), index, np.uint8)
    return {"image": image, "labels": np.ones(2, np.uint8)}


def indices(batches, count):
  return np.stack([next(batches).index for _ in range(count)])


def test_a_position_is_the_number_of_batches_given():
  whole = indices(train_batches(Source(), batch_size=4, seed=1), 9)
  for position in (0, 1, 5):
    batches = train_batches(Source(), batch_size=4, seed=1)
    next(batches)
    batches.set_state({"next_index": position})
    assert batches.get_state() == {"next_index": position}
    got = indices(batches, 9 - position)
    np.testing.assert_array_equal(got, whole[position:])


def test_processes_divide_every_epoch():
  num_processes = 3
  length = 12  # A multiple, so that epochs do not cross.
  batch_size = 2 * num_processes
  seen = []
  for process in range(num_processes):
    share = train_batches(
      Source(length), batch_size=batch_size, seed=0, process=process,
      num_processes=num_processes,
    )  # fmt: skip
    seen.append(indices(share, 2 * length // batch_size))
  # Side by side they are what one process alone would give.
  alone = train_batches(Source(length), batch_size=batch_size, seed=0)
  batches = np.concatenate(seen, 1)
  np.testing.assert_array_equal(batches, indices(alone, len(batches)))
  epochs = batches.reshape(2, length)
  for epoch in epochs:
    assert sorted(epoch) == list(range(length))
  assert (epochs[0] != epochs[1]).any()


@pytest.mark.parametrize("depth", [1, 4])
def test_prefetch_saves_what_was_handed_out(depth):
  placed = []

  def place(batch):
    placed.append(int(batch.index[0]))
    return batch

  whole = indices(train_batches(Source(), batch_size=4, seed=1), 8)
  batches = Prefetch(
    train_batches(Source(), batch_size=4, seed=1), place, depth=depth
  )
  assert batches.get_state() == {"next_index": 0}
  np.testing.assert_array_equal(indices(batches, 3), whole[:3])
  assert len(placed) == 3 + depth - 1
  state = batches.get_state()
  assert state == {"next_index": 3}
  np.testing.assert_array_equal(indices(batches, 2), whole[3:5])
  other = Prefetch(
    train_batches(Source(), batch_size=4, seed=1), place, depth=depth
  )
  other.set_state(state)
  np.testing.assert_array_equal(indices(other, 5), whole[3:])
  batches.set_state(state)
  np.testing.assert_array_equal(indices(batches, 5), whole[3:])


def test_prefetch_of_something_finite_ends():
  class Three:
    count = 0

    def __next__(self):
      if self.count == 3:
        raise StopIteration
      self.count += 1
      return self.count

    def get_state(self):
      return {"count": self.count}

  assert list(Prefetch(Three(), lambda x: -x)) == [-1, -2, -3]


def test_worker_processes_give_the_same_batches(own_folder, tmp_path):
  dataset = open_own_set(own_folder(tmp_path / "own").write(), size=128)
  source = dataset.splits["train"]
  batches = train_batches(source, batch_size=4, seed=1)
  with_worker = train_batches(source, batch_size=4, seed=1, num_workers=1)
  for _ in range(2):
    for ours, theirs in zip(next(batches), next(with_worker)):
      np.testing.assert_array_equal(ours, theirs)
  # A run goes on with another number of workers.
  batches.set_state(with_worker.get_state())
  batch = next(with_worker)
  np.testing.assert_array_equal(next(batches).index, batch.index)
  del theirs, batch  # They lie in shared memory that close gives back.
  with_worker.close()


_ON_EIGHT_DEVICES = """
import jax, numpy as np
from chexjax.data.pipeline import eval_batches
from chexjax.runtime.sharding import make_mesh, sharded

class Source:
  def __len__(self): return 19
  def __getitem__(self, i):
    image = np.full((4, 4, 1), i, np.uint8)
    return {"image": image, "labels": np.array([i % 2], np.uint8)}

mesh = make_mesh()
assert len(mesh.devices) == 8
mean = jax.jit(lambda x: x.mean((1, 2, 3)))
seen = []
for batch in eval_batches(Source(), batch_size=16):
  images = jax.device_put(batch.image, sharded(mesh))
  assert len({s.device for s in images.addressable_shards}) == 8
  seen.append(np.asarray(mean(images))[batch.mask > 0])
np.testing.assert_array_equal(np.concatenate(seen), np.arange(19))
"""


def test_evaluation_counts_once_on_eight_devices():
  environment = os.environ | {
    "XLA_FLAGS": "--xla_force_host_platform_device_count=8",
    "JAX_PLATFORMS": "cpu",
  }
  subprocess.run(
    [sys.executable, "-c", _ON_EIGHT_DEVICES],
    env=environment,
    check=True,
    timeout=120,
  )
