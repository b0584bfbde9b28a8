"""Some films of a split, with the findings under another list of names."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from chexjax.data.sources import Source
from chexjax.inference.film_names import file_names


class PickedFilms:
  """A `Source` of some films of another one.

  Labels of a finding that only the new list has are unknown (NaN).
  """

  def __init__(
    self,
    source: Source,
    *,
    files: Collection[str] | None = None,
    findings: Sequence[str] = (),
    names: Sequence[str] = (),
  ):
    """Choose the films.

    Args:
      source: the split.
      files: file names of the films to keep, in the order of the split; None
        for all.
      findings: names of the split's findings; needed with `names`.
      names: the names that labels and boxes are to be given in, among them all
        of `findings`; empty to leave them as they are.
    """
    self._source = source
    self._rows: Sequence[int] = range(len(source))
    if files is not None:
      kept = [name in files for name in file_names(source)]
      self._rows = np.flatnonzero(kept).tolist()
    self._columns = [list(names).index(f) for f in findings] if names else None
    self._num = len(names)

  def __len__(self) -> int:
    """Return the number of films."""
    return len(self._rows)

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example; see `Source`."""
    return self._renamed(self._source[self._rows[index]])

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image, which is not decoded."""
    return self._renamed(self._source.annotation(self._rows[index]))

  def _renamed(self, example: dict[str, Any]) -> dict[str, Any]:
    if self._columns is None:
      return example
    labels = np.full(self._num, np.nan, np.float32)
    labels[self._columns] = example["labels"]
    objects = example["objects"]
    label = [self._columns[int(k)] for k in objects["label"]]
    return example | {"labels": labels, "objects": {**objects, "label": label}}
