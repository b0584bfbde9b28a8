"""The results of some films of the queue."""

import concurrent.futures
import functools
import pathlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from chexjax.data.images import Film, Laterals, read_film
from chexjax.inference.dicom_results import DicomResults
from chexjax.inference.film_findings import FilmFindings
from chexjax.serving.worker import Outcome

Read = tuple[pathlib.Path, Film]


class FilmResults:
  """Predicts films and makes their DICOM objects."""

  def __init__(
    self,
    of_films: FilmFindings,
    results: DicomResults,
    *,
    batch_size: int,
    laterals: Laterals = "refuse",
  ):
    """Remember the model.

    Args:
      of_films: makes findings of the model's output.
      results: makes objects of findings.
      batch_size: films at a time; fewer are filled up, so that one program
        serves all.
      laterals: see `read_film`.
    """
    self._of_films, self._results = of_films, results
    self._batch_size = batch_size
    info = of_films.predictor.info
    self._read = functools.partial(
      read_film, size=info.image_size, shape=info.shape, laterals=laterals
    )

  def warm_up(self) -> None:
    """Compile the model, so that no film has to wait for it."""
    size = self._of_films.predictor.info.image_size
    blank = [(None, np.zeros((size, size, 1), np.uint8))]
    for _ in self._of_films.predictor.stream(
      blank, count=self._batch_size, batch_size=self._batch_size
    ):
      pass

  def __call__(
    self, films: Sequence[pathlib.Path]
  ) -> Iterator[tuple[pathlib.Path, Outcome]]:
    """Yield each film with what writes its results, or why there are none.

    Args:
      films: DICOM files.
    """
    read: list[tuple[Read, np.ndarray]] = []
    with concurrent.futures.ThreadPoolExecutor() as pool:
      for path, film in zip(films, pool.map(self._try_to_read, films)):
        if isinstance(film, str):
          yield path, film
        else:
          read.append(((path, film), film.image))
      predictor = self._of_films.predictor
      for keys, rows in predictor.stream(
        read, count=self._batch_size, batch_size=self._batch_size
      ):
        yield from zip(
          (path for path, _ in keys), pool.map(self._outcome, keys, rows)
        )

  def _try_to_read(self, path: pathlib.Path) -> Film | str:
    try:
      return self._read(path)
    except ValueError as error:
      return _without_path(error, path)

  def _outcome(self, key: Read, found: Mapping) -> Outcome:
    path, film = key
    findings = self._of_films.findings(film, found)
    try:
      return self._results.writers(path, film, found, findings)
    except ValueError as error:
      return _without_path(error, path)


def _without_path(error: ValueError, path: pathlib.Path) -> str:
  return str(error).removeprefix(f"{path}: ")
