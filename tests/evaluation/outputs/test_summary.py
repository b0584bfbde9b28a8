"""Small numbers, chance and blind boxes are said in words."""

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.io import write_json

FINDINGS = ("Mass", "Nodule", "Rare")
NUM = 60


def results(*, rare=6, common=48, skill=0.4, given="noise", draws=200, **more):
  """One film a patient; `rare` and `common` films with a box."""
  rng = np.random.default_rng(0)
  labels = np.zeros((NUM, 3), bool)
  labels[:, 0] = np.arange(NUM) < common
  labels[:, 1] = np.arange(NUM) % 5 < 2
  labels[:rare, 2] = True
  names = [f"{i}.png" for i in range(NUM)]
  boxes, maps = {}, rng.random((NUM, 3, 16, 16))
  for i in range(common):
    x, y = rng.integers(0, 8, 2) * 4
    boxes[names[i]] = {"Mass": np.array([x, y, x + 28, y + 24.0])}
    if i < rare:
      boxes[names[i]]["Rare"] = np.array([0, 0, 10, 10.0])
    if given == "good":
      maps[i, 0, y // 4 : y // 4 + 6, x // 4 : x // 4 + 7] += 2
  truth = evaluation.Truth(
    images=names, patients=range(NUM), findings=FINDINGS, labels=labels,
    boxes=boxes, frame=(64, 64),
  )  # fmt: skip
  return evaluation.evaluate(
    scores=np.clip(labels * skill + rng.random((NUM, 3)) * (1 - skill), 0, 1),
    truth=truth, maps_or_boxes={"mix": maps}, draws=draws, **more,
  )  # fmt: skip


def test_a_finding_of_few_patients_is_marked_and_leaves_the_mean(tmp_path):
  found = results()
  tree = found.results
  assert tree["few_patients"] == {
    "least": 10, "auc": {"Rare": 6}, "localization": {"Rare": 6},
  }  # fmt: skip
  auc = tree["auc"]
  assert auc["Rare"] is not None
  assert auc["mean"] == pytest.approx((auc["Mass"] + auc["Nodule"]) / 2)
  assert tree["counts"]["auc_findings"] == 2
  for name in ("mix", "image_blind"):
    for protocol in ("oracle", "crossfit", "predicted"):
      of = tree["localization"][name][protocol]["iou"]
      assert of["Rare"] is not None
      assert of["mean"] == of["Mass"]
      spans = tree["localization_interval"][name][protocol]["iou"]
      assert spans["mean"] == spans["Mass"]
  detection = tree["detection"]["mix"]["crossfit"]["map"]["0.3"]
  assert detection["mean"] == detection["Mass"]
  assert tree["gains"] == {}
  of = tree["over_blind"]["mix"]
  assert of["mean"]["difference"] == of["Mass"]["difference"]
  group = tree["subgroups"]["box_size"]["large"]["localization"]["mix"]
  assert group["crossfit"]["iou"]["mean"] == group["crossfit"]["iou"]["Mass"]
  for text in (found.markdown(), found.latex()):
    assert "Rare (6 patients, not in mean)" in text
    assert "mean over 2" in text
    assert "mean over 1" in text
    assert "Fewer than 10 patients have a positive image of Rare (6)" in text
  write_json(tmp_path / "results.json", tree)


def test_ten_patients_are_enough():
  tree = results(rare=10).results
  assert tree["few_patients"]["auc"] == {}
  assert tree["few_patients"]["localization"] == {}
  assert tree["counts"]["auc_findings"] == 3
  of = tree["localization"]["mix"]["oracle"]["iou"]
  assert of["mean"] == pytest.approx((of["Mass"] + of["Rare"]) / 2)


def test_films_of_one_patient_are_one_patient():
  """Twelve positive films of two patients are two."""
  found = results(rare=12)
  owner = {f"{i}.png": "ab"[i % 2] if i < 12 else str(i) for i in range(NUM)}
  images, table = (
    of._replace(patient=np.array([owner[name] for name in of.image]))
    for of in (found.images, found.table)
  )
  tree = evaluation.assemble(
    images.classification(), table, dataset="x", provenance={},
    findings=("Mass", "Rare"), images=images, draws=10,
  )  # fmt: skip
  assert tree["counts"]["positives"]["Rare"] == 12
  for where in ("auc", "localization"):
    assert tree["few_patients"][where] == {"Rare": 2}


def test_without_ten_patients_of_any_finding_there_is_no_mean():
  found = results(rare=4, common=8)
  tree = found.results
  assert tree["localization"]["mix"]["oracle"]["iou"]["mean"] is None
  assert tree["localization_interval"]["mix"]["oracle"]["iou"]["mean"] is None
  assert tree["counts"]["localization_findings"] == {"oracle": 0, "crossfit": 0}
  said = {(u["where"], u["finding"]): u["reason"] for u in tree["undefined"]}
  assert said["localization", "mean"] == "no finding has 10 patients"
  text = found.markdown()
  assert "There is no mean of the localisation" in text
  assert "mean over 0" in text
  assert tree["over_blind"]["mix"]["beats"] is None


def test_chance_is_called_chance():
  lines = results(skill=0.0).results["summary"]
  assert "not above chance, since the interval reaches 0.5" in lines[0]
  assert results(skill=0.6).results["summary"][0].endswith(": above chance.")
  without = results(skill=0.6, draws=0).results["summary"]
  assert "no interval was drawn" in without[0]


def test_a_map_that_is_no_better_than_a_blind_box_is_named():
  noise, good = (
    [line for line in results(given=kind).results["summary"] if "Mix" in line]
    for kind in ("noise", "good")
  )
  assert len(noise) == 1
  assert "a box that never saw the image" in noise[0]
  assert "not above 0" in noise[0]
  assert not good


def test_the_sentences_stand_at_the_head_of_the_tables():
  found = results()
  head = found.markdown().split("## Table 1")[0]
  for line in found.results["summary"]:
    assert f"- {line}" in head
