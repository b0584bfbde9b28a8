import numpy as np

from chexjax.evaluation import Detections, LocalizationTable, make_images
from chexjax.evaluation.protocols.chosen_boxes import judged_detections

FINDINGS = ("Mass", "Nodule")


def test_labelled_pairs_without_a_box_do_not_count():
  box = np.array([[0.0, 0, 10, 10]])
  table = LocalizationTable(
    np.array(["a.png"]), np.array(["a"]), np.array(["Mass"]), box,
    (100, 100), np.zeros(0), {}, {}, {}, {},
  )  # fmt: skip
  labels = np.array([[1, 1], [0, 1]])
  images = make_images(
    ["a.png", "b.png"], ["a", "b"], labels, labels * 0.5, FINDINGS
  )
  guess = Detections(
    np.array(["a.png", "a.png", "b.png"]),
    np.array(["Mass", "Nodule", "Nodule"]),
    np.repeat(box, 3, 0),
    np.ones(3),
  )
  kept = judged_detections(guess, table, images)
  assert kept.finding.tolist() == ["Mass"]  # b.png has no box at all
  unlabelled = images._replace(labels=np.zeros((2, 2), bool))
  kept = judged_detections(guess, table, unlabelled)
  assert kept.finding.tolist() == ["Mass", "Nodule"]
