"""No option of `evaluate` is dropped in silence, in none of its modes."""

import dataclasses
import json

import numpy as np
import pytest
from own_predictions import OwnPredictions
from tiny_workdir import make_workdir

from chexjax.commands import evaluate
from chexjax.data.own_set import open_own_set
from chexjax.inference import scoring
from chexjax.training import rescore

FINDINGS = ("Effusion", "Mass")
NAMES = [field.name for field in dataclasses.fields(evaluate.Options)]
# Other values than the defaults.
VALUES = {
  "frame": "32", "maps": "released", "threshold_means": "absolute",
  "draws": "11", "folds": "3", "repeats": "1", "seed": "7",
  "flip": "True", "shift": "4", "smooth": "0.1", "least_size": "0.2",
  "prior": "0.5", "centre": "0.3", "centre_by_auc": "True",
  "grad_cam": True,
}  # fmt: skip
# What changes a model's answers.
OF_MODELS = (
  "members", "flip", "shift", "smooth", "least_size", "prior", "centre",
  "centre_by_auc",
)  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
  """Sets, predictions and a workdir that the modes take."""
  home = tmp_path_factory.mktemp("modes")
  own = OwnPredictions(home / "own", FINDINGS)
  own.write_scores(home / "predictions")
  own.write_maps(home / "predictions")
  other = OwnPredictions(home / "other", FINDINGS)
  other.labels = [
    line.replace("|Mass", "") if i % 4 else line
    for i, line in enumerate(other.labels)
  ]
  other.boxes = [b for b in other.boxes if "Mass" not in b]
  other.write()
  for folder, skip in (("more", 0), ("fewer", 1)):
    own.write_scores(home / folder)
    if not skip:
      own.write_maps(home / folder)
  some = list(own.test)[:30]
  (home / "some.txt").write_text("\n".join(some))
  path = home / "predictions of some"
  own.test = {name: own.test[name] for name in some}
  own.write_scores(path)
  own.write_maps(path)
  make_workdir(home / "workdir")
  make_workdir(home / "weights")
  return home


def status_and_words(argv, capsys):
  capsys.readouterr()
  status = evaluate.main(argv)
  return status, capsys.readouterr().err


def refuses(argv, name, capsys):
  """Return whether a command line is refused with words about the option."""
  status, said = status_and_words(argv, capsys)
  assert status in (0, 2)
  assert status == 0 or said.startswith("error: ")
  return status == 2 and f"--{name}" in said


def test_every_option_of_predictions_is_used_or_refused(home, tmp_path, capsys):
  plain = [
    f"--predictions={home / 'predictions'}", f"--data_dir={home / 'own'}",
    "--draws=20",
  ]  # fmt: skip

  def results(*more):
    out = next(
      (m.removeprefix("--out=") for m in more if m.startswith("--out")),
      str(tmp_path / f"out{len(list(tmp_path.iterdir()))}"),
    )
    given = {m.split("=")[0] for m in more}
    kept = [m for m in plain if m.split("=")[0] not in given]
    assert evaluate.main([*kept, f"--out={out}", *more]) == 0
    with open(f"{out}/results.json") as file:
      tree = json.load(file)
    return {k: v for k, v in tree.items() if k != "provenance"}

  before = results()
  used, refused = set(), set()
  for name in NAMES:
    if name in ("workdir", "weights", "grad_cam", *OF_MODELS):
      given = f"--{name}={VALUES.get(name, home / name)}"
      if name == "grad_cam":
        given = "--grad_cam"
      elif name == "members":
        given = f"--members={home / 'weights'}"
      argv = [*plain, f"--out={tmp_path / 'x'}", given]
      assert refuses(argv, name, capsys), name
      refused.add(name)
      continue
    value = {
      "predictions": home / "fewer",
      "data_dir": home / "other",
      "out": tmp_path / "elsewhere",
    }.get(name, VALUES.get(name))
    more = [f"--{name}={value}"]
    if name == "images":
      more = [
        f"--images={home / 'some.txt'}",
        f"--predictions={home / 'predictions of some'}",
      ]
    after = results(*more)
    if name == "out":
      assert (tmp_path / "elsewhere" / "tables.md").exists()
    else:
      assert after != before, name
    used.add(name)
  assert used | refused == set(NAMES)


