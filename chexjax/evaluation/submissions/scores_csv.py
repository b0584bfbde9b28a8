"""`scores.csv`: a column `file` and one per finding, probabilities."""

import csv
import io
import math
import pathlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.submissions.faults import Faults, near
from chexjax.evaluation.submissions.true_films import TrueFilms
from chexjax.io import decode_table


def read_scores(
  path: pathlib.Path, truth: TrueFilms, faults: Faults
) -> dict[str, np.ndarray]:
  """Read and check the scores; rows and columns may come in any order.

  A finding without a column has no scores; a column of an unknown finding is a
  fault.

  Args:
    path: of the file, separated by commas, semicolons or tabs, UTF-8 or UTF-16
      with a byte order mark; without it no finding has scores.
    truth: the images to score.
    faults: gets what is wrong.

  Returns:
    Finding -> `[N]` float64 in 0..1, in the order of `truth.keys`; NaN where
    faulty.
  """
  if not path.exists():
    return {}
  try:
    text, separator = decode_table(path.read_bytes())
  except UnicodeDecodeError as error:
    faults.add(f"{path.name}: no UTF-8 text: {error}")
    return {}
  reader = csv.reader(io.StringIO(text), strict=True, delimiter=separator)
  try:
    header = [cell.strip() for cell in next(reader, [])]
    columns = _columns(header, truth.findings, faults)
    scores = np.full((len(truth.keys), len(columns)), np.nan)
    if "file" not in header or not columns:
      return {}
    number = {key: i for i, key in enumerate(truth.keys)}
    seen: set[str] = set()
    for name, row in _rows(reader, header, faults):
      key = truth.key(name)
      if key in seen:
        faults.add("scores.csv: images that are there twice", name)
      seen.add(key)
      if truth.knows(name, "scores.csv", faults):
        values = {f: row[c] for f, c in columns.items()}
        scores[number[key]] = _probabilities(values, name, faults)
  except csv.Error as error:
    faults.add("scores.csv: broken lines", f"line {reader.line_num} ({error})")
    return {}
  for key in truth.keys:
    if key not in seen:
      faults.add(f"scores.csv: missing images of {truth.list_name}", key)
  return dict(zip(columns, scores.T))


def scores_csv(images: ScoredImages, names: Sequence[str]) -> str:
  """Return scores as `read_scores` reads them.

  Args:
    images: scores of all films, probabilities.
    names: the findings to write.

  Returns:
    The text of `scores.csv`, every digit kept.
  """
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(["file", *names])
  columns = images.columns(names)
  for image, row in zip(images.image.tolist(), images.scores[:, columns]):
    writer.writerow([image, *map(float, row)])
  return text.getvalue()


def _rows(
  reader: Any, header: Sequence[str], faults: Faults
) -> Iterator[tuple[str, list[str]]]:
  """Yield the image's name and the fields of every full row."""
  for row in reader:
    if not any(row):
      continue
    if len(row) != len(header):
      where = f"line {reader.line_num}"
      faults.add(f"scores.csv: rows without {len(header)} fields", where)
      continue
    yield row[header.index("file")].strip(), row


def _columns(
  header: Sequence[str], findings: Sequence[str], faults: Faults
) -> dict[str, int]:
  """Return the column of each finding that has one."""
  if "file" not in header:
    faults.add("scores.csv: the header lacks the column 'file'")
  for name in header:
    if name != "file" and name not in findings:
      what = near(name, findings)
      faults.add("scores.csv: unknown findings in the header", what)
    if header.count(name) > 1:
      faults.add("scores.csv: columns that are there twice", name)
  columns = {name: header.index(name) for name in findings if name in header}
  if not columns:
    known = ", ".join(findings)
    faults.add(f"scores.csv: no column of a finding; they are {known}")
  return columns


def _probabilities(
  values: Mapping[str, str], name: str, faults: Faults
) -> list[float]:
  """Return one row of scores; add as a fault what is no number in 0..1."""
  row = []
  for finding, text in values.items():
    try:
      value = float(text)
    except ValueError:
      kind = "scores.csv: not a number"
      if "," in text:
        kind += " (write 0.5, not 0,5)"
      faults.add(kind, f"{name} {finding} {text!r}")
      value = math.nan
    else:
      if not math.isfinite(value):
        faults.add("scores.csv: NaN or infinite", f"{name} {finding}")
      elif not 0 <= value <= 1:
        faults.add("scores.csv: outside 0..1", f"{name} {finding} {value:g}")
    row.append(value)
  return row
