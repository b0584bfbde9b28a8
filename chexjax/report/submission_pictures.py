"""Pictures of other people's predictions, if the films are available."""

import contextlib
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data.images import read_original
from chexjax.report.cases import NAME, CaseWriter
from chexjax.report.results_folder import own_results


class SubmissionPictures:
  """Writes `cases.zip` of an evaluation; a context manager.

  It holds the folder for this evaluation alone; see `own_results`.

  Attributes:
    count: number of films that were found and stored.
  """

  def __init__(self, films: Mapping[str, str], out: pathlib.Path):
    """Open the file in `out`.

    Args:
      films: name of an image -> its file; may be empty.
      out: folder of the evaluation.

    Raises:
      BlockingIOError: another evaluation writes its results there.
    """
    self.count, self._seen = 0, set[str]()
    self._paths = films
    self._held = contextlib.ExitStack()
    self._held.enter_context(own_results(out))
    self._cases = CaseWriter(out / NAME)

  def __enter__(self) -> "SubmissionPictures":
    """Return itself."""
    self._cases.__enter__()
    return self

  def __exit__(self, *error: Any) -> None:
    """Finish the file, or remove it after an error."""
    with self._held:
      self._cases.__exit__(*error)

  def case(
    self,
    image: str,
    finding: str,
    maps: Mapping[str, np.ndarray],
    *,
    rows: int,
  ) -> None:
    """Store the maps of a case, and its film once.

    `evaluate` calls it for every case.

    Args:
      image: name of the image.
      finding: whose maps they are.
      maps: name -> `[h, w]`.
      rows: true boxes of the case, each a row of the localisation table.
    """
    self._film(image)
    self._cases.case(image, finding, maps, rows=rows)

  def wrong_call(self, image: str, finding: str) -> None:
    """Store the film of a false alarm or miss; there are no maps of it.

    Args:
      image: name of the image.
      finding: that is called wrongly.
    """
    self._film(image)
    self._cases.wrong_call(image, finding, {})

  def _film(self, image: str) -> None:
    if image in self._seen or image not in self._paths:
      return
    self._seen.add(image)
    try:
      film = read_original(self._paths[image])
    except ValueError as error:
      messages.warn(f"note: no film for the report: {error}")
      return
    self.count += 1
    self._cases.image(image, film)
