"""Batches from a source: shuffled for training, padded for evaluation."""

import gc
import math
import weakref
from collections.abc import Iterator
from typing import Any

import grain
import numpy as np

from chexjax.types import Batch


class _Share:
  """The rows of every global batch that one process reads.

  Args:
    source: of examples.
    order: `order[i]` is the index of the stream's i-th example, -1 for one that
      only fills a batch.
    length: of the stream, a multiple of `num_processes * rows`.
    rows: of a batch that are this process's.
    process: whose share it is.
    num_processes: that share the stream.
  """

  def __init__(self, source, order, length, rows, process, num_processes):
    self._source, self._order = source, order
    self._length = length // num_processes
    self._rows, self._process = rows, process
    self._batch = rows * num_processes

  def __len__(self):
    return self._length

  def __getitem__(self, place):
    batch, row = divmod(place, self._rows)
    index = self._order[batch * self._batch + self._process * self._rows + row]
    example = self._source[max(index, 0)]
    return Batch(
      image=example["image"],
      labels=example["labels"].astype(np.float32),
      mask=np.float32(index >= 0),
      index=np.int32(index),
    )


class _Padded:
  """Counts up to a length, then says -1."""

  def __init__(self, length):
    self._length = length

  def __getitem__(self, place):
    return place if place < self._length else -1


class TrainBatches:
  """Iterates for ever over shuffled batches; made by `train_batches`.

  Its position is the number of batches given, whatever reads them: a run goes
  on exactly with another number of workers.
  """

  def __init__(self, dataset: grain.MapDataset, num_workers: int):
    """Stands at the first batch; nothing is read until one is asked for."""
    self._dataset, self._num_workers = dataset, num_workers
    self._position = 0
    # At most one grain iterator, in a list that the finalizer can empty.
    self._running: list[Any] = []
    weakref.finalize(self, _end, self._running)

  def __iter__(self) -> "TrainBatches":
    """Returns itself."""
    return self

  def __next__(self) -> Batch:
    """Returns the next batch."""
    if not self._running:
      self._running.append(self._start())
    batch = next(self._running[0])
    self._position += 1
    return batch

  def get_state(self) -> dict:
    """Returns the position, as JSON can hold it."""
    return {"next_index": self._position}

  def set_state(self, state: dict) -> None:
    """Goes to a position that `get_state` returned."""
    self.close()
    self._position = int(state["next_index"])

  def close(self) -> None:
    """Ends the workers; the next batch would start them again."""
    _end(self._running)

  def _start(self):
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
  """Closes an iterator and frees the shared memory it read ahead into.

  Left to the end of the program, grain prints a traceback for each array.
  """
  while running:
    running.pop().close()
    gc.collect()


def _parse_absl_flags() -> None:
  """Lets grain read its own absl flags where nobody has parsed any."""
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
  """Iterates for ever over shuffled batches, this process's rows of each.

  Every epoch is one shuffle of the whole source; a batch may cross from one
  epoch into the next, so that no example is left out. The processes' rows, one
  after another, are the batch that one process alone would give. The iterator's
  `get_state` and `set_state` save and restore its position exactly.

  Args:
    source: has a length and gives examples with `image` and `labels`.
    batch_size: over all processes.
    seed: of the shuffle.
    process: index of this process.
    num_processes: that share the source.
    num_workers: child processes that read, and hand the batches over in
      shared memory; 0 reads in threads of this process. The batches are the
      same. Workers start anew by importing the program's main module, so a
      script that uses them needs `if __name__ == "__main__"`.

  Returns:
    An iterator of `Batch`, numpy, images uint8 `[B, H, W, 1]`.

  Raises:
    ValueError: when the processes do not divide the batch.
  """
  order = grain.MapDataset.range(len(source)).seed(seed).shuffle().repeat(None)
  rows = _rows(batch_size, num_processes)
  length = len(order) // batch_size * batch_size
  share = _Share(source, order, length, rows, process, num_processes)
  dataset = grain.MapDataset.source(share).batch(rows, drop_remainder=True)
  return TrainBatches(dataset, num_workers)


def eval_batches(
  source: Any, *, batch_size: int, process: int = 0, num_processes: int = 1
) -> Iterator[Batch]:
  """Iterates once, in order, over this process's rows of each batch.

  Args:
    source: has a length and gives examples with `image` and `labels`.
    batch_size: over all processes, of every batch, the last one too.
    process: index of this process.
    num_processes: that share the source.

  Yields:
    `Batch`; the last one is filled up with examples of mask 0 and index -1.

  Raises:
    ValueError: when the processes do not divide the batch.
  """
  rows = _rows(batch_size, num_processes)
  length = math.ceil(len(source) / batch_size) * batch_size
  order = _Padded(len(source))
  share = _Share(source, order, length, rows, process, num_processes)
  dataset = grain.MapDataset.source(share).batch(rows, drop_remainder=True)
  yield from dataset.to_iter_dataset(
    grain.ReadOptions(num_threads=4, prefetch_buffer_size=4)
  )


def _rows(batch_size, num_processes):
  if batch_size % num_processes:
    raise ValueError(
      f"batch {batch_size} does not divide by {num_processes} processes"
    )
  return batch_size // num_processes
