"""A learning curve of runs that are there already."""

import csv

import pytest

from chexjax.io import write_json
from experiments import learning_curve


def scored(folder, auc, iou, films, *, share):
  """Writes what the curve reads of a scored run."""
  recipe = {
    "config": "nih_mini", "stage": 3, "train_share": share, "min_steps": 0,
    "init": None,
  }  # fmt: skip
  write_json(folder / "config.json", {"config": recipe})

  def place(value):
    return {"crossfit": {"iou": {"mean": value}}}

  span = [iou - 0.1, iou + 0.1]
  write_json(
    folder / "results.json",
    {
      "auc": {"mean": auc},
      "auc_interval": {"mean": [auc - 0.1, auc + 0.1]},
      "localization": {"sal": place(iou), "image_blind": place(0.2)},
      "localization_interval": {
        "sal": place(span), "image_blind": place([0.1, 0.3]),
      },
    },
  )  # fmt: skip
  rows = [f"{i}.png,{i},train" for i in range(films)] + ["x.png,9,test"]
  (folder / "splits.csv").write_text("\n".join(["file,patient,split", *rows]))


@pytest.fixture
def runs(tmp_path):
  for share, auc, films in ((0.1, 0.6, 3), (1, 0.7, 30)):
    folder = tmp_path / f"share_{share:g}"
    folder.mkdir()
    scored(folder, auc, auc / 2, films, share=share)
  return tmp_path


def options(runs, *more):
  return [f"--data_dir={runs}", f"--out={runs}", "--shares", "0.1", "1", *more]


def test_scored_runs_are_read_and_drawn(runs):
  assert learning_curve.main([*options(runs), "--map=sal"]) == 0
  with (runs / "curve.csv").open() as file:
    rows = list(csv.DictReader(file))
  auc = [row for row in rows if row["figure"] == "AUC"]
  assert [(row["films"], row["value"]) for row in auc] == [
    ("3", "0.6"), ("30", "0.7"),
  ]  # fmt: skip
  assert len(rows) == 6
  assert (runs / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_a_map_that_is_not_there_is_named(runs, capsys):
  assert learning_curve.main(options(runs)) == 2
  assert "has no map mix; it has sal, image_blind" in capsys.readouterr().err


def test_runs_of_another_recipe_are_not_taken_for_the_curves(runs, capsys):
  assert learning_curve.main([*options(runs), "--init=runs/phantom64"]) == 2
  said = capsys.readouterr().err
  assert "share_0.1 was trained with --init=None" in said
  assert "runs/phantom64 is asked for" in said
  argv = [*options(runs), f"--whole={runs / 'share_0.1'}", "--map=sal"]
  assert learning_curve.main(argv) == 2
  assert "--train_share=0.1, and 1.0 is asked for" in capsys.readouterr().err


def test_a_share_above_one_is_refused(runs, capsys):
  assert learning_curve.main([*options(runs), "2"]) == 2
  assert "at most 1" in capsys.readouterr().err


def test_a_run_trains_on_its_share(runs):
  given = learning_curve.Options(data_dir=runs, out=runs, stage=1)
  argv = learning_curve.command(given, 0.3, runs / "w")
  assert "--train_share=0.3" in argv
  assert "--stage=1" in argv
  assert not any(word.startswith("--init") for word in argv)
  given = learning_curve.Options(data_dir=runs, out=runs, init="runs/phantom64")
  argv = learning_curve.command(given, 0.3, runs / "w")
  assert "--init=runs/phantom64" in argv
