"""`scores.csv`: a column `file` and one per finding, probabilities."""

import csv
import io
import math
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.submissions.faults import Faults, near
from chexjax.evaluation.submissions.official_lists import OfficialLists
from tfds_chestxray14.findings import FINDINGS
from tfds_chestxray14.folder import stem


def read_scores(
  path: pathlib.Path, truth: OfficialLists, faults: Faults
) -> np.ndarray:
  """Read and check the scores; rows and columns may come in any order.

  Args:
    path: of the file.
    truth: the images to score.
    faults: gets what is wrong.

  Returns:
    `[N, 14]` float64 in 0..1, in the order of `truth.keys` and `FINDINGS`; NaN
    where faulty.
  """
  scores = np.full((len(truth.keys), len(FINDINGS)), np.nan)
  if not path.exists():
    faults.add(f"no {path.name}")
    return scores
  try:
    text = path.read_text(encoding="utf-8-sig")
  except UnicodeDecodeError as error:
    faults.add(f"{path.name}: no UTF-8 text: {error}")
    return scores
  reader = csv.reader(io.StringIO(text), strict=True)
  try:
    header = [cell.strip() for cell in next(reader, [])]
    columns = _columns(header, faults)
    if "file" not in header or -1 in columns:
      return scores
    number = {key: i for i, key in enumerate(truth.keys)}
    seen: set[str] = set()
    for name, row in _rows(reader, header, faults):
      if stem(name) in seen:
        faults.add("scores.csv: images that are there twice", name)
      seen.add(stem(name))
      if truth.knows(name, "scores.csv", faults):
        values = [row[c] for c in columns]
        scores[number[stem(name)]] = _probabilities(values, name, faults)
  except csv.Error as error:
    faults.add("scores.csv: broken lines", f"line {reader.line_num} ({error})")
    return scores
  for key in truth.keys:
    if key not in seen:
      faults.add(f"scores.csv: missing images of {truth.list_name}", key)
  return scores


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


def _columns(header: Sequence[str], faults: Faults) -> list[int]:
  """Return the column of each finding; -1 where there is none."""
  if "file" not in header:
    faults.add("scores.csv: the header lacks the column 'file'")
  for name in header:
    if name != "file" and name not in FINDINGS:
      faults.add("scores.csv: unknown findings in the header", near(name))
    if header.count(name) > 1:
      faults.add("scores.csv: columns that are there twice", name)
  for name in FINDINGS:
    if name not in header:
      faults.add("scores.csv: findings without a column", name)
  return [header.index(n) if n in header else -1 for n in FINDINGS]


def _probabilities(
  values: Sequence[str], name: str, faults: Faults
) -> list[float]:
  """Return one row of scores; add as a fault what is no number in 0..1."""
  row = []
  for finding, text in zip(FINDINGS, values):
    try:
      value = float(text)
    except ValueError:
      faults.add("scores.csv: not a number", f"{name} {finding} {text!r}")
      value = math.nan
    else:
      if not math.isfinite(value):
        faults.add("scores.csv: NaN or infinite", f"{name} {finding}")
      elif not 0 <= value <= 1:
        faults.add("scores.csv: outside 0..1", f"{name} {finding} {value:g}")
    row.append(value)
  return row
