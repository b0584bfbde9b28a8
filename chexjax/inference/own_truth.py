"""The test split of a set of one's own, as the truth of an evaluation.

Other people's predictions are held against it (`OwnTestFilms`). It is read
from the set's tables and from the headers of its images; no image is decoded.
"""

import pathlib
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from chexjax import evaluation
from chexjax.data.headers import read_header
from chexjax.data.own_set import Images, open_own_set
from chexjax.data.sources import Source, patient_facts, true_boxes
from chexjax.evaluation.submissions.faults import Faults
from chexjax.inference.film_names import FilmNames, file_names
from chexjax.inference.picked_films import PickedFilms

# The side at which images would be read; none is.
_SIZE = 1024


def truth_of_source(
  source: Source,
  findings: Sequence[str],
  *,
  boxed_findings: Sequence[str],
  frame: int,
  dataset: str,
) -> evaluation.Truth:
  """Return the labels and true boxes of a split; no image is decoded.

  Args:
    source: the split.
    findings: names of its K findings.
    boxed_findings: the findings that are localised.
    frame: side of the frame of the boxes, in pixels.
    dataset: what the results call the data.

  Returns:
    The `Truth`. Images are named and patients numbered as in the results of a
    run on the set.
  """
  rows = [source.annotation(i) for i in range(len(source))]
  names = [row["file_name"].decode() for row in rows]
  boxes = [true_boxes(row, findings, frame) for row in rows]
  facts: dict[str, list[Any]] = {}
  for row in rows:
    for name, value in patient_facts(row).items():
      facts.setdefault(name, []).append(value)
  return evaluation.Truth(
    images=names,
    patients=[int(row["patient_id"]) for row in rows],
    findings=tuple(findings),
    labels=np.stack([row["labels"] for row in rows]),
    boxes={name: of for name, of in zip(names, boxes) if of},
    frame=(frame, frame),
    boxed_findings=list(boxed_findings),
    dataset=dataset,
    **facts,
  )


class OwnTestFilms:
  """The test films of a set of one's own, as `read_submission` takes them.

  It is a `submissions.true_films.TrueFilms`.

  Attributes:
    paths: file -> where it is.
    keys: files of the films to score, as paths within the folder.
    findings: names of the K findings.
    boxed_findings: the findings that are localised.
    list_name: what a message calls the list of these films.
  """

  def __init__(self, folder: pathlib.Path, *, only: pathlib.Path | None = None):
    """Read the tables of a set, and the headers of its images.

    Args:
      folder: with labels.csv, the images and, if there are boxes, boxes.csv.
      only: list of the films to score, one name a line; None for the whole
        test split.

    Raises:
      ValueError: the tables or images have faults, the set has no test split,
        or `only` names what is not in it.
    """
    dataset = open_own_set(folder, size=_SIZE)
    if "test" not in dataset.splits:
      raise ValueError(
        f"{folder / 'labels.csv'} has no image of the split test"
      )
    self.findings: tuple[str, ...] = tuple(dataset.metadata["findings"])
    self.boxed_findings: tuple[str, ...] = tuple(
      dataset.metadata["boxed_findings"]
    )
    self.list_name = "the test split" if only is None else only.name
    self._metadata = dataset.metadata
    source = cast(Images, dataset.splits["test"])
    self.paths = source.paths
    test = file_names(source)
    files = test if only is None else FilmNames(test).listed(only)
    self._source = PickedFilms(source, files=set(files))
    self.keys: list[str] = file_names(self._source)
    self._scored = frozenset(self.keys)
    known = [n for of in dataset.splits.values() for n in file_names(of)]
    self._known, self._names = frozenset(known), FilmNames(known)
    self._truths: dict[int, evaluation.Truth] = {}
    self._sizes: dict[str, tuple[int, int]] = {}

  def key(self, name: str) -> str:
    """Return the file of a film by the name that a submission gives it.

    Args:
      name: the path within the folder, with or without an ending; or the
        name of the file alone, if no other folder has one of that name.

    Returns:
      The path within the folder; the name itself where no film has it.
    """
    found = self._names.find(name)
    return found[0] if len(found) == 1 else name

  def knows(self, name: str, file: str, faults: Faults) -> bool:
    """Return whether a film is scored; add a fault if it is not.

    Args:
      name: see `key`.
      file: of the submission that names it.
      faults: gets a film that is unknown, or not to be scored.

    Returns:
      Whether the film is scored.
    """
    key = self.key(name)
    if key in self._scored:
      return True
    several = self._names.find(name)
    if key in self._known:
      faults.add(f"{file}: surplus images, not in {self.list_name}", name)
    elif several:
      where = f"{name} ({', '.join(several[:3])})"
      faults.add(f"{file}: names that several images have", where)
    else:
      faults.add(f"{file}: unknown image names", name)
    return False

  def boxed(self) -> list[str]:
    """Return the films to score that carry boxes, in the order of `keys`."""
    boxes = self.truth(_SIZE).named_boxes
    return [key for key in self.keys if key in boxes]

  def size(self, key: str) -> tuple[int, int]:
    """Return width and height of the frame of a film's boxes, from its header.

    Raises:
      ValueError: the file cannot be read, or is a DICOM film that is shown
        turned, whose boxes nobody turns here.
    """
    if key not in self._sizes:
      header = read_header(self.paths[key])
      if isinstance(header, str):
        raise ValueError(f"{self.paths[key]} {header}")
      if header.placement is not None and header.placement.turned:
        raise ValueError(
          f"{self.paths[key]} is shown turned by its Patient Orientation; "
          "boxes of other people's predictions must be of upright films"
        )
      self._sizes[key] = header.width, header.height
    return self._sizes[key]

  def truth(self, frame: int) -> evaluation.Truth:
    """Return the labels and true boxes of the films to score.

    Boxes are stretched with their images to a square frame. That changes no
    overlap of boxes, and a map covers its whole image.
    """
    if frame not in self._truths:
      self._truths[frame] = truth_of_source(
        self._source,
        self.findings,
        boxed_findings=self.boxed_findings,
        frame=frame,
        dataset=self._metadata["name"],
      )
    return self._truths[frame]

  def provenance(self) -> dict[str, Any]:
    """Return the record of the set that the results keep."""
    return self._metadata | {
      "scored_images": len(self.keys),
      "scored_list": self.list_name,
    }
