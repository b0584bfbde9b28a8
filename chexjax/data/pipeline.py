"""Batches from a source: shuffled for training, padded for evaluation."""

import gc
import weakref
from collections.abc import Iterator
from typing import Any

import grain
import numpy as np

from chexjax.types import Batch


class _Indexed:
  """A source whose examples know their index."""

  def __init__(self, source):
    self._source = source

  def __len__(self):
    return len(self._source)

  def __getitem__(self, index):
    example = self._source[index]
    return Batch(
      image=example["image"],
      labels=example["labels"].astype(np.float32),
      mask=np.float32(1),
      index=np.int32(index),
    )


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
  """Iterates for ever over shuffled batches of this process's share.

  Every epoch is one shuffle of the whole source; a batch may cross from one
  epoch into the next, so that no example is left out. The iterator's
  `get_state` and `set_state` save and restore its position exactly.

  Args:
    source: has a length and gives examples with `image` and `labels`.
    batch_size: of this process.
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
    ValueError: when the source has fewer examples than processes.
  """
  if len(source) < num_processes:
    raise ValueError(
      f"{len(source)} training examples for {num_processes} processes"
    )
  dataset = grain.MapDataset.source(_Indexed(source)).seed(seed).shuffle()
  dataset = dataset.repeat(None)[process::num_processes]
  dataset = dataset.batch(batch_size, drop_remainder=True)
  return TrainBatches(dataset, num_workers)


def eval_batches(source: Any, *, batch_size: int) -> Iterator[Batch]:
  """Iterates once, in order; the last batch is padded with masked copies.

  Args:
    source: has a length and gives examples with `image` and `labels`.
    batch_size: of every batch, the last one too.

  Yields:
    `Batch`; padding has mask 0 and index -1.
  """
  dataset = grain.MapDataset.source(_Indexed(source)).batch(
    batch_size, drop_remainder=False
  )
  for batch in dataset.to_iter_dataset(
    grain.ReadOptions(num_threads=4, prefetch_buffer_size=4)
  ):
    yield pad_batch(batch, batch_size)


def pad_batch(batch: Batch, size: int) -> Batch:
  """Repeats the last example up to `size`, with mask 0 and index -1."""
  missing = size - len(batch.index)
  if not missing:
    return batch
  padded = Batch(
    *(np.concatenate([x, np.repeat(x[-1:], missing, 0)]) for x in batch)
  )
  padded.mask[-missing:] = 0
  padded.index[-missing:] = -1
  return padded
