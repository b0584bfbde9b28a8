"""Which false alarms and misses are shown first."""

import numpy as np

from chexjax import evaluation
from chexjax.evaluation.protocols.wrong_calls import (
  FALSE_ALARM,
  MISS,
  call_counts,
  score_cuts,
  worst_calls,
)

NAN = np.nan
LABELS = [[1, 0], [1, 0], [0, 0], [0, 1], [NAN, 0], [0, 0]]
SCORES = np.array([[9, 1], [2, 6], [8, 1], [5, 4], [9, 1], [1, 7]]) / 10
IMAGES = evaluation.make_images(
  list("abcdef"), range(6), np.array(LABELS), SCORES, ["x", "y"]
)
CUTS = {"x": 0.5, "y": 0.5}


def pairs(calls):
  return [(c.image, c.finding, c.kind) for c in calls]


def test_the_furthest_from_the_cut_come_first():
  calls = worst_calls(IMAGES, CUTS)
  assert pairs(calls) == [
    ("c", "x", FALSE_ALARM),
    ("d", "x", FALSE_ALARM),
    ("b", "x", MISS),
    ("f", "y", FALSE_ALARM),
    ("b", "y", FALSE_ALARM),
    ("d", "y", MISS),
  ]
  assert calls[0].score == 0.8
  assert pairs(worst_calls(IMAGES, CUTS, per_finding=1))[:2] == [
    ("c", "x", FALSE_ALARM),
    ("b", "x", MISS),
  ]


def test_pairs_that_are_shown_anyway_do_not_take_a_place():
  left = worst_calls(IMAGES, CUTS, per_finding=1, without={("c", "x")})
  assert pairs(left)[0] == ("d", "x", FALSE_ALARM)


def test_an_unknown_label_is_no_call():
  found = call_counts(IMAGES, CUTS)
  assert tuple(found["x"]) == (0.5, 1, 2, 1, 3)
  assert tuple(found["y"]) == (0.5, 0, 1, 3, 5)


def test_the_cut_is_the_upper_median_and_may_be_absent():
  assert score_cuts({"x": [0.3, 0.1, 0.2, 0.4], "y": []}) == {"x": 0.3}
  assert not worst_calls(IMAGES, {})
  assert not call_counts(IMAGES, {})
