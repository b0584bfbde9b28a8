"""The leak check: does a trivial statistic of a film predict a label?

A classifier takes whatever tells a label. If the sick have films from another
machine, at another size, or with a burnt-in mark, sharpness, size or a corner
tells it. What is found is no proof of a leak: an effusion whitens a film, and
who is too ill to stand is filmed from the front. It says what to look at, and
what an AUC has to be compared with.
"""

import dataclasses
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from chexjax import io, messages
from chexjax.data.film_statistics import (
  STATISTICS,
  file_statistics,
  film_statistics,
)
from chexjax.data.sources import Dataset, Source, patient_facts
from chexjax.progress import Progress

NAME = "leaks.json"
FLAGGED = 0.6  # AUC from which on a statistic is reported
# Medicine explains none of these: they are reported however little they tell.
# A group of a twelfth of the films cannot have an AUC far from 0.5.
OF_FILES = ("size", "ending")
ENOUGH = 10  # patients with, and without, the finding
ANY = "any finding"
_MOST = 2000  # films of a split that are measured
_DRAWS = 500


@dataclasses.dataclass(frozen=True)
class Leak:
  """A statistic that predicts a label.

  Attributes:
    statistic: its name.
    label: a finding, `any finding`, or `the test split`.
    auc: in 0.5..1.
    interval: the middle 95 % over draws of patients.
    higher: whether films with the label have the higher values.
    positives: films with the label.
    films: all films compared.
  """

  statistic: str
  label: str
  auc: float
  interval: tuple[float, float]
  higher: bool
  positives: int
  films: int

  def __str__(self) -> str:
    """Return the leak as a sentence's start."""
    low, high = self.interval
    return (
      f"{self.statistic} predicts {self.label} with AUC {self.auc:.2f} "
      f"({low:.2f} to {high:.2f}; {'higher' if self.higher else 'lower'} with "
      f"it; {self.positives} of {self.films} films)"
    )


class Measured(NamedTuple):
  """Some films of a split, measured.

  Attributes:
    statistics: name -> `[N]` float, NaN where not known.
    labels: `[N, K]`, 0, 1 or NaN.
    patients: `[N]` numbers.
  """

  statistics: dict[str, np.ndarray]
  labels: np.ndarray
  patients: np.ndarray


def check(
  dataset: Dataset, *, folders: Sequence[pathlib.Path] = ()
) -> list[Leak]:
  """Look for statistics that predict a label of the validation films.

  Args:
    dataset: with a split `validation`, else the training films are taken.
    folders: that hold the image files, for their sizes; may be empty.

  Returns:
    Those with an AUC above 0.6 (of `OF_FILES`, any), beyond chance (to an error
    of 0.05 over all pairs of a statistic and a label), of labels with at least
    10 patients on either side; the highest first.
  """
  split = "validation" if "validation" in dataset.splits else "train"
  films = measure(dataset.splits[split], folders=folders)
  names = list(dataset.metadata["findings"])
  columns = dict(zip(names, films.labels.T))
  known = ~np.isnan(films.labels)
  sick = (films.labels == 1).any(1).astype(float)
  # Whoever has no known finding, but unknown ones, may be either.
  sick[(sick == 0) & ~known.all(1)] = np.nan
  columns[ANY] = sick
  return _found(films, columns)


def shift(
  dataset: Dataset, *, folders: Sequence[pathlib.Path] = ()
) -> dict[str, tuple[float, float, float]]:
  """Compare the test films with the training films.

  Args:
    dataset: with the splits `train` and `test`.
    folders: see `check`.

  Returns:
    Statistic -> its mean over training films, over test films, and the AUC at
    which it tells test from training films (0.5: not at all).
  """
  train = measure(dataset.splits["train"], folders=folders)
  test = measure(dataset.splits["test"], folders=folders)
  result = {}
  for name in train.statistics.keys() & test.statistics.keys():
    here, there = train.statistics[name], test.statistics[name]
    values = np.concatenate([here, there])
    is_test = np.arange(len(values)) >= len(here)
    known = ~np.isnan(values)
    if known[is_test].any() and known[~is_test].any():
      weights = np.ones((1, int(known.sum())))
      auc = _aucs(values[known], is_test[known], weights)[0]
      result[name] = (float(np.nanmean(here)), float(np.nanmean(there)), auc)
  return dict(sorted(result.items(), key=lambda pair: -abs(pair[1][2] - 0.5)))


def measure(
  source: Source, *, folders: Sequence[pathlib.Path] = ()
) -> Measured:
  """Measure the films of a split, 2,000 at most, drawn evenly.

  Args:
    source: the split.
    folders: see `check`.

  Returns:
    Their statistics: those of `film_statistics`, `view` (AP 1, PA 0), `sex`
    (M 1, F 0), `age`, and of the files `size` (pixels) and `ending` (1 for
    another one than most have). What is the same for all films is left out.
  """
  rows = np.arange(len(source))
  if len(rows) > _MOST:
    rows = np.random.default_rng(0).choice(rows, _MOST, replace=False)
  table: dict[str, list[float]] = {}
  labels, patients, files = [], [], []
  with Progress("leak check, films", total=len(rows)) as progress:
    for row in rows:
      example = source[int(row)]
      known = film_statistics(example["image"]) | _facts(example)
      for name in (*STATISTICS, "view", "sex", "age"):
        table.setdefault(name, []).append(known.get(name, np.nan))
      labels.append(np.asarray(example["labels"], float))
      patients.append(int(example["patient_id"]))
      files.append(example["file_name"].decode())
      progress.add()
  columns = {k: np.array(v) for k, v in table.items()}
  columns |= file_statistics(files, folders)
  columns = {
    name: values
    for name, values in columns.items()
    if len(np.unique(values[~np.isnan(values)])) > 1
  }
  return Measured(columns, np.stack(labels), np.array(patients))


