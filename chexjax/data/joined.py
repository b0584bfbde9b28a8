"""Several sets as one: each with its own findings, the others not known."""

import bisect
import collections
import hashlib
import itertools
import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax.data.own_tables import spelt_alike
from chexjax.data.sources import Dataset, Source


class JoinedSource:
  """The examples of one split of several sets, one set after another.

  An example has `set`, the name of its set, beside what a `Source` gives. Its
  labels are NaN for the findings that its set does not have.
  """

  def __init__(
    self,
    parts: Sequence[tuple[str, Source, Sequence[int]]],
    *,
    num_findings: int,
    files: Sequence[bytes],
    patients: Sequence[int],
  ):
    """Describe the split.

    Args:
      parts: for each set its name, its source, and for each of the set's
        findings the index in the joined list.
      num_findings: K, of the joined list.
      files: `[N]` name of every example.
      patients: `[N]` number of every example's patient.
    """
    self._parts, self._num_findings = list(parts), num_findings
    self._files, self._patients = list(files), list(patients)
    lengths = [len(source) for _, source, _ in self._parts]
    self._ends = list(itertools.accumulate(lengths))
    # What one set alone records, such as the view, would be missing in others.
    self._keys = set.intersection(
      *(set(source.annotation(0)) for _, source, _ in self._parts)
    )

  def __len__(self) -> int:
    """Return the number of examples."""
    return self._ends[-1]

  def __getitem__(self, index: int) -> dict[str, Any]:
    """Return an example; see `Source`."""
    part, place = self._find(index)
    return self._join(index, part, self._parts[part][1][place])

  def annotation(self, index: int) -> dict[str, Any]:
    """Return an example without its image."""
    part, place = self._find(index)
    return self._join(index, part, self._parts[part][1].annotation(place))

  def _find(self, index: int) -> tuple[int, int]:
    """Return an example's set, and its index there."""
    if not 0 <= index < len(self):
      raise IndexError(f"index {index} of {len(self)} examples")
    part = bisect.bisect_right(self._ends, index)
    return part, index - (self._ends[part - 1] if part else 0)

  def _join(
    self, index: int, part: int, example: dict[str, Any]
  ) -> dict[str, Any]:
    name, _, places = self._parts[part]
    labels = np.full(self._num_findings, np.nan, np.float32)
    labels[list(places)] = example["labels"]
    if not np.isnan(labels).any():
      labels = labels.astype(np.uint8)
    objects = example["objects"]
    kept = {k: v for k, v in example.items() if k in self._keys or k == "image"}
    return kept | {
      "labels": labels,
      "objects": {
        "bbox": objects["bbox"],
        "label": [places[int(label)] for label in objects["label"]],
      },
      "file_name": self._files[index],
      "patient_id": self._patients[index],
      "set": name,
    }


def join_datasets(named: Sequence[tuple[str, Dataset]]) -> Dataset:
  """Join several sets, of which each may have findings of its own.

  The findings are those of any set. File names that are in more than one set
  get the set's name and a slash before them. Patients of different sets are
  different patients.

  Args:
    named: name and splits of each set; the names differ.

  Returns:
    The splits; `metadata` has the record of each set under `sets`.

  Raises:
    ValueError: findings of two sets differ in case, spaces, _ or -
      alone, or names repeat.
  """
  names = [name for name, _ in named]
  if len(set(names)) != len(names):
    raise ValueError(f"names of sets repeat: {names}")
  findings = _union([dataset.metadata["findings"] for _, dataset in named])
  files = _file_names(named)
  patients: dict[tuple[str, int], int] = {}
  splits: dict[str, Source] = {}
  for split in dict.fromkeys(s for _, d in named for s in d.splits):
    parts, own_files, own_patients = [], [], []
    for name, dataset in named:
      if split not in dataset.splits:
        continue
      places = [findings.index(f) for f in dataset.metadata["findings"]]
      parts.append((name, dataset.splits[split], places))
      for file, patient in files[name][split]:
        own_files.append(file)
        own_patients.append(patients.setdefault((name, patient), len(patients)))
    splits[split] = JoinedSource(
      parts,
      num_findings=len(findings),
      files=own_files,
      patients=own_patients,
    )
  return Dataset(splits, _metadata(named, findings))


