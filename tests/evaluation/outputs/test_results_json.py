import json

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.io import write_json
from chexjax.types import BOXED_FINDINGS, FINDINGS

FRAME = (64, 64)
MAPS = ("sal", "det", "mix")


@pytest.fixture(scope="module")
def parts():
  rng = np.random.default_rng(0)
  labels = rng.random((80, 14)) < 0.3
  labels[:, FINDINGS.index("Hernia")] = False
  scores = labels + rng.normal(size=labels.shape)
  collector = evaluation.LocalizationCollector(FRAME)
  for i in range(36):
    finding = BOXED_FINDINGS[i % 3]
    x, y = rng.integers(0, 8, 2) * 4
    maps = dict.fromkeys(("sal", "det", "mix"), rng.random((16, 16)))
    maps["mix"] = np.zeros((16, 16))
    maps["mix"][y // 4 : y // 4 + 6, x // 4 : x // 4 + 7] = 1
    collector.add(
      image=f"{i}.png",
      patient=i % 30,
      finding=finding,
      boxes=[x, y, x + 28, y + 24],
      maps=maps,
    )
  last = {"patient": 99, "finding": "Pneumonia", "boxes": [0, 0, 9, 9]}
  collector.add(image="last.png", maps=maps, **last)
  return evaluation.classify(labels, scores, FINDINGS), collector.table()


@pytest.fixture(scope="module")
def results(parts):
  return evaluation.assemble(
    *parts, dataset="phantom", provenance={"split_sha256": "abc"}
  )


def test_key_paths(results):
  assert set(results["auc"]) == {*FINDINGS, "mean"}
  names = {*BOXED_FINDINGS, "mean"}
  rows = {"image_blind", "whole_image", "centre_prior", "sal", "det", "mix"}
  assert set(results["localization"]) == rows
  for name, both in results["localization"].items():
    own = {"released_split", "released_union"} if name in MAPS else set()
    assert set(both) == {"oracle", "crossfit"} | own
    for tree in both.values():
      assert set(tree) >= {"iou", "cdice", "iobb", "pointing", "t_iou"}
      assert set(tree["t_iou"]) == {f"0.{i}" for i in range(1, 8)}
      for figures in (tree["iou"], tree["cdice"], *tree["t_iou"].values()):
        assert set(figures) == names
  assert "localization_most_active" in results
  assert results["schema_version"] == 1
  assert results["provenance"] == {"split_sha256": "abc"}


def test_undefined_is_null_and_said(results):
  assert results["auc"]["Hernia"] is None
  assert results["counts"]["auc_findings"] == 13
  oracle = results["localization"]["mix"]["oracle"]["iou"]
  crossfit = results["localization"]["mix"]["crossfit"]["iou"]
  assert oracle["Mass"] is None
  assert oracle["Pneumonia"] is not None
  assert crossfit["Pneumonia"] is None
  defined = [v for k, v in oracle.items() if v is not None and k != "mean"]
  # A single patient's figure stands by itself, outside the mean.
  defined.remove(oracle["Pneumonia"])
  assert oracle["mean"] == pytest.approx(np.mean(defined))
  said = {(u["where"], u["finding"]) for u in results["undefined"]}
  assert ("auc", "Hernia") in said
  assert ("localization", "Mass") in said
  assert ("localization.*.crossfit", "Pneumonia") in said
  counts = results["counts"]
  assert counts["localization_findings"] == {"oracle": 3, "crossfit": 3}
  assert counts["boxes"]["Atelectasis"] == 12
  assert counts["box_patients"]["Atelectasis"] == 10


def test_strict_json(results, tmp_path):
  write_json(tmp_path / "results.json", results)
  text = (tmp_path / "results.json").read_text()
  assert json.loads(text) == results
  assert "NaN" not in text
  with pytest.raises(ValueError, match="JSON"):
    write_json(tmp_path / "bad.json", {"a": float("nan")})


def test_what_was_chosen_is_stored_and_gives_the_boxes(parts, results):
  table = parts[1]
  name = "Atelectasis"
  (chosen,) = results["chosen"]["mix"]["oracle"][name]
  assert chosen in table.thresholds
  assert len(results["chosen"]["image_blind"]["oracle"][name][0]) == 4
  measures = evaluation.measure_table(table, BOXED_FINDINGS)
  boxes = evaluation.chosen_boxes(table, measures, "mix", "oracle")
  rows = table.finding == name
  got = evaluation.overlap.iou(boxes[rows], table.true_box[rows]).mean()
  want = results["localization"]["mix"]["oracle"]["iou"][name]
  assert got == pytest.approx(want)
  boxes = evaluation.chosen_boxes(table, measures, "mix", "crossfit")
  assert np.isnan(boxes[table.finding == "Pneumonia"]).all()


def test_good_maps_beat_the_image_blind_box(results):
  tree = results["localization"]
  blind = tree["image_blind"]["crossfit"]["iou"]["mean"]
  assert tree["mix"]["crossfit"]["iou"]["mean"] > 0.7 > blind


def test_no_boxes_at_all(parts):
  table = evaluation.LocalizationCollector(FRAME).table()
  empty = evaluation.assemble(parts[0], table, dataset="x", provenance={})
  assert empty["localization"]["mix"]["oracle"]["iou"]["mean"] is None
  assert len(empty["undefined"]) == 1 + len(BOXED_FINDINGS)
  assert "no true box" in evaluation.markdown(empty)


def test_options_reach_the_protocol(parts):
  other = evaluation.assemble(
    *parts, dataset="x", provenance={}, seed=5, folds=2, repeats=3
  )
  assert other["protocol"]["crossfit"]["folds"] == 2
  assert "3 x 2 folds, seed 5" in evaluation.markdown(other)


def test_tables_hold_what_keeps_them_honest(results):
  text = evaluation.markdown(results)
  assert "not a medical device" in text
  assert "Sal: percentile; Det: percentile; Mix: percentile" in text
  assert "not ours" not in text
  second, third = text.split("## Table")[2:4]
  for table, measures in (
    (second, ("IoU", "cDice")),
    (third, ("T(0.3)", "T(0.5)", "T(0.6)")),
  ):
    for measure in measures:
      for protocol in ("oracle", "crossfit"):
        row = f"| {measure} | image-blind box | {protocol} |"
        assert row in table
  assert "| n |" in second
  assert f"{results['auc']['Mass']:.3f}" in text


def test_rows_of_a_table_are_equally_long(results):
  for table in evaluation.markdown(results, published=True).split("\n\n"):
    lines = [line for line in table.split("\n") if line.startswith("| ")]
    assert len({line.count("|") for line in lines}) <= 1


def test_published_figures_are_marked(results):
  text = evaluation.markdown(results, published=True)
  lines = [line for line in text.split("\n") if "paper, Mix" in line]
  assert len(lines) == 5  # IoU, cDice, three T(IoU)
  assert all("not ours" in line for line in lines)
