"""Batches from a source: shuffled for training, padded for evaluation."""

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


def train_batches(
  source: Any,
  *,
  batch_size: int,
  seed: int,
  process: int = 0,
  num_processes: int = 1,
) -> grain.DatasetIterator:
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
  return iter(
    dataset.to_iter_dataset(
      grain.ReadOptions(num_threads=4, prefetch_buffer_size=16)
    )
  )


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
