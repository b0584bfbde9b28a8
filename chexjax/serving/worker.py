"""Predicts what waits in the queue."""

import pathlib
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

from chexjax import messages
from chexjax.serving.counters import Counters
from chexjax.serving.film_queue import FilmQueue, Writer

# Of each film what writes its results, or why there are none.
Outcome = Mapping[str, Writer] | str
Predict = Callable[
  [Sequence[pathlib.Path]], Iterable[tuple[pathlib.Path, Outcome]]
]
_PAUSE = 5.0  # seconds, after the disk has refused


def work(
  queue: FilmQueue,
  counters: Counters,
  predict: Predict,
  *,
  batch_size: int,
  stop: threading.Event,
) -> None:
  """Predict films, those first that came first, until told to stop.

  Args:
    queue: holds the films.
    counters: counts what becomes of them.
    predict: makes the results of some films. If it fails with several, each
      is tried alone.
    batch_size: films at a time, at most.
    stop: ends it after the films that are being predicted.
  """
  while not stop.is_set():
    films = queue.take(batch_size, timeout=0.5)
    if not films:
      continue
    try:
      _predict(queue, counters, predict, films)
    except OSError as error:
      messages.warn(f"warning: {error}; the films wait")
      for film in films:
        if film.exists():
          queue.give_back(film)
      stop.wait(_PAUSE)


def _predict(
  queue: FilmQueue,
  counters: Counters,
  predict: Predict,
  films: Sequence[pathlib.Path],
) -> None:
  rest = dict.fromkeys(films)
  failed = 0
  try:
    for film, outcome in predict(films):
      del rest[film]
      if isinstance(outcome, str):
        failed += 1
        _fail(queue, counters, film, outcome)
      else:
        queue.finish(film, outcome)
        counters.add("predicted")
  except OSError:
    raise  # The disk is at fault, not a film.
  except Exception as error:
    # What an error of another package says may quote the film's header.
    if len(films) == 1:
      failed += 1
      _fail(queue, counters, films[0], f"not predicted: {type(error).__name__}")
    else:
      for film in rest:
        _predict(queue, counters, predict, [film])
  if len(films) > failed:
    messages.tell(f"predicted: {len(films) - failed}, waiting: {queue.waiting}")


def _fail(
  queue: FilmQueue, counters: Counters, film: pathlib.Path, reason: str
) -> None:
  messages.warn(f"warning: film {film.stem} is put aside: {reason}")
  queue.fail(film, reason)
  counters.add("failed")
