import csv
import gzip

import numpy as np
import pytest

from chexjax.evaluation.measures.true_regions import regions
from chexjax.evaluation.protocols import baselines, threshold_choice
from chexjax.evaluation.protocols.candidates import (
  Candidates,
  measure_candidates,
  under_choice,
)

RNG = np.random.default_rng(0)
PATHS = [("iou",), *(("t_iou", t) for t in ("0.3", "0.5", "0.6"))]


@pytest.mark.parametrize("seed", range(10))
def test_oracle_is_never_below_crossfit(seed):
  rng = np.random.default_rng(seed)
  iou = rng.random((30, 41))
  both = measure_candidates(
    Candidates(iou, rng.random(30)), rng.integers(0, 12, 30)
  )
  oracle, crossfit = (
    both[p].means()[("iou",)] for p in threshold_choice.PROTOCOLS
  )
  # Any constant choice is below the oracle; so is a mixture on random data.
  assert oracle >= crossfit
  assert oracle == pytest.approx(iou.mean(0).max(), abs=1e-12)


def test_an_obvious_threshold_is_chosen_by_both():
  iou = RNG.random((20, 5)) * 0.5
  iou[:, 3] += 0.5
  patients = np.arange(20) // 2
  assert (threshold_choice.oracle(iou) == 3).all()
  assert (threshold_choice.crossfit(iou, patients) == 3).all()


def test_the_first_of_equals_is_chosen():
  assert threshold_choice.choose(np.ones((4, 6))) == 0


def test_a_patients_own_boxes_do_not_move_its_threshold():
  iou = RNG.random((24, 9))
  patients = np.repeat(np.arange(8), 3)
  before = threshold_choice.crossfit(iou, patients)
  for patient in range(8):
    own = patients == patient
    changed = iou.copy()
    changed[own] = RNG.random((3, 9)) * 100
    after = threshold_choice.crossfit(changed, patients)
    np.testing.assert_array_equal(after[:, own], before[:, own])
  assert (after != before).any()  # but the others' do move


def test_a_medoid_is_never_the_patients_own_box():
  low = RNG.random((15, 2)) * 50
  boxes = np.concatenate([low, low + 30], 1)
  patients = np.repeat(np.arange(5), 3)
  iou = baselines.image_blind(regions(boxes[:, None]), patients).iou
  assert iou.shape == (15, 15)
  chosen = threshold_choice.crossfit(iou, patients, owners=patients)
  assert (patients[chosen] != patients[None]).all()
  # Nor would another own box change it.
  moved = boxes.copy()
  moved[:3] += 7
  again = baselines.image_blind(regions(moved[:, None]), patients).iou
  again = threshold_choice.crossfit(again, patients, owners=patients)
  np.testing.assert_array_equal(again[:, :3], chosen[:, :3])


def test_folds_keep_patients_together_whatever_the_order():
  patients = np.repeat([f"p{i}" for i in range(23)], 4)
  fold = threshold_choice.folds_by_patient(patients, seed=3)
  sizes = np.bincount(fold)
  assert len(sizes) == 5
  assert sizes.min() >= 16  # 4 or 5 patients of 4 rows
  assert all(np.unique(fold[patients == p]).size == 1 for p in set(patients))
  order = RNG.permutation(len(patients))
  shuffled = threshold_choice.folds_by_patient(patients[order], seed=3)
  np.testing.assert_array_equal(shuffled, fold[order])
  other = threshold_choice.folds_by_patient(patients, seed=4)
  assert (other != fold).any()


def test_few_patients():
  iou = RNG.random((3, 4))
  assert threshold_choice.crossfit(iou, [1, 1, 1]) is None
  one = measure_candidates(Candidates(iou, np.ones(3)), [1, 1, 1])["crossfit"]
  means = one.means((0.3, 0.5))
  assert means.pop(("cdice",)) == 1.0  # has no threshold to choose
  assert set(means.values()) == {None}
  assert {("iou",), ("t_iou", "0.3"), ("t_iou", "0.5")} <= set(means)
  two = threshold_choice.crossfit(iou[:2], [1, 2])
  assert two.tolist() == [[iou[1].argmax(), iou[0].argmax()]] * 2
  none = measure_candidates(Candidates(np.zeros((0, 4))), [])["oracle"]
  assert set(none.means().values()) == {None}


def test_means_by_hand():
  chosen = np.array([[0, 1], [1, 1]])
  iou = np.array([[0.2, 0.6], [0.9, 0.4]])
  measures = under_choice(chosen, Candidates(iou, np.array([0.1, 0.3])))
  means = measures.means()
  assert means[("iou",)] == pytest.approx((0.2 + 0.4 + 0.6 + 0.4) / 4)
  assert means[("cdice",)] == pytest.approx(0.2)
  assert means[("t_iou", "0.3")] == 0.75
  assert means[("t_iou", "0.6")] == 0.25  # at least, not above


@pytest.fixture(scope="module")
def real(shared):
  path = shared / "nih" / "metadata" / "BBox_List_2017.csv.gz"
  with gzip.open(path, "rt", encoding="utf-8") as file:
    rows = list(csv.reader(file))[1:]
  box = np.array([[float(v) for v in row[2:6]] for row in rows])
  box[:, 2:] += box[:, :2]
  finding = np.array([row[1] for row in rows])
  return finding, np.array([row[0].split("_")[0] for row in rows]), box


@pytest.mark.shared
def test_image_blind_row_of_the_real_boxes(real):
  finding, patient, box = real
  assert len(box) == 984
  means = {p: [] for p in threshold_choice.PROTOCOLS}
  for name in np.unique(finding):
    rows = finding == name
    given = baselines.image_blind(regions(box[rows, None]), patient[rows])
    both = measure_candidates(given, patient[rows])
    for protocol, measures in both.items():
      means[protocol].append([measures.means()[path] for path in PATHS])
  iou, *t_iou = np.mean(means["oracle"], 0)
  # Published to three digits, the plain mean over findings.
  np.testing.assert_allclose(
    [iou, *t_iou], [0.208, 0.262, 0.165, 0.109], atol=6e-4
  )
  iou, *t_iou = np.mean(means["crossfit"], 0)
  # Folds are dealt by chance: +-.004 (IoU), +-.006 (T) between seeds.
  np.testing.assert_allclose(
    [iou, *t_iou], [0.188, 0.256, 0.147, 0.096], atol=0.015
  )
