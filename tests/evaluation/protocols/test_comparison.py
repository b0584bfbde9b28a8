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
