"""Films read ahead, predicted in batches, and their results written."""

import collections
import concurrent.futures
import functools
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from chexjax import messages
from chexjax.data.images import Film, Laterals, read_film
from chexjax.inference.films import default_batch_size
from chexjax.inference.image_files import Job
from chexjax.inference.prediction_files import PredictionFiles
from chexjax.inference.predictor import Predictor
from chexjax.progress import Progress

Key = tuple[Job, Film]


class FilmWork(NamedTuple):
  """What is done with each film.

  Attributes:
    predictor: makes the predictions.
    files: writes them.
    batch_size: films at a time, at most; None for the default.
    laterals: what is done with lateral views.
  """

  predictor: Predictor
  files: PredictionFiles
  batch_size: int | None
  laterals: Laterals

  def predict(
    self,
    jobs: list[Job],
    failed: list[dict],
    keep: Callable[[list[dict]], None],
  ) -> int:
    """Give the record of every film to `keep`; return how many there were.

    Decoding and drawing overlap with the device's work.

    Args:
      jobs: the films.
      failed: `file` and `reason` of those that cannot be read are added.
      keep: is given the records of a batch.
    """
    done = 0
    began = time.monotonic()
    with (
      Progress("predicting films", total=len(jobs)) as progress,
      concurrent.futures.ThreadPoolExecutor() as pool,
    ):
      films = self._read_ahead(pool, jobs, failed)
      for keys, rows in self.predictor.stream(
        films, count=len(jobs), batch_size=self.batch_size
      ):
        written, shown = zip(*keys)
        records = list(pool.map(self.files.write_film, written, shown, rows))
        keep(records)
        done += len(records)
        progress.add(len(records))
    seconds = time.monotonic() - began
    print(f"{seconds:.1f} s, {done / seconds:.2f} images a second")
    return done

  def _read_ahead(
    self,
    pool: concurrent.futures.Executor,
    jobs: list[Job],
    failed: list[dict],
  ) -> Iterator[tuple[Key, np.ndarray]]:
    """Yield what can be read, while the pool reads what comes after."""
    ahead = 2 * (self.batch_size or default_batch_size())
    info = self.predictor.info
    rest = iter(jobs)
    reading: collections.deque = collections.deque()
    while True:
      while len(reading) < ahead and (job := next(rest, None)):
        read = functools.partial(
          read_film,
          job.path,
          info.image_size,
          shape=info.shape,
          laterals=self.laterals,
        )
        reading.append((job, pool.submit(read)))
      if not reading:
        return
      job, future = reading.popleft()
      try:
        film = future.result()
      except ValueError as error:
        messages.warn(f"error: {error}")
        reason = str(error).removeprefix(f"{job.path}: ")
        failed.append({"file": str(job.path), "reason": reason})
      else:
        yield (job, film), film.image
