"""Anybody's predictions, from a folder to results."""

import json
import pathlib

import numpy as np
import pytest

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.protocols import threshold_choice
from experiments.evaluate import main
from tfds_chestxray14.catalogue import read_lists
from tfds_chestxray14.findings import BOXED_FINDINGS, FINDINGS


def evaluate(predictions, data_dir, out, *more):
  argv = [f"--predictions={predictions}", f"--data_dir={data_dir}"]
  small = ["--draws=20"]
  if (predictions / "maps").exists():
    small.append("--frame=64")
  status = main([*argv, f"--out={out}", *small, *more])
  path = out / "results.json"
  return status, json.loads(path.read_text()) if path.exists() else None


def test_maps_in_any_order_and_type(lists, tmp_path):
  folder = tmp_path / "p"
  lists.write_scores(folder)
  lists.write_maps(folder)
  status, results = evaluate(folder, lists.folder, tmp_path / "out")
  assert status == 0
  tree = results["localization"]
  assert set(tree["mix"]) == {
    "oracle", "crossfit", "predicted", "released_split", "released_union",
  }  # fmt: skip
  # The true box, on a grid of 64 px.
  assert tree["sal"]["oracle"]["iou"]["mean"] > 0.6
  assert tree["mix"]["oracle"]["iou"]["mean"] > 0.6
  assert tree["mix"]["oracle"]["pointing"]["mean"] > 0.9
  for measure in ("iou", "cdice"):
    for name in ("mix", "image_blind"):
      predicted = tree[name]["predicted"][measure]["mean"]
      assert predicted <= tree[name]["crossfit"][measure]["mean"]
  low, high = results["localization_interval"]["mix"]["oracle"]["iou"]["mean"]
  assert low <= tree["mix"]["oracle"]["iou"]["mean"] <= high
  assert results["counts"]["boxes"]["Effusion"] == 12
  assert results["detection"]["mix"]["crossfit"]["map"]["0.3"]["mean"] > 0
  groups = results["subgroups"]
  assert sum(g["images"] for g in groups["view"].values()) == 40
  assert sum(sum(g["boxes"].values()) for g in groups["sex"].values()) == 36
  origin = results["provenance"]["dataset"]
  assert origin["data_entry_version"] == "2017"
  assert len(origin["split_hash"]) == 64
  stored = evaluation_npz.load(tmp_path / "out" / "evaluation.npz")
  assert stored.table.boxes["mix"]["largest"].shape == (36, 41, 4)
  for name in ("cases.zip", "tables.md", "tables.tex", "figures.csv"):
    assert (tmp_path / "out" / name).exists()


def test_one_unnamed_map_and_a_list_of_images(lists, tmp_path):
  folder = tmp_path / "p"
  some = lists.names[:20]
  lists.write_scores(folder, names=some)
  lists.write_maps(folder, names=("arr_0",))
  for name in lists.names[20:36]:
    (folder / "maps" / f"{pathlib.Path(name).stem}.npz").unlink()
  (tmp_path / "some.txt").write_text("\n".join(some))
  more = f"--images={tmp_path / 'some.txt'}"
  status, results = evaluate(folder, lists.folder, tmp_path / "out", more)
  assert status == 0
  assert "arr_0" in results["localization"]
  assert results["provenance"]["dataset"]["scored_images"] == 20
  assert "not ours" not in (tmp_path / "out" / "tables.md").read_text()


def test_scores_alone_give_the_baselines(lists, tmp_path, capsys):
  folder = tmp_path / "p"
  lists.write_scores(folder)
  (folder / "thresholds.json").write_text(
    json.dumps(dict.fromkeys(FINDINGS, 0))
  )
  (lists.folder / "phantom.json").write_text("{}")
  status, results = evaluate(folder, lists.folder, tmp_path / "out")
  assert status == 0
  # The folder's manifest says that its films are drawn.
  assert results["dataset"] == "phantom"
  assert "not ours" not in (tmp_path / "out" / "tables.md").read_text()
  *_, ahead, command = capsys.readouterr().out.splitlines()
  assert ahead == "next:"
  assert command.endswith(f"chexjax report --workdir={tmp_path / 'out'}")
  tree = results["localization"]
  assert set(tree) == {"image_blind", "whole_image", "centre_prior"}
  blind = tree["image_blind"]  # with a threshold of 0 all is predicted
  assert blind["predicted"] == blind["crossfit"]
  assert "came with" in results["protocol"]["predicted"]["score_thresholds"]