def report(leaks: Sequence[Leak]) -> list[str]:
  """Return what was found, as lines for a person."""
  if not leaks:
    return [
      f"leak check: no trivial statistic predicts a label above {FLAGGED}"
    ]
  return [
    f"leak check: {len(leaks)} times a trivial statistic predicts a label; see "
    "whether medicine or the making of the films explains it",
    *(f"  {leak}" for leak in leaks),
    *(
      ["  films of several sizes: train at the smallest, or sharpness tells"]
      if any(leak.statistic == "size" for leak in leaks)
      else []
    ),
  ]


def warn(
  dataset: Dataset, folders: Sequence[pathlib.Path], workdir: pathlib.Path
) -> None:
  """Check a run's films, tell what was found, and write `leaks.json`.

  Nothing is measured again where the workdir has the file already.

  Args:
    dataset: of the run.
    folders: see `check`.
    workdir: folder of the run.
  """
  path = workdir / NAME
  if path.is_file():
    return
  leaks = check(dataset, folders=folders)
  first, *rest = report(leaks)
  rows = [dataclasses.asdict(leak) for leak in leaks]
  io.write_json(path, {"lines": [first, *rest], "leaks": rows})
  say = messages.warn if leaks else messages.tell
  shown = rest[:5]
  more = f"\n  and {len(rest) - 5} more in {path}" if len(rest) > 5 else ""
  say("\n".join([first, *shown]) + more)


def _facts(example: Mapping[str, Any]) -> dict[str, float]:
  """Return view, sex and age as numbers, those that are known."""
  facts = patient_facts(dict(example))
  codes: dict[str, dict[Any, float]] = {
    "view": {"AP": 1.0, "PA": 0.0}, "sex": {"M": 1.0, "F": 0.0},
  }  # fmt: skip
  found = {
    name: of[facts[name]] for name, of in codes.items() if facts.get(name) in of
  }
  if isinstance(facts.get("age"), int) and 0 <= facts["age"] <= 120:
    found["age"] = float(facts["age"])
  return found


def _found(films: Measured, columns: Mapping[str, np.ndarray]) -> list[Leak]:
  numbers = np.unique(films.patients, return_inverse=True)[1]
  draws = np.random.default_rng(0).multinomial(
    numbers.max() + 1, np.full(numbers.max() + 1, 1 / (numbers.max() + 1)),
    size=_DRAWS,
  )  # fmt: skip
  found = []
  # Of so many comparisons some are high by chance: Bonferroni's correction.
  pairs = len(columns) * len(films.statistics)
  least = statistics.NormalDist().inv_cdf(1 - 0.025 / pairs)
  for label, column in columns.items():
    for name, values in films.statistics.items():
      rows = ~np.isnan(values) & ~np.isnan(column)
      positive = column[rows] > 0
      who = numbers[rows]
      if min(len(set(who[positive])), len(set(who[~positive]))) < ENOUGH:
        continue
      auc = _aucs(values[rows], positive, np.ones((1, len(who))))[0]
      if max(auc, 1 - auc) <= (0.5 if name in OF_FILES else FLAGGED):
        continue
      higher = bool(auc > 0.5)
      auc = float(max(auc, 1 - auc))
      signed = values[rows] if higher else -values[rows]
      drawn = _aucs(signed, positive, draws[:, who].astype(float))
      if auc - 0.5 <= least * np.nanstd(drawn):
        continue
      low, high = map(float, np.nanpercentile(drawn, [2.5, 97.5]))
      count = int(positive.sum())
      found.append(Leak(name, label, auc, (low, high), higher, count, len(who)))
  return sorted(found, key=lambda leak: -leak.auc)


def _aucs(
  values: np.ndarray, positive: np.ndarray, weights: np.ndarray
) -> np.ndarray:
  """Return the AUC under each row of weights; ties count half.

  Args:
    values: `[N]`.
    positive: `[N]` bool.
    weights: `[B, N]`, how often each film was drawn.
  """
  order = np.argsort(values, kind="stable")
  ordered = values[order]
  weights, positive = weights[:, order], positive[order]
  below = np.zeros((len(weights), len(values) + 1))
  np.cumsum(weights * ~positive, 1, out=below[:, 1:])
  # A film beats the negatives below its value, and half of those at it.
  first = np.searchsorted(ordered, ordered, "left")
  last = np.searchsorted(ordered, ordered, "right")
  beaten = (below[:, first] + below[:, last]) / 2
  ones = weights * positive
  with np.errstate(invalid="ignore", divide="ignore"):
    result: np.ndarray = (ones * beaten).sum(1) / (ones.sum(1) * below[:, -1])
  return result
