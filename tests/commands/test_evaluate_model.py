"""A run's model on a set of one's own, and what it leaves for others."""

import csv
import json

import pytest
from own_predictions import OwnPredictions
from tiny_workdir import make_workdir

from chexjax.commands import evaluate, report
from chexjax.data.own_set import open_own_set
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.protocols.wrong_calls import score_cuts, worst_calls
from chexjax.report.cases import Cases
from chexjax.training.rescore import NOT_LABELLED
from chexjax.types import FINDINGS

FEW = ("Effusion", "Mass")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
  """A workdir scored on a set of two of its findings."""
  home = tmp_path_factory.mktemp("model")
  make_workdir(home / "workdir")
  OwnPredictions(home / "own", FEW[::-1])
  argv = [f"--workdir={home / 'workdir'}", f"--data_dir={home / 'own'}"]
  more = [f"--out={home / 'out'}", "--draws=30", "--seed=3"]
  assert evaluate.main([*argv, *more]) == 0
  return home


@pytest.fixture(scope="module")
def results(home):
  return json.loads((home / "out" / "results.json").read_text())


def test_the_sets_findings_are_scored_by_name(home, results):
  assert set(results["auc"]) == {*FINDINGS, "mean"}
  scored = {f for f in FINDINGS if results["auc"][f] is not None}
  assert scored == set(FEW)
  assert results["counts"]["auc_findings"] == 2
  assert set(results["counts"]["boxes"]) == set(FEW)
  positives = results["counts"]["positives"]
  source = open_own_set(home / "own", size=32).splits["test"]
  names = open_own_set(home / "own", size=32).metadata["findings"]
  for k, name in enumerate(names):
    labels = [source.annotation(i)["labels"][k] for i in range(len(source))]
    assert positives[name] == sum(labels)
  reasons = {
    u["finding"]: u["reason"]
    for u in results["undefined"]
    if u["where"] == "auc"
  }
  assert reasons == dict.fromkeys(set(FINDINGS) - set(FEW), NOT_LABELLED)
  assert results["protocol"]["crossfit"]["seed"] == 3
  assert results["protocol"]["interval"]["draws"] == 30
  assert results["provenance"]["learned_films"] == 0
  # The run's own folder is as it was.
  assert not (home / "workdir" / "results.json").exists()
  assert not (home / "workdir" / "scores.csv").exists()


def test_wrong_calls_leave_pictures(home, results):
  cases = Cases(home / "out" / "cases.zip")
  boxed = {(row["image"], row["finding"]) for row in cases.rows}
  stored = evaluation_npz.load(home / "out" / "evaluation.npz")
  cuts = score_cuts(results["protocol"]["predicted"]["thresholds"])
  calls = worst_calls(stored.images, cuts, without=boxed)
  assert calls
  assert set(cases.wrong) == {(call.image, call.finding) for call in calls}
  for (image, _), maps in cases.wrong.items():
    assert set(maps) == {"sal", "det", "mix"}
    assert cases.pixels(maps["mix"]["file"]).ndim == 2
    assert image in cases.images


def test_its_scores_are_read_as_anybodys(home, results, tmp_path):
  """`--predictions` of the run's folder gives the run's own AUC."""
  argv = [f"--predictions={home / 'out'}", f"--data_dir={home / 'own'}"]
  more = [f"--out={tmp_path / 'again'}", "--draws=30", "--seed=3"]
  assert evaluate.main([*argv, *more]) == 0
  again = json.loads((tmp_path / "again" / "results.json").read_text())
  for key in ("auc", "auc_interval", "average_precision"):
    for name in (*FEW, "mean"):
      assert again[key][name] == results[key][name]
  # And the two are compared, though the run knows more findings.
  both = [f"--workdir={home / 'out'}", f"--workdir={tmp_path / 'again'}"]
  assert report.main([*both, f"--out={tmp_path / 'both.html'}"]) == 0