def test_every_fault_is_listed_before_any_scoring(lists, tmp_path, capsys):
  folder = tmp_path / "p"
  lists.write_scores(folder, names=lists.names[:-2])
  path = folder / "scores.csv"
  lines = path.read_text().splitlines()
  lines[1] = lines[1].replace(lines[1].split(",")[1], "nan", 1)
  lines[2] = lines[2].replace(lines[2].split(",")[3], "1.5", 1)
  lines[3] = lines[3].replace(lines[3].split(",")[3], "high", 1)
  lines.append("99999999_000.png" + ",0.5" * 14)
  lines.append(lines[5])
  lines.append("00000021_000.png" + ",0.5" * 14)  # of the training list
  lines.append("a,b")
  path.write_text("\n".join(lines))
  good = [lists.names[0], "Mass", 0, 0, 10, 10, 0.5]
  rows = [
    [*good[:2], 1000, 0, 100, 10, 0.5],
    [*good[:2], 0, 0, float("nan"), 10, 0.5],
    [*good[:2], 0, 0, 0, 10, 0.5],
    [good[0], "Masss", *good[2:]],
    ["stranger.png", *good[1:]],
    good[:3],
  ]
  lists.write_boxes(folder, rows)
  status, results = evaluate(folder, lists.folder, tmp_path / "out")
  assert status == 2
  assert results is None
  said = capsys.readouterr().err
  for words in (
    "missing images of test_list.txt (2)",
    "NaN or infinite (1)",
    "outside 0..1 (1)",
    "not a number (1)",
    "unknown image names (1): 99999999_000.png",
    "images that are there twice (1)",
    "surplus images, not in test_list.txt (1): 00000021_000.png",
    "rows without 15 fields (1)",
    "boxes off the image",
    "boxes.json: NaN",
    "width or height not above 0",
    "did you mean Mass?",
    "stranger.png",
    "entries without file",
  ):
    assert words in said
  assert len((tmp_path / "out" / "faults.txt").read_text().splitlines()) == 15


def test_faults_of_maps_are_named(lists, tmp_path, capsys):
  folder = tmp_path / "p"
  lists.write_scores(folder, order=("Masss", *FINDINGS[1:]))
  lists.write_maps(folder)
  paths = sorted((folder / "maps").glob("*.npz"))

  def change(path, **values):
    with np.load(path) as file:
      np.savez(path, **{**dict(file), **values})

  bad = np.zeros((8, 4, 4))
  bad[0, 0, 0] = np.nan
  change(paths[0], det=bad)
  change(paths[1], sal=np.full((8, 4, 4), 1.5))
  change(paths[2], mix=np.zeros((7, 4, 4)))
  change(paths[3], findings=np.array([*BOXED_FINDINGS[:-1], "Pneumotorax"]))
  change(paths[4], extra=np.zeros((8, 4, 4)))
  change(paths[5], det=np.zeros((8, 4, 4), int))
  paths[6].write_bytes(b"no zip")
  paths[7].unlink()
  np.savez(folder / "maps" / "12345678_000.npz", x=1)
  status, _ = evaluate(folder, lists.folder, tmp_path / "out")
  assert status == 2
  said = capsys.readouterr().err
  for words in (
    "unknown findings in the header (1): 'Masss' (did you mean Mass?)",
    f"NaN or infinite (1): {paths[0].name} det",
    f"sal outside 0..1 (1): {paths[1].name} sal 1.5..1.5",
    "want shape [8, h, w], as many as findings (1)",
    "did you mean Pneumothorax?",
    "want sal, det, mix or a single one",
    "want float or uint8 (1)",
    "unreadable files (1)",
    f"missing, of images with boxes (1): {paths[7].name}",
    "maps: unknown image names (1): 12345678_000.npz",
  ):
    assert words in said


def test_options_are_checked_first(tmp_path, capsys):
  assert main([f"--predictions={tmp_path / 'no'}", "--draws=-1"]) == 2
  said = capsys.readouterr().err
  assert "is no folder" in said
  assert "--data_dir=DIR is needed" in said
  assert "--draws must be at least 0" in said
  assert main([]) == 2
  assert "--weights=" in capsys.readouterr().err
  assert main([f"--weights={tmp_path / 'no.pth'}"]) == 2
  said = capsys.readouterr().err
  assert "no.pth: no such file" in said
  assert "--data_dir=DIR is needed" in said
  assert main([f"--workdir={tmp_path}"]) == 2
  assert "config.json" in capsys.readouterr().err


@pytest.mark.shared
def test_constant_boxes_score_as_the_image_blind_row(shared, lists, tmp_path):
  """The real lists and boxes; scores of a coin."""
  data = shared / "nih" / "metadata"
  real = read_lists(data)
  lists.labels = {}
  folder = tmp_path / "p"
  test = [f"{k}.png" for k, s in real.split_of.items() if s == "test"]
  lists.write_scores(folder, names=test)
  rows = []
  for finding in BOXED_FINDINGS:
    of = np.array(
      [
        [b.xmin, b.ymin, b.xmax, b.ymax]
        for boxes in real.boxes.values()
        for b in boxes
        if b.label == finding
      ]
    )
    best = threshold_choice.choose(overlap.iou(of[:, None], of[None]))
    x1, y1, x2, y2 = of[best] * 1024
    rows += [
      (f"{key}.png", finding, x1, y1, x2 - x1, y2 - y1, 0.5)
      for key in real.boxes
    ]
  lists.write_boxes(folder, rows)
  status, results = evaluate(folder, data, tmp_path / "out")
  assert status == 0
  assert sum(results["counts"]["boxes"].values()) == 984
  tree = results["localization"]
  want, got = tree["image_blind"]["oracle"], tree["box"]["oracle"]
  for measure in ("iou", "cdice", "iobb", "pointing"):
    for finding, value in want[measure].items():
      # x + w against x2: the last bit.
      assert got[measure][finding] == pytest.approx(value, abs=1e-12)
  assert got["t_iou"] == want["t_iou"]
  assert got == tree["box"]["crossfit"]  # no threshold to choose
  assert round(got["iou"]["mean"], 3) == 0.208
  published = {"0.3": 0.262, "0.5": 0.165, "0.6": 0.109}
  for t, value in published.items():
    assert round(got["t_iou"][t]["mean"], 3) == value
