"""The worst false alarms and misses: what a reader should look at first.

A finding is called where its score reaches the finding's cut, the median of
the thresholds that were chosen on other patients. It is the cut that `predict`
takes along with a run.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.collected.scored_images import ScoredImages

FALSE_ALARM, MISS = "false alarm", "miss"
PER_FINDING = 8  # of each kind


class WrongCall(NamedTuple):
  """A pair of image and finding that is called wrongly.

  Attributes:
    image: its name.
    finding: its name.
    kind: `FALSE_ALARM` or `MISS`.
    score: of the finding.
  """

  image: str
  finding: str
  kind: str
  score: float


class CallCounts(NamedTuple):
  """How often a finding is called rightly at its cut.

  Attributes:
    cut: score from which on it is called.
    found: positives that are called.
    positives: images that have the finding.
    passed: negatives that are not called.
    negatives: images that do not have it.
  """

  cut: float
  found: int
  positives: int
  passed: int
  negatives: int


def score_cuts(thresholds: Mapping[str, Sequence[float]]) -> dict[str, float]:
  """Return the one score from which on each finding is called.

  Args:
    thresholds: finding -> those in use, of `Decisions`.

  Returns:
    Finding -> the upper median; a finding without any is left out.
  """
  return {
    name: sorted(values)[len(values) // 2]
    for name, values in thresholds.items()
    if values
  }


def call_counts(
  images: ScoredImages, cuts: Mapping[str, float]
) -> dict[str, CallCounts]:
  """Count right calls; images whose label is unknown do not count.

  Args:
    images: labels and scores.
    cuts: of `score_cuts`.

  Returns:
    Finding -> its counts, in the order of `images.names`.
  """
  result = {}
  for k, name in enumerate(images.names):
    if name not in cuts:
      continue
    called = images.scores[:, k] >= cuts[name]
    positive = images.labels[:, k] & ~images.unknown[:, k]
    negative = ~images.labels[:, k] & ~images.unknown[:, k]
    result[name] = CallCounts(
      cuts[name],
      int((called & positive).sum()),
      int(positive.sum()),
      int((~called & negative).sum()),
      int(negative.sum()),
    )
  return result


def worst_calls(
  images: ScoredImages,
  cuts: Mapping[str, float],
  *,
  per_finding: int = PER_FINDING,
  without: Collection[tuple[str, str]] = (),
) -> list[WrongCall]:
  """Return the wrong calls that are furthest from the cut.

  Args:
    images: labels and scores.
    cuts: of `score_cuts`.
    per_finding: at most so many of each kind.
    without: pairs of image and finding that are left out, such as those with a
      true box, which are looked at anyway.

  Returns:
    By finding: false alarms from the highest score, then misses from the
    lowest; of equal scores the first image comes first.
  """
  result = []
  for k, name in enumerate(images.names):
    if name not in cuts:
      continue
    score, known = images.scores[:, k], ~images.unknown[:, k]
    called = score >= cuts[name]
    for kind, wrong, key in (
      (FALSE_ALARM, known & called & ~images.labels[:, k], -score),
      (MISS, known & ~called & images.labels[:, k], score),
    ):
      rows = np.flatnonzero(wrong)
      rows = rows[np.argsort(key[rows], kind="stable")]
      pairs = ((str(images.image[row]), row) for row in rows)
      kept = [pair for pair in pairs if (pair[0], name) not in without]
      result += [
        WrongCall(image, name, kind, float(score[row]))
        for image, row in kept[:per_finding]
      ]
  return result
