"""The main job on a folder with a labels.csv."""

import json

import jax
import jax.numpy as jnp
import pytest
from tiny import TINY_OWN

from chexjax.commands import report
from chexjax.data.pipeline import train_batches
from chexjax.training import initial_weights, setup
from chexjax.training.datasets import open_data
from chexjax.training.stages import Run
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step
from chexjax.weights.loading import shapes_of
from experiments import flags
from experiments.run import main

OPTIONS = [*TINY_OWN, "--image_size=128", "--stage=1"]


@pytest.mark.slow
def test_two_findings_with_boxes(own_folder, tmp_path):
  own, workdir = own_folder(tmp_path / "own"), tmp_path / "w"
  own.write()
  assert main([*OPTIONS, f"--data_dir={own.path}", f"--workdir={workdir}"]) == 0
  results = json.loads((workdir / "results.json").read_text())
  assert results["dataset"] == "folder own"
  assert set(results["auc"]) == {"Cat", "Dog", "mean"}
  assert results["counts"]["boxes"] == {"Cat": 3, "Dog": 3}
  assert "not ours" not in (workdir / "tables.md").read_text()
  assert list((workdir / "figures").glob("Cat_*.png"))


def test_twenty_findings(own_folder, tmp_path):
  findings = [f"F{k:02}" for k in range(20)]
  own = own_folder(tmp_path / "own", findings)
  argv = [*OPTIONS, f"--data_dir={own.write()}", f"--workdir={tmp_path / 'w'}"]
  config = flags.parse(argv)
  job = Run(config, open_data(config), initial_weights.load(config))
  assert job.names == findings
  # Shapes alone: to compile a step takes as long as all other tests here.
  variables = shapes_of(job.model)
  tx = setup.make_tx(config, 1, 1, 20)
  state = jax.eval_shape(lambda v: create_state(v, tx, stage=1), variables)
  batches = train_batches(job.dataset.splits["train"], batch_size=4, seed=0)
  beta = jnp.ones(20)
  step = make_train_step(
    job.model, tx, job.mesh, stage=1, beta_pos=beta, beta_neg=beta
  )
  after, metrics = jax.eval_shape(step, state, next(batches), jax.random.key(0))
  assert after.params.keys() == variables["params"].keys()
  assert metrics["loss"].shape == ()


@pytest.mark.slow
def test_no_box_at_all_still_gives_tables_and_a_report(
  own_folder, tmp_path, capsys
):
  own, workdir = own_folder(tmp_path / "own"), tmp_path / "w"
  own.boxes = own.boxes[:1]
  argv = [f"--data_dir={own.write()}", f"--workdir={workdir}"]
  assert main([*OPTIONS, *argv]) == 0
  assert "## Table 1" in (workdir / "tables.md").read_text()
  said = capsys.readouterr().out
  assert said.count("no test film has a true box: places are not scored") == 1
  assert said.index("no finding has 10 test patients") < said.index("weights:")
  for row in ("IoU", "example figures", "validation image has a box"):
    assert row not in said
  page = (workdir / "report.html").read_text("utf-8")
  assert "Mean IoU" not in page
  assert "0 pairs" not in page
  assert report.main([f"--workdir={workdir}"]) == 0
  results = json.loads((workdir / "results.json").read_text())
  # Three patients are no mean.
  assert results["auc"]["Cat"] is not None
  assert results["auc"]["mean"] is None


def test_faults_of_the_tables_end_the_run(own_folder, tmp_path, capsys):
  own = own_folder(tmp_path / "own")
  own.labels[3] = own.labels[3].replace(".png", ".jpg")
  own.write()
  argv = [f"--data_dir={own.path}", f"--workdir={tmp_path / 'w'}"]
  assert main([*argv, "--image_size=128"]) == 2
  assert "a/02.jpg is not in the folder" in capsys.readouterr().err
