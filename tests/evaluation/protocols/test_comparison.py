import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.protocols import bootstrap, comparison

FINDINGS = ("Mass", "Nodule")


def test_paired_intervals(parts, scene):
  images, table = parts
  a = ScoredModel(images, table, "largest")
  same = evaluation.measure_table(table, FINDINGS)
  tree = comparison.compare(a, a, same, same, draws=50)
  none = tree["localization"]["mix"]["crossfit"]["iou"]["mean"]
  assert none["difference"] == 0
  assert none["interval"] == [0, 0]
  assert tree["auc"]["mean"]["interval"] == [0, 0]
  other_images, other_table = scene(seed=5)
  b = ScoredModel(other_images, other_table, "largest")
  other = evaluation.measure_table(other_table, FINDINGS)
  tree = comparison.compare(a, b, same, other, draws=200)
  found = tree["localization"]["mix"]["oracle"]["iou"]["Mass"]
  means = [m["mix"]["oracle"]["Mass"].means()[("iou",)] for m in (same, other)]
  assert found["difference"] == pytest.approx(means[1] - means[0])
  draws = bootstrap.draw_patients(images.patient, draws=200)
  rows = table.finding == "Mass"
  gap = other["mix"]["oracle"]["Mass"].iou - same["mix"]["oracle"]["Mass"].iou
  samples = bootstrap.mean_draws(gap[0], draws.weights(table.patient[rows]))
  # Paired: the interval of the rows' own differences.
  np.testing.assert_allclose(found["interval"], bootstrap.interval(samples))
  less = images._replace(labels=~images.labels)
  with pytest.raises(ValueError, match="labels: 60 differ"):
    comparison.compare(a, ScoredModel(less, table, "largest"), same, same)


def test_a_run_names_films_by_files_a_submission_may_not(parts):
  """`7.png` of one side is `7` of the other."""
  images, table = parts
  bare = ScoredModel(
    images._replace(image=np.array([n[:-4] for n in images.image])),
    table._replace(image=np.array([n[:-4] for n in table.image])),
    "largest",
  )
  measures = evaluation.measure_table(table, FINDINGS)
  for a, b in ((bare, parts), (parts, bare)):
    pair = [m if m is bare else ScoredModel(*m, "largest") for m in (a, b)]
    comparison.check_same(*pair)
    tree = comparison.compare(*pair, measures, measures, draws=5)
    assert tree["auc"]["mean"]["difference"] == 0


def test_findings_without_any_label_are_not_compared(parts):
  images, table = parts
  more = evaluation.make_images(
    images.image, images.patient,
    np.column_stack([images.labels, np.full(len(images.image), np.nan)]),
    np.column_stack([images.scores, images.scores[:, 0]]),
    (*FINDINGS, "Hernia"),
  )  # fmt: skip
  a, b = (ScoredModel(of, table, "largest") for of in (more, images))
  measures = evaluation.measure_table(table, FINDINGS)
  tree = comparison.compare(a, b, measures, measures, draws=5)
  assert tree["auc"]["Mass"]["difference"] == 0
  assert tree["auc"]["Hernia"]["difference"] is None