@pytest.mark.parametrize("name", ["frame", "maps", "threshold_means"])
def test_what_reads_maps_is_refused_where_there_are_none(
  home, tmp_path, capsys, name
):
  argv = [f"--predictions={home / 'fewer'}", f"--data_dir={home / 'own'}"]
  argv += [f"--out={tmp_path}", f"--{name}={VALUES[name]}"]
  assert refuses(argv, name, capsys)
  assert not (tmp_path / "results.json").exists()


@pytest.fixture
def calls(home, monkeypatch):
  """Records the calls of `score_model` instead of scoring."""
  made = []

  def record(model, variables, mesh, dataset, folder, **options):
    picked = scoring.picked(dataset, options["only"]).splits["test"]
    files = [
      picked.annotation(i)["file_name"].decode() for i in range(len(picked))
    ]
    labels = [picked.annotation(i)["labels"] for i in range(len(picked))]
    options.pop("about")
    made.append(
      {"files": files, "labels": np.stack(labels).tolist(), "folder": folder}
      | {k: str(v) for k, v in options.items() if k != "only"}
    )

  class Finished:
    """A run whose training data are not opened."""

    model, dataset = None, open_own_set(home / "own", size=32)

    def __init__(self, *_):
      pass

    def finished_variables(self):
      return {}

  # Nothing is scored, so there are no figures to end with.
  monkeypatch.setattr(evaluate, "closing", lambda folder, **_: [str(folder)])
  monkeypatch.setattr(rescore, "score_model", record)
  monkeypatch.setattr(rescore, "Run", Finished)
  monkeypatch.setattr(
    rescore, "open_data",
    lambda config, **_: open_own_set(config.data_dir or home / "own", size=32),
  )  # fmt: skip
  return made


@pytest.mark.parametrize("mode", ["workdir", "workdir elsewhere", "weights"])
def test_every_option_of_a_model_is_used_or_refused(
  home, tmp_path, capsys, calls, mode
):
  source = mode.split()[0]
  plain = {source: home / source}
  if mode != "workdir":
    plain |= {"data_dir": home / "own", "out": tmp_path / "out"}

  def argv(**more):
    given = {**plain, **more}
    return [f"--{k}" if v is True else f"--{k}={v}" for k, v in given.items()]

  assert evaluate.main(argv()) == 0
  before = calls[-1]
  refused = set()
  for name in NAMES:
    if name == source:
      continue
    value = {
      "predictions": home / "predictions",
      "workdir": home / "workdir",
      "weights": home / "weights",
      "data_dir": home / "other",
      "out": tmp_path / "elsewhere",
      "images": home / "some.txt",
      "members": home / "weights",
    }.get(name, VALUES.get(name))
    more = {name: value}
    if mode == "workdir" and name in ("data_dir", "images", *OF_MODELS):
      # The run's own results are not overwritten with others.
      assert refuses(argv(**more), "out", capsys), name
      more["out"] = tmp_path / "out"
    count = len(calls)
    if refuses(argv(**more), name, capsys):
      assert len(calls) == count, name
      refused.add(name)
      continue
    assert len(calls) == count + 1, name
    after = dict(calls[-1])
    if name != "out":
      after["folder"] = before["folder"]
    assert after != before, name
  others = {"predictions", "workdir", "weights"} - {source}
  assert refused == {*others, "frame"}


def test_a_run_is_scored_where_it_is_asked(home, tmp_path, calls):
  assert evaluate.main([f"--workdir={home / 'workdir'}"]) == 0
  assert calls[-1]["folder"] == home / "workdir"
  out = tmp_path / "out"
  assert evaluate.main([f"--workdir={home / 'workdir'}", f"--out={out}"]) == 0
  assert calls[-1]["folder"] == out


def test_an_unknown_name_in_the_list_is_named(home, tmp_path, capsys, calls):
  (tmp_path / "list.txt").write_text("a/20.png\nnobody.png\n")
  argv = [f"--workdir={home / 'workdir'}", f"--out={tmp_path / 'o'}"]
  status, said = status_and_words(
    [*argv, f"--images={tmp_path / 'list.txt'}"], capsys
  )
  assert status == 2
  assert "1 of 2 names" in said
  assert "nobody.png" in said
