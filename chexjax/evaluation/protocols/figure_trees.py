"""Figures as nested dicts, as `results.json` holds them.

The leaves of a tree are figures by finding, with their plain average under
`mean`; a tree of intervals has the same places. A finding with few patients is
not in the mean, see `patient_counts`.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypedDict, TypeVar

import numpy as np

from chexjax.evaluation.measures.classification import mean_defined
from chexjax.evaluation.protocols.bootstrap import Interval, interval, nan_mean
from chexjax.evaluation.protocols.significance import bootstrap_p, holm

# Finding, and often `mean` -> figure; None where undefined.
Figures = dict[str, float | None]
# Finding, and often `mean` -> `[low, high]`; None where undefined.
Intervals = dict[str, Interval]
# Finding, and often `mean` -> `[B]` samples; None where undefined.
Samples = dict[str, np.ndarray | None]
# Nested dicts by name, protocol, measure, ... down to one of the above.
Tree = dict[str, Any]
# The findings that a mean is over; None: all.
Counted = Collection[str] | None
_Value = TypeVar("_Value")


class Difference(TypedDict):
  """Two sides of one figure, and b minus a in the same draws.

  `p` is the two-sided p-value of the draws, `apart` whether the difference is
  beyond chance once the number of findings is corrected for.
  """

  a: float | None
  b: float | None
  difference: float | None
  interval: Interval
  p: float | None
  apart: bool | None


def _counting(
  of: Mapping[str, _Value | None], counted: Counted
) -> list[_Value]:
  """Return what enters a mean: of counted findings, where it is not None."""
  return [
    value
    for name, value in of.items()
    if value is not None and (counted is None or name in counted)
  ]


def with_mean(
  values: Mapping[str, float | None], *, counted: Counted = None
) -> Figures:
  """Add `mean`, the plain average over the findings that are not None.

  Args:
    values: finding -> figure or None.
    counted: the findings that the mean is over; None for all.

  Returns:
    The same with `mean`, None where it is over nothing.
  """
  return {**values, "mean": mean_defined(_counting(values, counted))[0]}


def with_mean_samples(
  samples: Mapping[str, np.ndarray | None], *, counted: Counted = None
) -> Samples:
  """Add `mean`, the average in every draw over the findings not None.

  Args:
    samples: finding -> `[B]` samples or None.
    counted: the findings that the mean is over; None for all.

  Returns:
    The same with `mean`, None where it is over nothing.
  """
  some = _counting(samples, counted)
  return {**samples, "mean": nan_mean(np.stack(some, 1)) if some else None}


def set_at(tree: Tree, path: Sequence[str], value: Any) -> None:
  """Set `tree[a][b]... = value`; dicts that are missing on the way are made.

  Args:
    tree: is changed.
    path: the keys, outermost first.
    value: of the last key.
  """
  for key in path[:-1]:
    tree = tree.setdefault(key, {})
  tree[path[-1]] = value


def intervals_of(
  samples: Mapping[str, np.ndarray | None], *, counted: Counted = None
) -> Intervals:
  """Compute the interval of every finding and of their mean.

  Args:
    samples: finding -> `[B]` samples or None, without the mean.
    counted: the findings that the mean is over; None for all.

  Returns:
    Finding or `mean` -> `[low, high]` or None.
  """
  return {
    finding: None if s is None else interval(s)
    for finding, s in with_mean_samples(samples, counted=counted).items()
  }


def differences(
  a: Figures,
  b: Figures,
  samples_a: Mapping[str, np.ndarray | None],
  samples_b: Mapping[str, np.ndarray | None],
  *,
  counted: Counted = None,
) -> dict[str, Difference]:
  """Compare two sides in the same draws: b minus a.

  Args:
    a: finding or `mean` -> figure or None.
    b: the same of the other side; findings that it lacks are undefined.
    samples_a: finding -> `[B]` samples or None, without the mean.
    samples_b: the same of the other side.
    counted: the findings that the mean is over; None for all.

  Returns:
    Finding or `mean` -> the `Difference`.
  """
  ours, theirs = (
    with_mean_samples(samples, counted=counted)
    for samples in (samples_a, samples_b)
  )
  found = {
    name: _difference(a[name], b.get(name), ours[name], theirs.get(name))
    for name in a
  }
  mark_apart(found, counted=counted)
  return found


def mark_apart(
  found: Mapping[str, Difference], *, counted: Counted = None
) -> None:
  """Set `apart` of all differences of one figure; Holm over the findings.

  The findings are one family of comparisons. The mean is one comparison by
  itself and needs no correction.

  Args:
    found: finding or `mean` -> difference with its `p`; is changed.
    counted: the findings that the mean is over; None for all. The others are
      not compared, because draws of a few patients say nothing of others.
  """
  family = {
    n: d["p"]
    for n, d in found.items()
    if n != "mean" and (counted is None or n in counted)
  }
  for name, apart in holm(family).items():
    found[name]["apart"] = apart
  if "mean" in found:
    (found["mean"]["apart"],) = holm({"mean": found["mean"]["p"]}).values()


def _difference(
  a: float | None,
  b: float | None,
  samples_a: np.ndarray | None,
  samples_b: np.ndarray | None,
) -> Difference:
  if a is None or b is None or samples_a is None or samples_b is None:
    return {
      "a": a,
      "b": b,
      "difference": None,
      "interval": None,
      "p": None,
      "apart": None,
    }
  return {
    "a": a,
    "b": b,
    "difference": b - a,
    "interval": interval(samples_b - samples_a),
    "p": bootstrap_p(samples_b - samples_a),
    "apart": None,
  }
