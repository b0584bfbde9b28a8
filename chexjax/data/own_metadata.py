"""The record of one's own set that results hold."""

import hashlib
import pathlib
from typing import Any

from chexjax.data.own_tables import SPLITS, Box, Row


def metadata_of(
  folder: pathlib.Path,
  tables: tuple[str, ...],
  rows: list[Row],
  boxes: dict[str, list[Box]],
  findings: tuple[str, ...],
  how: str,
  size: int,
  shape: str,
) -> dict[str, Any]:
  """Return the metadata of a `Dataset`.

  Args:
    folder: of the set.
    tables: names of its tables, which need not be there.
    rows: of labels.csv, each with its split.
    boxes: file -> boxes.
    findings: names of the classes.
    how: how the rows were divided, as text.
    size: side of the images, in pixels.
    shape: how films become squares.
  """
  lines = sorted(f"{row.split} {row.file}\n" for row in rows)
  boxed = {box.finding for of_file in boxes.values() for box in of_file}
  paths = [folder / name for name in tables if (folder / name).is_file()]
  return {
    "name": f"folder {folder.resolve().name}",
    "findings": list(findings),
    "boxed_findings": [name for name in findings if name in boxed],
    "size": size,
    "shape": shape,
    "validation": how,
    "split_hash": hashlib.sha256("".join(lines).encode()).hexdigest(),
    "files": {
      p.name: {"sha256": hashlib.sha256(p.read_bytes()).hexdigest()}
      for p in paths
    },
    "counts": {
      name: _counts([r for r in rows if r.split == name], boxes, findings)
      for name in SPLITS
    },
  }


def _counts(
  rows: list[Row], boxes: dict[str, list[Box]], findings: tuple[str, ...]
) -> dict[str, Any]:
  counts: dict[str, Any] = {
    "found": len(rows),
    "patients": len({row.patient for row in rows}),
    "boxes": sum(len(boxes.get(row.file, ())) for row in rows),
    "positives": {f: sum(f in row.findings for row in rows) for f in findings},
  }
  if any(row.unknown for row in rows):
    counts["unknown"] = {
      f: sum(f in row.unknown for row in rows) for f in findings
    }
  return counts
