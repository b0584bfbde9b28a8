import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from chexjax import evaluation
from chexjax.evaluation.protocols import bootstrap, patient_counts, subgroups

FINDINGS = ("Mass", "Nodule")
FRAME = (64, 64)


def test_subgroups_are_the_figures_of_their_part(parts):
  images, table = parts
  measures = evaluation.measure_table(table, FINDINGS)
  draws = bootstrap.draw_patients(images.patient, draws=30)
  found = evaluation.classify(images.labels, images.scores, FINDINGS)
  patients = patient_counts.count_patients(found, table, FINDINGS, images)
  tree = subgroups.subgroup_tree(
    images, table, measures, draws, patients=patients
  )
  group = tree["view"]["AP"]
  rows = images.view == "AP"
  want = roc_auc_score(images.labels[rows, 0], images.scores[rows, 0])
  assert group["auc"]["Mass"] == pytest.approx(want, abs=1e-12)
  assert group["images"] == 12
  assert group["boxes"] == {"Mass": 6, "Nodule": 6}
  iou = measures["mix"]["crossfit"]["Mass"].iou.mean(0)[:6]
  got = group["localization"]["mix"]["crossfit"]["iou"]["Mass"]
  assert got == pytest.approx(iou.mean())
  # 414 years is an error of the list, not an age.
  assert tree["age"]["unknown"]["images"] == 1
  assert tree["age"]["0-17"]["auc"]["mean"] is None
  reasons = {
    (u["finding"], u["where"]) for u in tree["age"]["0-17"]["undefined"]
  }
  assert ("Mass", "auc") in reasons
  assert ("Mass", "localization") in reasons
  sizes = subgroups.box_groups(table.regions(), FRAME)
  assert sizes["large"].all()  # 28 x 24 of 64 x 64 is 16 %
  assert np.sum(list(sizes.values())) == len(table.image)
