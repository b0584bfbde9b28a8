"""Several systems trained and put side by side; the trainings are faked."""

import json

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation import LocalizationCollector, MapRule, make_images
from chexjax.evaluation.outputs.evaluation import Evaluation
from chexjax.evaluation.outputs.folder import write_folder
from chexjax.io import held
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

  def call(command, *, stdout, stderr, env):
    given = dict(w.lstrip("-").split("=") for w in command[3:] if "=" in w)
    name = given.get("system", "chexjax")
    record.append((name, int(given["seed"])))
    stdout.write("error: it is so\n")
    if name == record.failing:
      return 3
    plan = compare.parse([*ARGV, f"--workdir={record.folder}"])
    finish(
      next(job for job in plan.jobs() if (job.system, job.seed) == record[-1])
    )
    return 0

  monkeypatch.setattr(compare.subprocess, "call", call)
  return record


def run(folder, trained):
  trained.folder = folder
  return compare.main([*ARGV, f"--workdir={folder}"])


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


@pytest.mark.parametrize(
  ("argv", "said"),
  [
    (["--systems=cam"], "--systems must have chexjax"),
    (["--systems=chexjax,cma"], "did you mean cam?"),
    (["--seeds=0"], "--seeds must be at least 1"),
    (["--seed=3"], "--seed is set for each training: give --seeds"),
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
