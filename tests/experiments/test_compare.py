"""Several systems trained and put side by side; the trainings are faked."""

import json
import os
import signal
import sys
import threading
import time

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation import LocalizationCollector, MapRule, make_images
from chexjax.evaluation.outputs.evaluation import Evaluation
from chexjax.evaluation.outputs.folder import write_folder
from chexjax.io import held
from chexjax.systems import SYSTEMS
from chexjax.training import workdir
from experiments import compare, flags

ARGV = ["--systems=chexjax,cam", "--seeds=2"]
MAPS = {"chexjax": ("sal", "det", "mix"), "cam": ("cam",)}
NAMES = ["Mass", "Nodule"]


def finish(job):
  """Leave what a scored run leaves."""
  rng = np.random.default_rng(job.seed)
  maps = MAPS[job.system]
  collector = LocalizationCollector(
    (32, 32), maps=dict.fromkeys(maps, MapRule())
  )
  for film in range(20):
    x, y = film % 8, film % 5
    collector.add(
      image=f"{film}.png",
      patient=film,
      finding="Mass",
      boxes=[x, y, x + 10, y + 12],
      maps={name: rng.random((8, 8)) for name in maps},
    )
  labels = np.zeros((30, 2))
  labels[:20, 0] = labels[10:, 1] = 1
  images = make_images(
    [f"{i}.png" for i in range(30)], range(30), labels, rng.random((30, 2)),
    NAMES,
  )  # fmt: skip
  table = collector.table()
  results = evaluation.assemble(
    images.classification(),
    table,
    dataset="phantom",
    provenance={"dataset": {}},
    findings=["Mass"],
    images=images,
    draws=20,
  )
  job.workdir.mkdir(parents=True)
  config = flags.parse([f"--system={job.system}", f"--workdir={job.workdir}"])
  workdir.store(config, {})
  write_folder(job.workdir, Evaluation(results, images, table))


@pytest.fixture
def trained(monkeypatch):
  """Records the trainings, and finishes each that is not to fail."""
  done = []

  class Trainings(list):
    failing = ""

  record = Trainings(done)
  record.options = []

  def end_of(command, stdout):
    given = dict(w.lstrip("-").split("=") for w in command[3:] if "=" in w)
    name = given.get("system", "chexjax")
    record.append((name, int(given["seed"])))
    record.options.append(given)
    stdout.write("error: it is so\n")
    if name == record.failing:
      return 3
    plan = compare.parse([*ARGV, f"--workdir={record.folder}"])
    finish(
      next(job for job in plan.jobs() if (job.system, job.seed) == record[-1])
    )
    return 0

  class Process:
    def __init__(self, command, *, stdout, stderr, env):
      self.status = end_of(command, stdout)

    def wait(self):
      return self.status

  monkeypatch.setattr(compare.subprocess, "Popen", Process)
  return record


def run(folder, trained, *more):
  trained.folder = folder
  return compare.main([*ARGV, f"--workdir={folder}", *more])


def test_what_is_missing_is_trained_and_tables_are_written(
  tmp_path, trained, capsys
):
  assert run(tmp_path, trained) == 0
  every = [("chexjax", 0), ("cam", 0), ("chexjax", 1), ("cam", 1)]
  assert trained == every
  said = capsys.readouterr().out
  assert "4 of 4 trainings are done" in said
  tree = json.loads((tmp_path / "comparison.json").read_text())
  assert tree["systems"]["cam"]["seeds"] == 2
  text = (tmp_path / "tables.md").read_text()
  assert "image-blind box" in text
  # The drawn films have nothing to do with what others have published.
  assert "Hermoza et al. 2020" not in text
  page = (tmp_path / "report.html").read_text("utf-8")
  assert "Run here" in page
  assert page.count("<img") == 1
  # Nothing is trained twice.
  assert run(tmp_path, trained) == 0
  assert trained == every


def test_a_training_that_fails_does_not_stop_the_others(
  tmp_path, trained, capsys
):
  trained.failing = "cam"
  assert run(tmp_path, trained) == 3
  assert trained == [("chexjax", 0), ("cam", 0), ("chexjax", 1), ("cam", 1)]
  said = capsys.readouterr().out
  assert "cam, seed 0: ended with status 3" in said
  assert "error: it is so" in said
  assert not (tmp_path / "tables.md").exists()
  trained.failing = ""
  assert run(tmp_path, trained) == 0
  assert trained[4:] == [("cam", 0), ("cam", 1)]