def set_names(folders: Sequence[pathlib.Path]) -> list[str]:
  """Return a name for each folder: its own, with its parent's if it repeats.

  Args:
    folders: of the sets.
  """
  names = [folder.resolve().name for folder in folders]
  count = collections.Counter(names)
  return [
    f"{folder.resolve().parent.name}-{name}" if count[name] > 1 else name
    for folder, name in zip(folders, names)
  ]


def _union(lists: Sequence[Sequence[str]]) -> list[str]:
  findings = sorted({name for names in lists for name in names})
  for names in spelt_alike(findings):
    raise ValueError(
      f"findings {names} of the joined sets differ in case, spaces, _ or - "
      "alone; use one spelling"
    )
  return findings


def _file_names(
  named: Sequence[tuple[str, Dataset]],
) -> dict[str, dict[str, list[tuple[bytes, int]]]]:
  """Return set -> split -> unique file name and own patient of each example."""
  found: dict[str, dict[str, list[tuple[bytes, int]]]] = {}
  count: collections.Counter[bytes] = collections.Counter()
  for name, dataset in named:
    found[name] = {}
    for split, source in dataset.splits.items():
      about = (source.annotation(i) for i in range(len(source)))
      pairs = [(bytes(a["file_name"]), int(a["patient_id"])) for a in about]
      count.update(file for file, _ in pairs)
      found[name][split] = pairs
  for name, by_split in found.items():
    for split, pairs in by_split.items():
      by_split[split] = [
        (f"{name}/".encode() + file if count[file] > 1 else file, patient)
        for file, patient in pairs
      ]
  return found


def _metadata(
  named: Sequence[tuple[str, Dataset]], findings: list[str]
) -> dict[str, Any]:
  own = {name: dataset.metadata for name, dataset in named}
  boxed = {f for about in own.values() for f in about["boxed_findings"]}
  hashes = "".join(f"{n} {about['split_hash']}\n" for n, about in own.items())
  first = next(iter(own.values()))
  return {
    "name": " + ".join(own),
    "findings": findings,
    "boxed_findings": [name for name in findings if name in boxed],
    "size": first.get("size"),
    "shape": first.get("shape", "squeeze"),
    "validation": "; ".join(
      f"{n}: {a.get('validation')}" for n, a in own.items()
    ),
    "split_hash": hashlib.sha256(hashes.encode()).hexdigest(),
    "files": {
      f"{name}/{file}": about_file
      for name, about in own.items()
      for file, about_file in (about.get("files") or {}).items()
    },
    "counts": {
      split: _counts(own, split, findings)
      for split in ("train", "validation", "test")
    },
    "sets": own,
  }


def _counts(
  own: dict[str, dict[str, Any]], split: str, findings: list[str]
) -> dict[str, Any]:
  """Add up what the sets count of a split."""
  total: dict[str, Any] = {"found": 0, "patients": 0, "boxes": 0}
  positives, unknown = dict.fromkeys(findings, 0), dict.fromkeys(findings, 0)
  for about in own.values():
    counts = about["counts"].get(split, {})
    for name in total:
      value = counts.get(name, 0)
      total[name] += sum(value.values()) if isinstance(value, dict) else value
    for finding in findings:
      positives[finding] += counts.get("positives", {}).get(finding, 0)
      if finding in about["findings"]:
        unknown[finding] += counts.get("unknown", {}).get(finding, 0)
      else:
        unknown[finding] += counts.get("found", 0)
  return total | {"positives": positives, "unknown": unknown}
