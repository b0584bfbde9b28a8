"""The CSV and list files of the NIH's layout."""

import pathlib

import numpy as np

from chexjax.data.phantom.sampling import Film
from chexjax.types import FINDINGS

# As in the NIH's file of 2017: the names in brackets hold commas, and the
# header ends with a comma although the rows do not.
_ENTRY_HEADER = (
  "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,"
  "Patient Gender,View Position,OriginalImage[Width,Height],"
  "OriginalImagePixelSpacing[x,y],"
)
_BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
# Boxes are given in pixels of a film of this side, whatever the size.
BOX_FRAME = 1024
# Width of the drawn film in millimetres.
_FILM_WIDTH = 350


def write_tables(
  folder: pathlib.Path,
  films: list[Film],
  boxes: dict[str, dict[str, list[float]]],
  *,
  size: int,
  seed: int,
  boxed_fraction: float,
  label_noise: float,
) -> None:
  """Write both CSV files and both lists.

  Args:
    folder: must exist.
    films: the plan.
    boxes: file name -> finding -> x1, y1, x2, y2 in pixels of the image.
    size: pixels a side of the images.
    seed: of the label noise and of the choice of boxed images.
    boxed_fraction: share of the test films whose boxes are listed, 0..1.
    label_noise: probability that a label of a train+val film is flipped.
  """
  spacing = f"{_FILM_WIDTH / size:.3f}"
  entries, rows = [_ENTRY_HEADER], [_BOX_HEADER]
  for film in films:
    rng = np.random.default_rng([seed, 7, film.patient, film.follow_up])
    boxed = rng.uniform() < boxed_fraction
    findings = film.findings
    if not film.test:
      findings = _flip(findings, rng, label_noise)
    entries.append(
      f"{film.file_name},{'|'.join(findings) or 'No Finding'},"
      f"{film.follow_up},{film.patient},{film.age},{film.sex},{film.view},"
      f"{size},{size},{spacing},{spacing}"
    )
    if film.test and boxed:
      rows += [
        _box_row(film.file_name, name, box, BOX_FRAME / size)
        for name, box in boxes[film.file_name].items()
      ]
  # The lines of the NIH's Data_Entry end with CR LF.
  _write(folder / "Data_Entry_2017.csv", entries, "\r\n")
  _write(folder / "BBox_List_2017.csv", rows, "\n")
  for name, test in (("train_val_list.txt", False), ("test_list.txt", True)):
    names = [film.file_name for film in films if film.test == test]
    _write(folder / name, names, "\n")


def _box_row(file_name: str, name: str, box: list[float], scale: float) -> str:
  """Return a line of BBox_List_2017.csv, which shortens one name."""
  x1, y1, x2, y2 = (float(v) * scale for v in box)
  label = "Infiltrate" if name == "Infiltration" else name
  return f"{file_name},{label},{x1},{y1},{x2 - x1},{y2 - y1}"


def _flip(
  findings: tuple[str, ...], rng: np.random.Generator, rate: float
) -> tuple[str, ...]:
  """Return the findings with each of the 14 labels flipped at `rate`."""
  flips = rng.uniform(size=len(FINDINGS)) < rate
  return tuple(
    name
    for name, flip in zip(FINDINGS, flips)
    if (name in findings) != bool(flip)
  )


def _write(path: pathlib.Path, lines: list[str], end: str) -> None:
  """Write lines, each with the same end on every system."""
  path.write_text(end.join(lines) + end, newline="")
