import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from chexjax.evaluation import classify
from chexjax.evaluation.measures.classification import mean_defined


def literal_auc(truth, score):
  """Share of pairs in the right order; a tie is half a pair."""
  gap = score[truth == 1][:, None] - score[truth == 0][None]
  return ((gap > 0) + 0.5 * (gap == 0)).mean()


@pytest.mark.parametrize("digits", [1, 8])  # 1: many ties
def test_auc_is_sklearns_and_the_share_of_ordered_pairs(digits):
  rng = np.random.default_rng(0)
  labels = (rng.random((300, 5)) < 0.3).astype(float)
  scores = (labels + rng.normal(size=labels.shape)).round(digits)
  auc = classify(labels, scores, list("abcde")).auc
  for k, name in enumerate("abcde"):
    # Equal to summation order.
    assert abs(auc[name] - literal_auc(labels[:, k], scores[:, k])) < 1e-12
    assert abs(auc[name] - roc_auc_score(labels[:, k], scores[:, k])) < 1e-12


def test_a_finding_of_one_kind_only_is_none_with_a_reason():
  labels = np.array([[0, 1, 1], [0, 1, 0]])
  result = classify(labels, np.zeros((2, 3)), ["none", "all", "both"])
  assert result.auc == {"none": None, "all": None, "both": 0.5}
  assert result.undefined == {
    "none": "no positive among 2 images",
    "all": "no negative among 2 images",
  }
  assert result.positives == {"none": 0, "all": 2, "both": 1}
  assert mean_defined(result.auc.values()) == (0.5, 1)
  assert mean_defined([None]) == (None, 0)


def test_perfect_inverted_and_constant_scores():
  labels = np.array([[0], [0], [1], [1]])
  for scores, auc in (([1, 2, 3, 4], 1.0), ([4, 3, 2, 1], 0.0), ([7] * 4, 0.5)):
    result = classify(labels, np.array(scores)[:, None], ["a"])
    assert result.auc["a"] == auc


@pytest.mark.parametrize(
  ("labels", "scores", "names", "match"),
  [
    ([[0], [1]], [[0.1], [np.nan]], ["Mass"], "Mass"),
    ([[0], [2]], [[0.1], [0.2]], ["a"], "0 or 1"),
    ([[0, 1]], [[0.1]], ["a", "b"], r"\(1, 1\)"),
    ([[0, 1]], [[0.1, 0.2]], ["a", "a"], "repeat"),
  ],
)
def test_what_cannot_be_scored_is_an_error(labels, scores, names, match):
  with pytest.raises(ValueError, match=match):
    classify(np.array(labels), np.array(scores), names)