def test_the_splits_are_those_of_the_set(home):
  with (home / "out" / "splits.csv").open() as file:
    rows = list(csv.DictReader(file))
  dataset = open_own_set(home / "own", size=32)
  want = [
    (row["file_name"].decode(), row["patient"], name)
    for name, source in dataset.splits.items()
    for row in map(source.annotation, range(len(source)))
  ]
  got = [(row["file"], row["patient"], row["split"]) for row in rows]
  assert got == want
  assert {split for _, _, split in got} == {"train", "test"}


def test_findings_that_the_model_does_not_know_are_refused(
  home, tmp_path, capsys
):
  own = OwnPredictions(tmp_path / "own", ("Efusion", "Mass"))
  argv = [f"--workdir={home / 'workdir'}", f"--data_dir={own.folder}"]
  assert evaluate.main([*argv, f"--out={tmp_path / 'out'}"]) == 2
  said = capsys.readouterr().err
  assert "does not know: Efusion (does it mean Effusion?)" in said
  assert not (tmp_path / "out").exists()


def test_films_that_the_run_has_learned_from_are_told(home, tmp_path, capsys):
  (tmp_path / "run").mkdir()
  make_workdir(tmp_path / "run")
  source = open_own_set(home / "own", size=32).splits["test"]
  files = [source.annotation(i)["file_name"].decode() for i in range(9)]
  splits = ["train"] * 4 + ["validation"] * 3 + ["test"] * 2
  lines = [f"{file},1,{split}" for file, split in zip(files, splits)]
  (tmp_path / "run" / "splits.csv").write_text(
    "\n".join(["file,patient,split", *lines])
  )
  argv = [f"--workdir={tmp_path / 'run'}", f"--data_dir={home / 'own'}"]
  argv += [f"--out={tmp_path / 'out'}", "--draws=0"]
  assert evaluate.main(argv) == 0
  said = capsys.readouterr().out
  assert f"note: 7 of the {len(source)} test films, such as {files[0]}" in said
  tree = json.loads((tmp_path / "out" / "results.json").read_text())
  assert tree["provenance"]["learned_films"] == 7
  assert "TOO GOOD: 7 of" in (tmp_path / "out" / "tables.md").read_text()
  # Of a list those on it count.
  (tmp_path / "some.txt").write_text("\n".join(files[6:]))
  assert evaluate.main([*argv, f"--images={tmp_path / 'some.txt'}"]) == 0
  tree = json.loads((tmp_path / "out" / "results.json").read_text())
  assert tree["provenance"]["learned_films"] == 1


def test_a_list_of_images_and_other_options_reach_the_figures(
  home, results, tmp_path
):
  source = open_own_set(home / "own", size=32).splits["test"]
  some = [source.annotation(i)["file_name"].decode() for i in range(24)]
  (tmp_path / "some.txt").write_text("\n".join(some))
  argv = [f"--weights={home / 'workdir'}", f"--data_dir={home / 'own'}"]
  argv += [f"--images={tmp_path / 'some.txt'}", "--threshold_means=absolute"]
  argv += ["--maps=released", "--folds=3", "--draws=0"]
  assert evaluate.main([*argv, f"--out={tmp_path / 'out'}"]) == 0
  tree = json.loads((tmp_path / "out" / "results.json").read_text())
  assert tree["provenance"]["dataset"]["scored_images"] == 24
  with (tmp_path / "out" / "scores.csv").open() as file:
    assert [row["file"] for row in csv.DictReader(file)] == some
  maps = tree["protocol"]["maps"].values()
  assert {rule["threshold_means"] for rule in maps} == {"absolute"}
  assert tree["protocol"]["maps"]["mix"]["cdice_scale"] == "released"
  assert tree["protocol"]["crossfit"]["folds"] == 3
  assert "auc_interval" not in tree
  # All splits are written, whatever is scored.
  assert len((tmp_path / "out" / "splits.csv").read_text().splitlines()) == 61
