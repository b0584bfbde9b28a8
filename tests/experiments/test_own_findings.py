"""Findings of one's own keep their names through every command."""

import csv
import json

import numpy as np
import pytest
from tiny import TINY, TINY_OWN

import chexjax
from chexjax.commands import convert, evaluate, predict, report
from experiments import run

# As many as NIH's, under other names.
FOURTEEN = (*(f"Own {c}" for c in "abcdefghijkl"), "Tuberculosis", "Zoster")
THREE = ("Fracture", "Mass", "Zoster")


def train(folder, workdir, *argv):
  return run.main(
    [
      *TINY_OWN, "--config=phantom", "--image_size=128", "--stage=1",
      f"--data_dir={folder}", f"--workdir={workdir}", *argv,
    ]
  )  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
  return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def trained(home, own_set):
  """A run of stage 1 on fourteen findings."""
  folder = own_set(home / "fourteen", FOURTEEN).write()
  workdir = home / "run of fourteen"
  assert train(folder, workdir) == 0
  return FOURTEEN, folder, workdir


def test_names_go_through_every_command(trained, tmp_path, capsys):
  names, folder, workdir = trained
  assert chexjax.load(workdir).findings == names
  film = folder / "a" / "00.png"
  # A converted folder is the same model.
  assert convert.main([f"--weights={workdir}", f"--out={tmp_path / 'c'}"]) == 0
  raw = {}
  for source in (workdir, tmp_path / "c"):
    out = tmp_path / f"out {source.name}"
    argv = [f"--weights={source}", f"--out={out}", "--raw", str(film)]
    assert predict.main(argv) == 0
    record = json.loads((out / "predictions.json").read_text())
    assert tuple(record["findings"]) == names
    assert tuple(record["images"][0]["findings"]) == names
    with (out / "predictions.csv").open() as file:
      rows = list(csv.DictReader(file))
    assert tuple(row["finding"] for row in rows) == names
    with np.load(out / "00.npz") as arrays:
      assert tuple(arrays["findings"]) == names
      raw[source] = arrays["full_logits"]
  np.testing.assert_array_equal(*raw.values())
  # The authors' file has no place for other names.
  argv = [f"--weights={workdir}", f"--out={tmp_path / 'x.safetensors'}"]
  assert convert.main(argv) == 2
  assert "is of findings" in capsys.readouterr().err
  # Scored again, by its own weights.
  argv = [f"--weights={workdir}", f"--data_dir={folder}"]
  assert evaluate.main([*argv, f"--out={tmp_path / 'scored'}"]) == 0
  results = json.loads((tmp_path / "scored" / "results.json").read_text())
  assert tuple(k for k in results["auc"] if k != "mean") == names
  assert report.main([f"--workdir={workdir}"]) == 0
  page = (workdir / "report.html").read_text()
  assert all(name in page for name in names)


def test_a_run_starts_from_another_ones_findings(home, own_set, capsys):
  """Three to NIH's fourteen, and these to three others: heads by name."""
  three = own_set(home / "set of 3", THREE).write()
  mixed = own_set(home / "mixed", ("Edema", "Fracture", "Zoster")).write()
  first = home / "first"
  assert train(three, first) == 0
  # The phantom has NIH's 14, of which Mass is one.
  argv = [*TINY, "--stage=1", f"--workdir={home / 'nih'}"]
  assert run.main([*argv, f"--init={first}"]) == 0
  said = capsys.readouterr().out
  assert "heads of 1 findings kept by their names (Mass)" in said
  assert "fresh heads: 13 (Atelectasis" in said
  assert train(mixed, home / "second", f"--init={home / 'nih'}") == 0
  said = capsys.readouterr().out
  assert "kept by their names (Edema); fresh heads: 2" in said
  assert "(Fracture, Zoster)" in said


def test_a_workdir_that_names_no_findings_is_refused(trained, capsys):
  import shutil

  _, folder, workdir = trained
  bare = workdir.with_name(f"{workdir.name} bare")
  shutil.copytree(workdir, bare)
  for name in ("data.json", "results.json"):
    (bare / name).unlink()
  # Every checkpoint says it itself.
  assert chexjax.load(bare).findings == trained[0]
  for path in bare.glob("checkpoints/stage1/*/findings"):
    shutil.rmtree(path)
  with pytest.raises(ValueError, match="does not say what its findings are"):
    chexjax.load(bare)
  argv = [f"--weights={bare}", f"--out={bare / 'p'}", str(folder)]
  assert predict.main(argv) == 2
  assert "does not say what its findings" in capsys.readouterr().err


def test_joined_sets_have_a_row_each(home, own_set, tmp_path):
  one = own_set(home / "joined one", ("Fracture", "Mass")).write()
  two = own_set(home / "joined two", ("Mass", "Zoster")).write()
  assert train(one, tmp_path / "w", "--more_data", str(two)) == 0
  results = json.loads((tmp_path / "w" / "results.json").read_text())
  assert set(results["auc"]) == {"Fracture", "Mass", "Zoster", "mean"}
  sets = results["subgroups"]["set"]
  assert set(sets) == {"joined one", "joined two"}
  assert sum(of["images"] for of in sets.values()) == sum(
    of["images"] for of in results["subgroups"]["age"].values()
  )
  # Nobody has looked for Zoster in the first set.
  assert sets["joined one"]["positives"]["Zoster"] == 0
  tables = (tmp_path / "w" / "tables.md").read_text()
  assert "| set | joined one |" in tables
  assert "| mean, joined one | " in tables
  for measure in ("IoU", "T(0.3)"):
    assert f"| {measure} | Sal, joined two | crossfit |" in tables
