"""Pictures of somebody's predictions, from a folder that may hold the films."""

import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data.images import read_original
from chexjax.report.cases import NAME, CaseWriter
from tfds_chestxray14.folder import find_images


class SubmissionPictures:
  """Writes `cases.zip` of an evaluation; a context manager.

  Attributes:
    count: films that were found and stored.
  """

  def __init__(self, data_dir: pathlib.Path, out: pathlib.Path):
    """Look for films under `data_dir`; there need not be any."""
    self.count, self._seen = 0, set[str]()
    self._cases = CaseWriter(out / NAME)
    try:
      self._paths: dict[str, str] = find_images(data_dir).paths
    except FileNotFoundError:
      self._paths = {}

  def __enter__(self) -> "SubmissionPictures":
    """Return itself."""
    self._cases.__enter__()
    return self

  def __exit__(self, *error: Any) -> None:
    """Finish the file, or take it away after an error."""
    self._cases.__exit__(*error)

  def case(
    self,
    image: str,
    finding: str,
    maps: Mapping[str, np.ndarray],
    *,
    rows: int,
  ) -> None:
    """Store a pair's maps, and its film once; `evaluate` takes it to watch."""
    self._film(image)
    self._cases.case(image, finding, maps, rows=rows)

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
