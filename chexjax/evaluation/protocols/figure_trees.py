"""Figures as nested dicts, as `results.json` holds them.

The leaves of a tree are figures by finding, with their plain average under
`mean`; a tree of intervals has the same places.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import numpy as np

from chexjax.evaluation.measures.classification import mean_defined
from chexjax.evaluation.protocols.bootstrap import Interval, interval, nan_mean

# Finding, and often `mean` -> figure; None where undefined.
Figures = dict[str, float | None]
# Finding, and often `mean` -> `[low, high]`; None where undefined.
Intervals = dict[str, Interval]
# Finding, and often `mean` -> `[B]` samples; None where undefined.
Samples = dict[str, np.ndarray | None]
# Nested dicts by name, protocol, measure, ... down to one of the above.
Tree = dict[str, Any]


class Difference(TypedDict):
  """Two sides of one figure, and b minus a in the same draws."""

  a: float | None
  b: float | None
  difference: float | None
  interval: Interval


def with_mean(values: Mapping[str, float | None]) -> Figures:
  """Add `mean`, the plain average over the findings that are not None.

  Args:
    values: finding -> figure or None.

  Returns:
    The same with `mean`, None where all are.
  """
  return {**values, "mean": mean_defined(values.values())[0]}


def with_mean_samples(samples: Mapping[str, np.ndarray | None]) -> Samples:
  """Add `mean`, the average in every draw over the findings not None.

  Args:
    samples: finding -> `[B]` samples or None.

  Returns:
    The same with `mean`, None where all are.
  """
  some = [s for s in samples.values() if s is not None]
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


def intervals_of(samples: Mapping[str, np.ndarray | None]) -> Intervals:
  """Compute the interval of every finding and of their mean.

  Args:
    samples: finding -> `[B]` samples or None, without the mean.

  Returns:
    Finding or `mean` -> `[low, high]` or None.
  """
  return {
    finding: None if s is None else interval(s)
    for finding, s in with_mean_samples(samples).items()
  }


def differences(
  a: Figures,
  b: Figures,
  samples_a: Mapping[str, np.ndarray | None],
  samples_b: Mapping[str, np.ndarray | None],
) -> dict[str, Difference]:
  """Compare two sides in the same draws: b minus a.

  Args:
    a: finding or `mean` -> figure or None.
    b: the same of the other side; findings that it lacks are undefined.
    samples_a: finding -> `[B]` samples or None, without the mean.
    samples_b: the same of the other side.

  Returns:
    Finding or `mean` -> the `Difference`.
  """
  ours, theirs = with_mean_samples(samples_a), with_mean_samples(samples_b)
  return {
    name: _difference(a[name], b.get(name), ours[name], theirs.get(name))
    for name in a
  }


def _difference(
  a: float | None,
  b: float | None,
  samples_a: np.ndarray | None,
  samples_b: np.ndarray | None,
) -> Difference:
  if a is None or b is None or samples_a is None or samples_b is None:
    return {"a": a, "b": b, "difference": None, "interval": None}
  return {
    "a": a,
    "b": b,
    "difference": b - a,
    "interval": interval(samples_b - samples_a),
  }
