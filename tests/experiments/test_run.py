"""The main job, end to end, as small as it goes."""

import json
import pathlib
import shlex

import jax
import pytest
from tiny import STEPS, TINY, TINY_OWN

from chexjax.__main__ import main as chexjax_main
from chexjax.commands import evaluate, report
from chexjax.io import held
from experiments.run import main


def test_three_stages_end_with_tables_and_are_not_trained_twice(
  tmp_path, capsys
):
  argv = [
    *TINY, "--read.smooth=0.1",
    f"--workdir={tmp_path / 'w'}", f"--cache_dir={tmp_path / 'c'}",
  ]  # fmt: skip
  assert main([*argv, "--stage=1"]) == 0
  results = json.loads((tmp_path / "w" / "results.json").read_text())
  # The detection head is untrained yet, and not scored.
  assert "sal" in results["localization"]
  assert not {"det", "mix"} & set(results["localization"])
  said = capsys.readouterr().out
  assert "min in all, an estimate" in said
  assert main(argv) == 0
  out, err = capsys.readouterr()
  said = out
  assert f"stage 1 is finished at step {STEPS}" in said
  check_the_end(out, tmp_path / "w")
  # What other libraries say of their own affairs is not there.
  for noise in ("Unknown size", "WARNING:absl", "Variant folder", "[PROCESS"):
    assert noise not in out + err
  results = json.loads((tmp_path / "w" / "results.json").read_text())
  assert set(results["localization"]) >= {
    "sal", "det", "mix", "det_untrained", "mix_untrained", "image_blind",
  }  # fmt: skip
  assert set(results["gains"]["mix"]) == {"mix_untrained", "sal"}
  # A placed map has the fresh head's, placed too, beside it.
  assert "mix_placed_untrained" in results["gains"]["mix_placed"]
  assert "untrained head" in (tmp_path / "w" / "tables.md").read_text()
  log = (tmp_path / "w" / "metrics.jsonl").read_text().splitlines()
  last = {row["stage"]: row for row in map(json.loads, log)}
  assert "crop_auc" not in last[1]
  for stage in (2, 3):
    assert ("auc" in last[stage]) == (stage == 3)
    assert last[stage].keys() >= {"crop_auc", "score_entropy", "box_growth"}
    sizes = [last[stage][f"picked_{s}"] for s in ("small", "middle", "large")]
    assert sum(sizes) == pytest.approx(1, abs=1e-5)
    # So small a phantom may have no boxed finding among its validation films.
    known = "no validation image has a box" not in said
    assert ("iou_best" in last[stage]) == known
    assert "loss_scores" in last[stage]
  for protocols in results["localization"].values():
    assert set(protocols) >= {"oracle", "crossfit"}
  assert "not a medical device" in (tmp_path / "w" / "tables.md").read_text()
  assert list((tmp_path / "w" / "figures").glob("*.png"))
  for name in ("cases.zip", "evaluation.npz", "figures.csv", "tables.tex"):
    assert (tmp_path / "w" / name).exists()
  # The evaluator finds the checkpoint, and the report what both have left.
  (tmp_path / "w" / "results.json").unlink()
  (tmp_path / "w" / "report.html").write_text("older than the results")
  assert evaluate.main([f"--workdir={tmp_path / 'w'}"]) == 0
  said = capsys.readouterr().out
  assert "## Table" not in said
  assert "IoU  no mean" in said
  assert "scoring only, nothing is trained" in said
  for line in ("steps of", "min in all", "classes, with"):
    assert line not in said
  assert "Training" in (tmp_path / "w" / "report.html").read_text("utf-8")
  again = json.loads((tmp_path / "w" / "results.json").read_text())
  assert again["localization"] == results["localization"]
  assert report.main([f"--workdir={tmp_path / 'w'}"]) == 0
  assert "Training" in (tmp_path / "w" / "report.html").read_text("utf-8")


def check_the_end(said, workdir):
  """Ten lines, tables in a file, and commands that are there."""
  assert "## Table" not in said
  lines = said.splitlines()
  start = next(i for i, x in enumerate(lines) if x.startswith("phantom, "))
  end = lines[start:]
  assert len(end) <= 12
  # So few films have no mean: one reason, not a row for every map.
  few = "no mean: no finding has 10 patients"
  assert end[1:3] == [f"AUC  {few}", f"IoU  {few}"]
  report = workdir / "report.html"
  (files,) = [x for x in end if x.startswith("done in ")]
  assert files.endswith(
    f"tables in {workdir / 'tables.md'}, report in {report}"
  )
  assert "## Table 1" in (workdir / "tables.md").read_text()
  assert "Training" in report.read_text("utf-8")
  assert end[-4] == "next:"
  again, predict, board = map(shlex.split, end[-3:])
  assert again[1:] == ["-m", "chexjax", "report", f"--workdir={workdir}"]
  assert predict[1:4] == ["-m", "chexjax", "predict"]
  assert pathlib.Path(predict[-1]).is_file()
  assert board[-1] == f"--logdir={workdir / 'tensorboard'}"
  assert list((workdir / "tensorboard").glob("events*"))
  # As they are printed.
  assert chexjax_main(again[3:]) == 0
  assert chexjax_main(predict[3:]) == 0
  assert (workdir / "predictions" / "predictions.json").is_file()


def test_an_empty_data_dir_is_named(tmp_path, capsys):
  (tmp_path / "empty").mkdir()
  argv = [f"--data_dir={tmp_path / 'empty'}", f"--workdir={tmp_path / 'w'}"]
  with pytest.raises(SystemExit) as ended:
    main([*argv, f"--cache_dir={tmp_path / 'c'}"])
  assert ended.value.code == 2
  assert "empty holds neither a labels.csv" in capsys.readouterr().err


def test_a_set_with_faults_leaves_no_workdir(own_folder, tmp_path, capsys):
  own = own_folder(tmp_path / "own")
  own.labels[3] = "a/02.png"
  own.write()
  argv = [*TINY_OWN, f"--data_dir={own.path}", f"--workdir={tmp_path / 'w'}"]
  assert main([*argv, f"--cache_dir={tmp_path / 'c'}"]) == 2
  assert "labels.csv line 4" in capsys.readouterr().err
  assert not (tmp_path / "w").exists()


def test_a_batch_that_the_devices_do_not_divide_is_refused(
  tmp_path, capsys, monkeypatch
):
  monkeypatch.setattr(jax, "device_count", lambda: 8)
  for size, near in ((12, "8 and 16"), (4, "8")):
    argv = [f"--batch_size={size}", f"--workdir={tmp_path / 'w'}"]
    assert main([*argv, f"--cache_dir={tmp_path / 'c'}"]) == 2
    said = capsys.readouterr().err
    assert f"--batch_size={size} does not divide by 8 devices" in said
    assert said.strip().endswith(near)
  assert not (tmp_path / "w").exists()


@pytest.mark.parametrize("name", ["a[x]", "a\\b", "gs:"])
def test_a_path_that_keeps_no_checkpoint_is_refused(name, tmp_path, capsys):
  workdir = tmp_path / name
  assert main([*TINY, "--stage=1", f"--workdir={workdir}"]) == 2
  assert "checkpoints cannot be kept in" in capsys.readouterr().err
  assert not (workdir / "metrics.jsonl").exists()


def test_a_workdir_in_use_is_named(tmp_path, capsys):
  with held(tmp_path / "w"):
    assert main([*TINY, "--stage=1", f"--workdir={tmp_path / 'w'}"]) == 2
  assert "w is in use by another process" in capsys.readouterr().err
  assert not (tmp_path / "w" / "metrics.jsonl").exists()
