"""The boxes that a training is watched by, and what is averaged over them."""

import dataclasses

import numpy as np

from chexjax.data import phantom
from chexjax.data.sources import Dataset
from chexjax.training import validation
from experiments.configs import CONFIGS


class Source:
  """Two images of two findings; the second has a box of `Dog`."""

  def __init__(self, boxed=True):
    box = [[0.25, 0.5, 0.5, 1.0]] if boxed else []
    objects = [([], []), (box, [1] * len(box))]
    self._examples = [
      {"file_name": b"a.png" if i == 0 else b"b.png",
       "objects": {"bbox": boxes, "label": labels}}
      for i, (boxes, labels) in enumerate(objects)
    ]  # fmt: skip

  def __len__(self):
    return 2

  def annotation(self, index):
    return self._examples[index]


def boxes_of(source, tmp_path=None):
  config = dataclasses.replace(CONFIGS["phantom"], data_dir=tmp_path)
  dataset = Dataset({"validation": source}, {"findings": ["Cat", "Dog"]})
  return validation.known_boxes(config, dataset)


def test_boxes_of_ones_own_validation_images_are_found(tmp_path):
  found = boxes_of(Source(), tmp_path)
  # ymin .25, xmin .5, ymax .5, xmax 1 of 128 px.
  np.testing.assert_array_equal(found[1, 1], [64, 32, 128, 64])
  assert np.isnan(found[0]).all()
  assert np.isnan(found[1, 0]).all()
  assert boxes_of(Source(boxed=False), tmp_path) is None


def test_the_phantoms_drawn_boxes_are_found(monkeypatch):
  drawn = {"a.png": {"Cat": [1.0, 2.0, 3.0, 4.0]}, "other.png": {}}
  monkeypatch.setattr(phantom, "train_val_boxes", lambda folder: drawn)
  found = boxes_of(Source(boxed=False))
  np.testing.assert_array_equal(found[0, 0], [1, 2, 3, 4])
  assert np.isfinite(found).all(-1).sum() == 1


def test_figures_of_boxes_are_means_over_findings():
  """Two boxes of the first finding, one of the second."""
  boxes = np.full((3, 2, 4), np.nan)
  boxes[0, 0] = boxes[1, 0] = boxes[2, 1] = 1.0
  labels = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
  values = np.array([[0.2, 9], [0.4, 9], [9, 0.9]], np.float32)
  figures = {"iou_picked": values, "score_spread": values}
  found = validation._region_means(figures, labels, boxes)
  assert abs(found["iou_picked"] - (0.3 + 0.9) / 2) < 1e-6
  assert abs(found["score_spread"] - 0.5) < 1e-6
  empty = validation._region_means(figures, labels, boxes * np.nan)
  assert list(empty) == ["score_spread"]
