"""What the numbers of films foretell, told before a training."""

import dataclasses
import types

import numpy as np
import pytest

from chexjax.data.sources import Dataset
from chexjax.training import announcement
from experiments.configs import CONFIGS

NAMES = ("Cat", "Dog")


class Films:
  """Films of one patient each, but for those of `Dog`, all of one patient."""

  def __init__(self, cats, dogs, *, boxed=False):
    kinds = [(1, 0)] * cats + [(0, 1)] * dogs + [(0, np.nan)]
    self._rows = [
      {
        "labels": np.array(labels, np.float32),
        "patient_id": -1 if labels[1] == 1 else i,
        "objects": {"bbox": [], "label": [0] if boxed else []},
      }
      for i, labels in enumerate(kinds)
    ]

  def __len__(self):
    return len(self._rows)

  def annotation(self, index):
    return self._rows[index]


def told(test, *, boxes_known=False, stage=3):
  films = {"train": Films(60, 60), "validation": Films(9, 9), "test": test}
  config = dataclasses.replace(CONFIGS["phantom"], stage=stage)
  dataset = Dataset(films, {"findings": NAMES})
  return announcement.notes(config, dataset, boxes_known=boxes_known)


def test_few_test_patients_are_told_before_the_training():
  assert told(Films(9, 40)) == [
    "no finding has 10 test patients: figures of single findings alone, no "
    "means"
  ]
  assert told(Films(10, 40)) == [
    "1 of 2 findings have fewer than 10 test patients: they are in no mean"
  ]


@pytest.mark.parametrize("boxed", [False, True])
def test_an_unwatched_iou_is_told_of_a_set_that_has_boxes(boxed):
  said = " ".join(told(Films(10, 1, boxed=boxed)))
  assert ("no validation image has a box" in said) == boxed


def test_an_evaluation_says_nothing_of_a_training(caplog):
  dataset = Dataset({"test": Films(3, 4)}, {"findings": NAMES})
  with caplog.at_level("INFO", "chexjax"):
    announcement.announce(
      CONFIGS["phantom"], types.SimpleNamespace(num_classes=2), dataset,
      steps={1: 20}, boxes_known=False, weights="", scoring=True,
    )  # fmt: skip
  assert caplog.messages == [
    "scoring only, nothing is trained: 8 test images; findings: 2; the model "
    "of stage 3"
  ]