def test_what_another_process_is_at_is_left_to_it(tmp_path, trained, capsys):
  with held(tmp_path / "cam" / ".seed0.job"):
    assert run(tmp_path, trained) == 0
  assert ("cam", 0) not in trained
  assert "cam, seed 0: another process is at it" in capsys.readouterr().out
  assert not (tmp_path / "tables.md").exists()


def test_each_training_starts_from_its_own_in_another_comparison(
  tmp_path, trained
):
  first, second = tmp_path / "drawn", tmp_path / "real"
  assert run(first, trained) == 0
  assert not any("init" in options for options in trained.options)
  assert run(second, trained, f"--init_from={first}") == 0
  assert [options["init"] for options in trained.options[4:]] == [
    str(first / name / f"seed{seed}") for name, seed in trained[4:]
  ]


def test_a_start_that_is_not_there_is_named_before_any_training(
  tmp_path, trained, capsys
):
  assert run(tmp_path / "drawn", trained) == 0
  (tmp_path / "drawn" / "cam" / "seed1" / "evaluation.npz").unlink()
  with pytest.raises(SystemExit) as caught:
    run(tmp_path / "real", trained, f"--init_from={tmp_path / 'drawn'}")
  assert caught.value.code == 2
  said = capsys.readouterr().err
  assert str(tmp_path / "drawn" / "cam" / "seed1") in said
  assert str(tmp_path / "drawn" / "cam" / "seed0") not in said


def test_all_systems_are_those_that_see_no_box(tmp_path):
  plan = compare.parse(["--systems=all", f"--workdir={tmp_path}"])
  assert plan.systems[0] == "chexjax"
  assert set(SYSTEMS) - set(plan.systems) == {"li2018_like_boxes"}


def test_a_signal_reaches_the_trainings(tmp_path, monkeypatch, capsys):
  # Prints once it can be stopped, then ends as a run does: with status 75.
  child = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))\n"
    "print('started', flush=True)\n"
    "time.sleep(60)\n"
  )
  plan = compare.parse(["--systems=chexjax", f"--workdir={tmp_path}"])
  monkeypatch.setattr(compare, "for_system", lambda options, system: [])
  (tmp_path / "child.py").write_text(child)
  (tmp_path / "python").write_text(
    f"#!/bin/sh\nexec {sys.executable} {tmp_path / 'child.py'}\n"
  )
  (tmp_path / "python").chmod(0o755)
  monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
  log = tmp_path / "chexjax" / "seed0.log"

  def stop():
    while not (log.is_file() and log.read_text()):
      time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)

  before = signal.getsignal(signal.SIGTERM)
  thread = threading.Thread(target=stop)
  thread.start()
  try:
    assert compare.compare(plan) == compare.STOPPED
  finally:
    thread.join()
  assert signal.getsignal(signal.SIGTERM) is before
  assert "the same command goes on" in capsys.readouterr().out


@pytest.mark.parametrize(
  ("argv", "said"),
  [
    (["--systems=cam"], "--systems must have chexjax"),
    (["--systems=chexjax,cma"], "did you mean cam?"),
    (
      ["--systems=chexjax,li2018_like_boxes"],
      "--systems=li2018_like_boxes is trained on boxes of test films",
    ),
    (["--box_folds=3"], "--box_folds needs a system that is trained on boxes"),
    (["--seeds=0"], "--seeds must be at least 1"),
    (["--seed=3"], "--seed is set for each training: give --seeds"),
    (["--init=runs/x", "--init_from=runs/y"], "give one"),
    (["--stage1.epochs=-1"], "--stage1.epochs must be positive"),
  ],
)
def test_a_wrong_option_is_named_before_any_training(
  argv, said, trained, capsys
):
  with pytest.raises(SystemExit) as caught:
    compare.main(argv)
  assert caught.value.code == 2
  assert said in capsys.readouterr().err
  assert not trained
