"""Pairs of image and finding with several true boxes, from end to end."""

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.outputs import evaluation_npz

FINDINGS = ("Mass", "Nodule")
LEFT, RIGHT = [4.0, 4, 20, 20], [40.0, 40, 56, 56]
NUM = 24


def made(boxes_of):
  """Films of as many patients, all with a Mass at `boxes_of(i)`."""
  names = [f"{i}.png" for i in range(NUM)]
  return evaluation.Truth(
    images=names,
    patients=range(NUM),
    findings=FINDINGS,
    labels=np.array([[1, i % 2] for i in range(NUM)]),
    boxes={name: {"Mass": boxes_of(i)} for i, name in enumerate(names)},
    frame=(64, 64),
  )


def scored(truth, given, **options):
  scores = np.random.default_rng(0).random((NUM, 2))
  options = {"draws": 20, "folds": 2} | options
  return evaluation.evaluate(
    scores=scores, truth=truth, maps_or_boxes=given, **options
  )


def detections(box):
  names = np.array([f"{i}.png" for i in range(NUM)])
  return evaluation.Detections(
    names, np.full(NUM, "Mass"), np.array([box] * NUM), np.ones(NUM)
  )


def test_a_pair_is_one_row_and_any_of_its_boxes_counts():
  truth = made(lambda i: np.array([LEFT, RIGHT]))
  found = scored(truth, detections(LEFT))
  tree = found.results["localization"]["box"]["crossfit"]
  assert len(found.table.image) == NUM
  assert found.results["counts"]["boxes"]["Mass"] == 2 * NUM
  assert found.results["counts"]["pairs"]["Mass"] == NUM
  # The union is twice as large as the box that was found.
  assert tree["iou"]["Mass"] == pytest.approx(0.5)
  assert tree["cdice"]["Mass"] == pytest.approx(2 / 3)
  assert tree["iobb"]["Mass"] == 1
  assert tree["pointing"]["Mass"] == 1
  assert tree["t_iou"]["0.7"]["Mass"] == 1
  assert tree["max_box_acc_v2"]["Mass"] == 1
  # COCO counts each box: half of them are found, all predicted ones are right.
  ap = found.results["detection"]["box"]["oracle"]["map"]["0.5"]["Mass"]
  assert ap == pytest.approx(51 / 101)
  n = [line for line in found.markdown().split("\n") if line.startswith("| n")]
  assert f" {NUM} |" in n[0]


def test_both_boxes_found_are_all_that_coco_asks_for():
  truth = made(lambda i: np.array([LEFT, RIGHT]))
  one, two = detections(LEFT), detections(RIGHT)
  both = evaluation.Detections(
    *(np.concatenate(pair) for pair in zip(one, two))
  )
  found = scored(truth, both).results["detection"]["box"]["oracle"]
  assert found["map"]["0.5"]["Mass"] == 1


def test_a_box_twice_is_the_box_once():
  """Two readers who agree change nothing but mAP and RoDeO."""
  heat = np.zeros((NUM, 2, 16, 16))
  heat[:, 0, 1:6, 1:6] = np.random.default_rng(1).random((NUM, 5, 5)) + 1
  one, two = (
    scored(made(lambda i, times=times: np.array([LEFT] * times)), {"mix": heat})
    for times in (1, 2)
  )
  for key in (
    "localization",
    "localization_interval",
    "localization_most_active",
  ):
    a, b = one.results[key], two.results[key]
    assert set(a) == set(b)
    for name in a:
      for protocol in a[name]:
        for measure in ("iou", "iobb", "cdice", "pointing", "max_box_acc_v2"):
          want, got = (t[name][protocol][measure]["Mass"] for t in (a, b))
          assert got == (want if want is None else pytest.approx(want))
        assert a[name][protocol]["t_iou"] == b[name][protocol]["t_iou"]


def test_image_blind_may_answer_with_any_box():
  truth = made(lambda i: np.array([LEFT, RIGHT] if i % 2 else [RIGHT, LEFT]))
  found = scored(truth, None)
  tree = found.results["localization"]["image_blind"]["oracle"]
  assert tree["iou"]["Mass"] == pytest.approx(0.5)
  assert tree["t_iou"]["0.7"]["Mass"] == 1
  sizes = found.results["subgroups"]["box_size"]
  # Together they cover an eighth of the image: large, each alone is medium.
  assert sizes["large"]["boxes"]["Mass"] == 2 * NUM


def test_the_stored_file_keeps_all_boxes_and_old_files_are_read(tmp_path):
  truth = made(lambda i: np.array([LEFT, RIGHT][: 1 + i % 2]))
  found = scored(truth, detections(LEFT))
  path = tmp_path / "evaluation.npz"
  evaluation_npz.save(path, found.images, found.table, component="given")
  back = evaluation_npz.load(path).table
  assert back.box_count().tolist() == [1, 2] * (NUM // 2)
  for p in range(NUM):
    np.testing.assert_array_equal(
      back.regions().of(p), found.table.regions().of(p)
    )
  with np.load(path) as file:
    arrays = {n: file[n] for n in file.files if "more" not in n}
  np.savez(path, **arrays)
  old = evaluation_npz.load(path).table
  assert old.box_count().tolist() == [1] * NUM
  assert old.iou("box", component="given").tolist() == [[1.0]] * NUM
