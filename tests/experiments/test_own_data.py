"""The main job on a folder with a labels.csv."""

import json

import pytest

from experiments.run import main

TINY = [
  "--image_size=128",
  "--max_steps=1",
  "--batch_size=4",
  "--num_examples=1",
  "--model.block_sizes", "1", "1",
  "--model.growth=4",
  "--model.stem=4",
  "--model.fpn_features=4",
  "--model.hidden=4",
  "--model.crop_stages", "1",
  "--model.crop_width=4",
  "--model.crop_hidden=4",
]  # fmt: skip


@pytest.mark.parametrize(("count", "boxes"), [(2, True), (20, False)])
def test_the_classes_follow_the_data(own_folder, tmp_path, count, boxes):
  findings = [f"F{k:02}" for k in range(count)]
  own = own_folder(tmp_path / "own", findings)
  if not boxes:
    own.boxes = own.boxes[:1]
  own.write()
  workdir = tmp_path / "w"
  assert main([*TINY, f"--data_dir={own.path}", f"--workdir={workdir}"]) == 0
  results = json.loads((workdir / "results.json").read_text())
  assert results["dataset"] == "folder own"
  assert set(results["auc"]) == {*findings, "mean"}
  tables = (workdir / "tables.md").read_text()
  assert "not ours" not in tables
  boxed = set(results["counts"]["boxes"])
  assert boxed == (set(findings) if boxes else set())
  assert bool(list((workdir / "figures").glob("*.png"))) == boxes


def test_faults_of_the_tables_end_the_run(own_folder, tmp_path, capsys):
  own = own_folder(tmp_path / "own")
  own.labels[3] = own.labels[3].replace(".png", ".jpg")
  own.write()
  argv = [f"--data_dir={own.path}", f"--workdir={tmp_path / 'w'}"]
  assert main([*argv, "--image_size=128"]) == 2
  assert "a/02.jpg is not in the folder" in capsys.readouterr().err
