"""The ground truth of the official ChestX-ray14 lists; no image is needed."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation.collected.truth import Truth
from chexjax.evaluation.submissions.faults import Faults
from chexjax.evaluation.submissions.true_films import FRAME
from chexjax.types import PHANTOM, PHANTOM_MANIFEST
from tfds_chestxray14 import findings, lists, splits
from tfds_chestxray14.catalogue import OFFICIAL_SHA256, Catalogue, read_lists
from tfds_chestxray14.folder import stem


class OfficialLists(NamedTuple):
  """The images to score and what the lists say of them; see `TrueFilms`.

  Attributes:
    lists: the lists that were read.
    keys: stems of the images to score, sorted.
    key_set: the same as a set.
    list_name: name of the list of the images to score.
  """

  lists: Catalogue
  keys: list[str]
  key_set: frozenset[str]
  list_name: str

  @property
  def findings(self) -> tuple[str, ...]:
    """The names of the findings."""
    return findings.FINDINGS

  @property
  def boxed_findings(self) -> tuple[str, ...]:
    """The findings that are localised."""
    return findings.BOXED_FINDINGS

  def key(self, name: str) -> str:
    """Return the stem of an image's name.

    Args:
      name: with or without a folder and an ending.

    Returns:
      The stem.
    """
    return stem(name)

  def size(self, key: str) -> tuple[int, int]:
    """Return the frame in which the official boxes are given.

    Args:
      key: stem of an image, which does not matter.

    Returns:
      Width and height in pixels.
    """
    return FRAME, FRAME

  def boxes(self, key: str, frame: int) -> dict[str, np.ndarray]:
    """Return the true boxes of an image.

    Args:
      key: stem of the image.
      frame: side of the frame, in pixels.

    Returns:
      Finding -> `[M, 4]` x1, y1, x2, y2 in pixels of the frame.
    """
    found: dict[str, list[np.ndarray]] = {}
    for box in self.lists.boxes.get(key, ()):
      corners = [box.xmin, box.ymin, box.xmax, box.ymax]
      found.setdefault(box.label, []).append(np.array(corners) * frame)
    return {name: np.array(rows) for name, rows in found.items()}

  def knows(self, name: str, file: str, faults: Faults) -> bool:
    """Return whether an image is scored; add a fault if it is not.

    Args:
      name: of the image, with or without a folder and an ending.
      file: of the submission that names it.
      faults: gets an image that is in no list, or not in the scored one.

    Returns:
      Whether the image is scored.
    """
    key = stem(name)
    if key not in self.lists.entries:
      faults.add(f"{file}: unknown image names", name)
    elif key not in self.key_set:
      faults.add(f"{file}: surplus images, not in {self.list_name}", name)
    return key in self.key_set

  def boxed(self) -> list[str]:
    """Return the images to score that carry boxes.

    Returns:
      Their stems, sorted.
    """
    return [key for key in self.keys if key in self.lists.boxes]

  def labels(self, names: Sequence[str]) -> np.ndarray:
    """Return the labels of the images to score.

    Args:
      names: `[K]` findings.

    Returns:
      `[N, K]` bool, in the order of `keys` and `names`.
    """
    entries = self.lists.entries
    return np.array(
      [[name in entries[key].labels for name in names] for key in self.keys]
    )

  def column(self, field: str) -> list[Any]:
    """Return one field of Data_Entry for every image to score.

    Args:
      field: name of the field.

    Returns:
      Its values, in the order of `keys`.
    """
    return [getattr(self.lists.entries[key], field) for key in self.keys]

  @property
  def dataset(self) -> str:
    """The name of the films: a phantom has lists of the same kind."""
    folder = self.lists.files["test"].path.parent
    drawn = (folder / PHANTOM_MANIFEST).is_file()
    return PHANTOM if drawn else "ChestX-ray14"

  def truth(self, frame: int) -> Truth:
    """Return what `evaluate` needs.

    Args:
      frame: side of the frame of the boxes, in pixels.

    Returns:
      The `Truth` of the images to score.
    """
    return Truth(
      images=self.keys,
      patients=self.column("patient_id"),
      findings=findings.FINDINGS,
      labels=self.labels(findings.FINDINGS),
      boxes={key: self.boxes(key, frame) for key in self.boxed()},
      frame=(frame, frame),
      boxed_findings=findings.BOXED_FINDINGS,
      dataset=self.dataset,
      view=self.column("view"),
      sex=self.column("sex"),
      age=self.column("age"),
    )

  def provenance(self) -> dict[str, Any]:
    """Return hashes and versions of the lists.

    Returns:
      What the results keep under `provenance.dataset`.
    """
    files = self.lists.files
    scored = dict.fromkeys(self.keys, "test")
    return {
      "split_hash": splits.split_hash(self.lists.split_of),
      "scored_images": len(self.keys),
      "scored_list": self.list_name,
      "scored_hash": splits.split_hash(scored),
      "data_entry_version": lists.data_entry_version(files["data_entry"]),
      "files": {
        role: {
          "name": file.path.name,
          "sha256": file.sha256,
          "official": file.sha256 in OFFICIAL_SHA256,
        }
        for role, file in files.items()
      },
    }


def read_official_lists(
  data_dir: pathlib.Path, only: pathlib.Path | None
) -> OfficialLists:
  """Read the official lists.

  Args:
    data_dir: folder with the lists, plain or `.gz`.
    only: list of the images to score, one name a line; None for the test list.

  Returns:
    The `OfficialLists`.

  Raises:
    FileNotFoundError: if a list is missing; it names the paths looked at.
    ValueError: if a list is at fault, or `only` names no image or images
      outside the test list.
  """
  catalogue = read_lists(data_dir)
  test = {key for key, split in catalogue.split_of.items() if split == "test"}
  if only is None:
    name = catalogue.files["test"].path.name
    return OfficialLists(catalogue, sorted(test), frozenset(test), name)
  keys = _listed(only)
  strangers = sorted(keys - test)
  if strangers:
    raise ValueError(
      f"{only}: {len(strangers)} images are not in the test list, for example "
      f"{', '.join(strangers[:3])}"
    )
  if not keys:
    raise ValueError(f"{only} names no image")
  return OfficialLists(catalogue, sorted(keys), frozenset(keys), only.name)


def _listed(path: pathlib.Path) -> set[str]:
  """Return the stems of the images that a list names."""
  try:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
  except UnicodeDecodeError as error:
    raise ValueError(f"{path} is no UTF-8 text: {error}") from error
  return {stem(line.split()[0]) for line in lines if line.strip()}
