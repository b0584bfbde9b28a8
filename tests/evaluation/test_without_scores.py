"""Scores of some findings, or of none."""

import csv
import dataclasses
import io

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.protocols import comparison, decisions
from chexjax.io import write_json

FINDINGS = ("Mass", "Nodule", "Hernia")
NUM, BOXED = 40, 30


@pytest.fixture(scope="module")
def truth():
  rng = np.random.default_rng(0)
  labels = rng.random((NUM, 3)) < 0.4
  low = rng.integers(0, 12, (BOXED, 2))
  boxes = {}
  for i, (x, y) in enumerate(low):
    labels[i, i % 2] = True
    boxes[f"{i}.png"] = {FINDINGS[i % 2]: np.array([x, y, x + 16, y + 12.0])}
  return evaluation.Truth(
    images=[f"{i}.png" for i in range(NUM)], patients=range(NUM),
    findings=FINDINGS, labels=labels, boxes=boxes, frame=(32, 32),
  )  # fmt: skip


@pytest.fixture(scope="module")
def scores():
  return np.random.default_rng(1).random((NUM, 3))


@pytest.fixture(scope="module")
def maps():
  return {"mix": np.random.default_rng(2).random((NUM, 3, 8, 8))}


def scored(truth, scores, given, **options):
  options = {"draws": 30, "folds": 2} | options
  return evaluation.evaluate(
    scores=scores, truth=truth, maps_or_boxes=given, **options
  )


def reasons(tree):
  return {(u["where"], u["finding"]): u["reason"] for u in tree["undefined"]}


def test_all_scores_by_name_are_the_array(truth, scores, maps):
  named = {f: scores[:, k] for k, f in enumerate(FINDINGS)}
  want = scored(truth, scores, maps).results
  assert scored(truth, dict(reversed(named.items())), maps).results == want


def test_a_finding_without_scores_is_null_and_leaves_the_means(
  truth, scores, maps, tmp_path
):
  whole = scored(truth, scores, maps).results
  found = scored(truth, {"Mass": scores[:, 0], "Hernia": scores[:, 2]}, maps)
  tree = found.results
  assert tree["auc"]["Nodule"] is None
  assert tree["auc_interval"]["Nodule"] is None
  assert tree["auc"]["Mass"] == whole["auc"]["Mass"]
  both = (tree["auc"]["Mass"] + tree["auc"]["Hernia"]) / 2
  assert tree["auc"]["mean"] == pytest.approx(both)
  assert tree["counts"]["auc_findings"] == 2
  # The maps need no scores.
  for protocol in ("oracle", "crossfit"):
    ours, theirs = (t["localization"]["mix"][protocol] for t in (tree, whole))
    assert ours == theirs
  assert tree["localization"]["mix"]["predicted"]["iou"]["Nodule"] is None
  mass = tree["localization"]["mix"]["predicted"]["iou"]["Mass"]
  assert mass == whole["localization"]["mix"]["predicted"]["iou"]["Mass"]
  detection = tree["detection"]["mix"]["crossfit"]
  assert detection["map"]["0.3"]["Nodule"] is None
  assert detection["map"]["0.3"]["mean"] == detection["map"]["0.3"]["Mass"]
  assert detection["rodeo"]["total"]["Nodule"] is None
  assert detection["rodeo"]["shape"]["Mass"] is not None
  said = reasons(tree)
  # With one finding left, the correlation of findings has no meaning.
  assert detection["rodeo"]["total"]["Mass"] is None
  assert "none can be taken" in said["detection.*.rodeo.total", "Mass"]
  for where in ("auc", "localization.*.predicted", "detection"):
    assert said[where, "Nodule"] == "no scores"
  text = found.markdown()
  assert "not in its mean: Nodule (no scores)" in text
  assert found.latex()
  write_json(tmp_path / "results.json", tree)
  rows = list(csv.DictReader(io.StringIO(found.csv())))
  (auc,) = [
    r for r in rows if r["measure"] == "auc" and r["finding"] == "Nodule"
  ]
  assert auc["value"] == ""


def test_no_scores_at_all_leave_the_localisation(truth, maps, tmp_path):
  found = scored(truth, None, maps)
  tree = found.results
  assert set(tree["auc"].values()) == {None}
  assert tree["localization"]["mix"]["crossfit"]["iou"]["mean"] is not None
  assert tree["localization"]["mix"]["predicted"]["iou"]["mean"] is None
  for by in tree["detection"].values():
    for of in by.values():
      values = [
        v for kind in of.values() for x in kind.values() for v in x.values()
      ]
      assert set(values) == {None}
  assert "No finding has an AUC: no scores." in tree["summary"]
  assert found.markdown()
  write_json(tmp_path / "results.json", tree)
  # Stored, and compared with another one without scores.
  evaluation_npz.save(tmp_path / "e.npz", found.images, found.table)
  back = evaluation_npz.load(tmp_path / "e.npz")
  assert back.images.unscored() == FINDINGS
  measures = evaluation.measure_table(back.table, ["Mass", "Nodule"])
  apart = comparison.compare(back, back, measures, measures, draws=10)
  assert apart["auc"]["mean"]["difference"] is None


