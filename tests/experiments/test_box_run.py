"""A run that trains on boxes, from the training to the page."""

import csv
import json

import pytest
from tiny import TINY

from chexjax.commands import evaluate, report
from chexjax.training.datasets import data_folder
from chexjax.training.workdir import stored
from experiments.run import main
from experiments.system_options import for_system


@pytest.mark.slow
def test_a_run_says_everywhere_that_it_was_trained_on_boxes(tmp_path, capsys):
  folder = tmp_path / "w"
  system = "li2018_like_boxes"
  argv = [*for_system(TINY, system), f"--cache_dir={tmp_path / 'c'}"]
  folds = ["--box_folds=2", "--box_fold=2"]
  assert main([*argv, *folds, f"--workdir={folder}"]) == 0
  results = json.loads((folder / "results.json").read_text())
  said = results["provenance"]["dataset"]["boxes_in_training"]
  assert "films seen in training, fold 2 of 2 held out" in said
  assert results["dataset"] == f"phantom ({said})"
  assert said in (folder / "tables.md").read_text().splitlines()[0]
  page = (folder / "report.html").read_text("utf-8")
  assert f"B{said[1:]}" in page
  assert "The films are drawn by a program" in page
  rows = list(csv.DictReader((folder / "splits.csv").open()))
  scored = {row["file"] for row in rows if row["split"] == "test"}
  patients = {
    split: {row["patient"] for row in rows if row["split"] == split}
    for split in ("train", "test")
  }
  assert not patients["train"] & patients["test"]
  scores = csv.DictReader((folder / "scores.csv").open())
  assert {next(iter(row.values())) for row in scores} == scored
  # It is scored again on the same films, and reported.
  assert evaluate.main([f"--workdir={folder}"]) == 0
  again = json.loads((folder / "results.json").read_text())
  assert again["localization"] == results["localization"]
  assert again["dataset"] == results["dataset"]
  assert report.main([f"--workdir={folder}"]) == 0
  # Nothing else is scored on, or starts from, what has seen the boxes.
  capsys.readouterr()
  films = data_folder(stored(folder))
  out = [f"--weights={folder}", f"--out={tmp_path / 'o'}"]
  assert evaluate.main([*out, f"--data_dir={films}"]) == 2
  assert "was trained on test films of" in capsys.readouterr().err
  out = [f"--workdir={folder}", f"--members={folder}", f"--out={tmp_path}"]
  assert evaluate.main(out) == 2
  assert "was trained on boxed test films that" in capsys.readouterr().err
  start = [*for_system(TINY, "li2018_like"), f"--init={folder}"]
  assert main([*start, f"--workdir={tmp_path / 'v'}"]) == 2
  assert "trained on boxes of test films: no run" in capsys.readouterr().err
  # Sixty-four films have not so many patients with a box.
  more = ["--box_folds=60", f"--workdir={tmp_path / 'm'}"]
  assert main([*argv, *more]) == 2
  assert "--box_folds=60 needs one for each fold" in capsys.readouterr().err
  assert not (tmp_path / "m" / "config.json").exists()
