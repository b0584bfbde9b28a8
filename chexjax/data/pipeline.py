"""Batches from a source: shuffled for training, padded for evaluation."""

import gc
import math
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from chexjax.extras import require
from chexjax.types import Batch

if TYPE_CHECKING:
  import grain


class _Share:
  """The rows of every global batch that one process reads."""

  def __init__(
    self,
    source: Any,
    order: Any,
    length: int,
    rows: int,
    process: int,
    num_processes: int,
  ):
    """Describe the share.

    Args:
      source: of examples.
      order: `order[i]` is the source's index of the stream's i-th example, or
        -1 for padding.
      length: of the stream, a multiple of `num_processes * rows`.
      rows: rows of a batch that belong to one process.
      process: index of the process.
      num_processes: that share the stream.
    """
    self._source, self._order = source, order
    self._length = length // num_processes
    self._rows, self._process = rows, process
    self._batch = rows * num_processes

  def __len__(self) -> int:
    return self._length

  def __getitem__(self, place: int) -> Batch:
    batch, row = divmod(place, self._rows)
    index = self._order[batch * self._batch + self._process * self._rows + row]
    example = self._source[max(index, 0)]
    return Batch(
      image=example["image"],
      labels=example["labels"].astype(np.float32),
      mask=np.float32(index >= 0),
      index=np.int32(index),
      boxes=example.get("boxes"),
    )


class _Padded:
  """The order 0, 1, ... up to a length, then -1 for padding."""

  def __init__(self, length: int):
    self._length = length

  def __getitem__(self, place: int) -> int:
    return place if place < self._length else -1


class TrainBatches:
  """An endless iterator over shuffled batches; made by `train_batches`.

  Its position is the number of batches returned. It does not depend on the
  workers, unlike grain's own state: a run can be continued with another number
  of them.
  """

  def __init__(self, dataset: "grain.MapDataset", num_workers: int):
    """Start at the first batch; read nothing until it is asked for.

    Args:
      dataset: of batches.
      num_workers: child processes that read; 0 reads in threads.
    """
    self._dataset, self._num_workers = dataset, num_workers
    self._position = 0
    # At most one grain iterator, in a list that the finaliser can empty.
    self._running: list[Any] = []
    weakref.finalize(self, _end, self._running)

  def __iter__(self) -> "TrainBatches":
    """Return itself."""
    return self

  def __next__(self) -> Batch:
    """Return the next batch."""
    if not self._running:
      self._running.append(self._start())
    batch = next(self._running[0])
    self._position += 1
    return batch

  def get_state(self) -> dict[str, int]:
    """Return the position, as JSON values."""
    return {"next_index": self._position}

  def set_state(self, state: dict[str, int]) -> None:
    """Move to a position that `get_state` returned."""
    self.close()
    self._position = int(state["next_index"])

  def close(self) -> None:
    """End the workers; asking for a batch starts them again."""
    _end(self._running)

  def _start(self) -> Iterator[Batch]:
    grain = _grain()
    dataset = self._dataset[self._position :].to_iter_dataset(
      grain.ReadOptions(num_threads=4, prefetch_buffer_size=16)
    )
    if self._num_workers:
      _parse_absl_flags()
      dataset = dataset.mp_prefetch(
        grain.MultiprocessingOptions(
          num_workers=self._num_workers, per_worker_buffer_size=2
        )
      )
    return iter(dataset)


def _end(running: list[Any]) -> None:
  """Close an iterator and free the shared memory of what it read ahead.

  If this is left to the interpreter's exit, grain prints a traceback for every
  array.
  """
  while running:
    running.pop().close()
    gc.collect()


def _parse_absl_flags() -> None:
  """Let grain read its absl flags in a program that parses none."""
  from absl import flags

  if not flags.FLAGS.is_parsed():
    flags.FLAGS.mark_as_parsed()


def train_batches(
  source: Any,
  *,
  batch_size: int,
  seed: int,
  process: int = 0,
  num_processes: int = 1,
  num_workers: int = 0,
) -> TrainBatches:
  """Iterate endlessly over shuffled batches, this process's rows of each.

  Every epoch is one shuffle of the whole source. A batch may continue into the
  next epoch, so that no example is left out. The rows of all processes, one
  after another, are the batch that a single process would read. The iterator's
  `get_state` and `set_state` save and restore its position exactly.

  Args:
    source: has a length and returns examples with `image` and `labels`.
    batch_size: over all processes.
    seed: of the shuffle.
    process: index of this process.
    num_processes: that share the source.
    num_workers: child processes that read and pass batches in shared memory; 0
      reads in threads of this process. The batches are the same. Workers import
      the program's main module, so a script that uses them needs
      `if __name__ == "__main__"`.

  Returns:
    An iterator of `Batch` as numpy arrays, images uint8 `[B, H, W, 1]`.

  Raises:
    ValueError: the batch is no multiple of the processes.
  """
  grain = _grain()
  order = grain.MapDataset.range(len(source)).seed(seed).shuffle().repeat(None)
  rows = _rows(batch_size, num_processes)
  length = len(order) // batch_size * batch_size
  share = _Share(source, order, length, rows, process, num_processes)
  dataset = grain.MapDataset.source(share).batch(rows, drop_remainder=True)
  return TrainBatches(dataset, num_workers)


def eval_batches(
  source: Any, *, batch_size: int, process: int = 0, num_processes: int = 1
) -> Iterator[Batch]:
  """Iterate once, in order, over this process's rows of each batch.

  Args:
    source: has a length and returns examples with `image` and `labels`.
    batch_size: over all processes; the last batch is padded to it.
    process: index of this process.
    num_processes: that share the source.

  Yields:
    `Batch` as numpy arrays; padding has mask 0 and index -1.

  Raises:
    ValueError: the batch is no multiple of the processes.
  """
  grain = _grain()
  rows = _rows(batch_size, num_processes)
  length = math.ceil(len(source) / batch_size) * batch_size
  order = _Padded(len(source))
  share = _Share(source, order, length, rows, process, num_processes)
  dataset = grain.MapDataset.source(share).batch(rows, drop_remainder=True)
  yield from dataset.to_iter_dataset(
    grain.ReadOptions(num_threads=4, prefetch_buffer_size=4)
  )


def _rows(batch_size: int, num_processes: int) -> int:
  if batch_size % num_processes:
    raise ValueError(
      f"batch {batch_size} does not divide by {num_processes} processes"
    )
  return batch_size // num_processes


def _grain() -> Any:
  """Return the library grain, imported when the first batch needs it."""
  require("data", "grain")
  import grain

  return grain