def test_scores_of_what_is_not_there_are_refused(truth, scores):
  with pytest.raises(ValueError, match=r"scores of Masss, which truth"):
    scored(truth, {"Masss": scores[:, 0]}, None)
  with pytest.raises(
    ValueError, match=r"scores of Mass: want \[40\], got \[3\]"
  ):
    scored(truth, {"Mass": scores[:3, 0]}, None)
  bad = np.where(np.arange(NUM) == 3, np.nan, scores[:, 0])
  with pytest.raises(ValueError, match=r"scores of \['Mass'\]"):
    scored(truth, {"Mass": bad}, None)


def test_thresholds_of_some_findings(truth, scores):
  images = scored(truth, scores, None).images
  chosen = decisions.decide(images, folds=2)
  found = decisions.decide(images, folds=2, thresholds={"Nodule": 0.5})
  assert found.given == ("Nodule",)
  assert found.thresholds["Nodule"] == [0.5]
  assert found.thresholds["Mass"] == chosen.thresholds["Mass"]
  for k in (0, 2):
    np.testing.assert_array_equal(
      found.predicted[:, :, k], chosen.predicted[:, :, k]
    )
  want = images.scores[:, 1] >= 0.5
  assert (found.predicted[:, :, 1] == want).all()
  assert "for Nodule; for each other finding" in found.rule
  tree = scored(truth, scores, None, thresholds={"Nodule": 0.5}).results
  assert tree["protocol"]["predicted"]["given"] == ["Nodule"]


def test_an_unknown_label_counts_for_nothing(truth, scores, maps, tmp_path):
  """As if the film were not there for this finding."""
  labels = truth.labels.astype(float)
  labels[BOXED + 2, 0] = labels[5, 2] = np.nan
  found = scored(dataclasses.replace(truth, labels=labels), scores, maps)
  tree = found.results
  keep = np.arange(NUM) != BOXED + 2
  want = evaluation.classify(truth.labels[keep], scores[keep], FINDINGS)
  assert tree["auc"]["Mass"] == want.auc["Mass"]
  for key in ("positives", "negatives"):
    assert tree["counts"][key]["Mass"] == getattr(want, key)["Mass"]
  assert tree["counts"]["unknown_labels"] == {"Mass": 1, "Hernia": 1}
  whole = scored(truth, scores, maps).results
  assert tree["auc"]["Nodule"] == whole["auc"]["Nodule"]
  assert tree["auc_interval"]["Nodule"] == whole["auc_interval"]["Nodule"]
  assert tree["auc_interval"]["Mass"] != whole["auc_interval"]["Mass"]
  # The score of an unknown film moves no threshold.
  moved = scores.copy()
  moved[BOXED + 2, 0] = 0.999
  images = evaluation.make_images(
    truth.images, truth.patients, labels, moved, FINDINGS
  )
  assert (
    decisions.decide(images, folds=2).thresholds
    == decisions.decide(found.images, folds=2).thresholds
  )
  assert "unknown do not count: 1 of Mass" in found.markdown()
  evaluation_npz.save(tmp_path / "e.npz", found.images, found.table)
  back = evaluation_npz.load(tmp_path / "e.npz").images
  np.testing.assert_array_equal(back.unknown, np.isnan(labels))
  with np.load(tmp_path / "e.npz") as file:
    arrays = {n: file[n] for n in file.files if n != "images/unknown"}
  np.savez(tmp_path / "old.npz", **arrays)
  assert not evaluation_npz.load(tmp_path / "old.npz").images.unknown.any()


def test_a_box_of_an_unknown_finding_is_neither_right_nor_wrong(truth, scores):
  """A pair without a true box whose label is unknown is left out of mAP."""
  labels = truth.labels.astype(float)
  labels[0] = [1, 0, 0]
  boxes = np.full((NUM, 3, 4), np.nan)
  for name, of in truth.named_boxes.items():
    for f, box in of.items():
      boxes[truth.images.index(name), FINDINGS.index(f)] = box
  boxes[0, 1] = [0, 0, 30, 30]
  scores = scores.copy()
  scores[0, 1] = 1.0  # the most certain box of all, a false one
  figures = []
  for label in (0, np.nan):
    labels[0, 1] = label
    tree = scored(dataclasses.replace(truth, labels=labels), scores, boxes)
    of = tree.results["detection"]["box"]["oracle"]["map"]["0.5"]
    figures.append(of["Nodule"])
  assert figures[0] < figures[1] == 1
