"""Folds of patients with boxes: some trained on, one scored."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data.sources import Dataset, Source, true_boxes
from chexjax.evaluation.protocols.threshold_choice import folds_by_patient
from chexjax.inference.film_names import file_names
from chexjax.inference.picked_films import PickedFilms

BOXES_SEEN = "boxes_in_training"  # in the metadata, a text for the results


class BoxedFilms:
  """A `Source` of several splits, whose examples have `boxes` too.

  They are `[K, M, 4]` float32 in pixels, NaN where there is none; M is the
  largest number of boxes of a finding on a film.
  """

  def __init__(
    self, parts: Sequence[Source], *, names: Sequence[str], size: int
  ):
    """Put the splits one after another.

    Args:
      parts: the splits.
      names: of the K findings.
      size: side of the images, in pixels.
    """
    self._names, self._size = list(names), size
    self._films = [(of, i) for of in parts for i in range(len(of))]
    counts = [
      np.bincount(self.annotation(i)["objects"]["label"], minlength=1).max()
      for i in range(len(self))
      if has_box(self, i)
    ]
    self.boxed = len(counts)
    self._most = int(max(counts, default=1))

  def __len__(self) -> int:
    """Return the number of films."""
    return len(self._films)

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example; see `Source`, and `boxes`."""
    source, place = self._films[index]
    example = source[place]
    boxes = np.full((len(self._names), self._most, 4), np.nan, np.float32)
    for name, of in true_boxes(example, self._names, self._size).items():
      boxes[self._names.index(name), : len(of)] = of
    return example | {"boxes": boxes}

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image and without `boxes`."""
    source, place = self._films[index]
    return source.annotation(place)


def has_box(source: Source, index: int) -> bool:
  """Return whether a film has a box of any finding.

  Args:
    source: of the films.
    index: of the film.
  """
  return len(source.annotation(index)["objects"]["label"]) > 0


def train_on_boxes(
  dataset: Dataset, *, folds: int, fold: int, size: int
) -> Dataset:
  """Move the boxed test films of all folds but one to the training films.

  The patients of the boxed test films are dealt into folds, always in the same
  way. No test film is left of a patient with a training film.

  Args:
    dataset: with `train` and `test`.
    folds: number of folds, 2 or more.
    fold: the one that stays, from 1.
    size: side of the images, in pixels.

  Returns:
    The dataset; its training examples have `boxes`, its metadata says under
    `boxes_in_training` of how many films.

  Raises:
    ValueError: fewer patients have boxes than there are folds, or no boxed film
      of the fold would be left.
  """
  train, test = dataset.splits["train"], dataset.splits["test"]
  files, patients = np.array(file_names(test)), _patients(test)
  boxed = np.flatnonzero([has_box(test, i) for i in range(len(test))])
  found = len(np.unique(patients[boxed]))
  if found < folds:
    raise ValueError(
      f"boxes cannot be trained on: {found} patients of the test films have a "
      f"box, and --box_folds={folds} needs one for each fold"
    )
  held = folds_by_patient(patients[boxed], folds=folds) == fold - 1
  moved = PickedFilms(test, files=set(files[boxed[~held]].tolist()))
  names = dataset.metadata["findings"]
  training = BoxedFilms([train, moved], names=names, size=size)
  kept = ~np.isin(patients, _patients(training))
  if not kept[boxed[held]].any():
    raise ValueError(
      f"boxes cannot be trained on: every patient of --box_fold={fold} has "
      "training films too"
    )
  scored = PickedFilms(test, files=set(files[kept].tolist()))
  said = (
    f"boxes of {training.boxed} films seen in training, fold {fold} of {folds} "
    "held out"
  )
  messages.tell(
    f"{said}: {kept[boxed].sum()} boxed test films, and {kept.sum()} test "
    "films in all, are of other patients and are scored"
  )
  return Dataset(
    dataset.splits | {"train": training, "test": scored},
    dataset.metadata | {BOXES_SEEN: said},
  )


def _patients(source: Source) -> np.ndarray:
  """Return every film's patient, `[N]` int."""
  return np.array(
    [int(source.annotation(i)["patient_id"]) for i in range(len(source))]
  )
