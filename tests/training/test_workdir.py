"""A workdir's run goes on with its own options and data only."""

import dataclasses
import json

import pytest

from chexjax.data.sources import Dataset
from chexjax.training import workdir
from chexjax.training.config import Config
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.weights.variables import try_checkpoint
from experiments.configs import CONFIGS

METADATA = {
  "findings": ["Mass", "Nodule"],
  "size": 128,
  "validation": "seed34",
  "split_hash": "aa",
  "files": {"labels.csv": {"sha256": "bb"}},
  "counts": {"train": 3},
}


def test_other_data_is_refused_by_the_name_of_what_differs(tmp_path):
  config = Config(workdir=tmp_path)
  workdir.check_data(config, Dataset({}, METADATA))
  # How many images were found may change between two machines.
  workdir.check_data(config, Dataset({}, METADATA | {"counts": {"train": 4}}))
  for field, value in (
    ("findings", ["Mass"]),
    ("split_hash", "cc"),
    ("files", {"labels.csv": {"sha256": "dd"}}),
  ):
    with pytest.raises(ValueError, match=f"began with other data: {field}: "):
      workdir.check_data(config, Dataset({}, METADATA | {field: value}))


def test_a_workdir_of_another_configuration_is_refused(tmp_path):
  config = dataclasses.replace(CONFIGS["phantom"], workdir=tmp_path)
  workdir.store(config, {})
  workdir.store(dataclasses.replace(config, stage=1), {})
  with pytest.raises(ValueError, match="--seed: there 0, here 5"):
    workdir.store(dataclasses.replace(config, seed=5), {})


def test_a_workdir_older_than_an_option_has_its_default(tmp_path):
  config = dataclasses.replace(CONFIGS["phantom"], workdir=tmp_path)
  workdir.store(config, {})
  path = tmp_path / "config.json"
  record = json.loads(path.read_text())
  del record["config"]["precision"]
  path.write_text(json.dumps(record))
  workdir.store(config, {})
  with pytest.raises(ValueError, match="--precision: there float32, here bf"):
    workdir.store(dataclasses.replace(config, precision="bfloat16"), {})


@pytest.mark.parametrize("name", ["results.json", "checkpoints"])
def test_what_is_in_the_way_of_a_run_is_named(tmp_path, name):
  workdir.check_places(tmp_path / "none")
  workdir.check_places(tmp_path)
  if "." in name:
    (tmp_path / name).mkdir()
  else:
    (tmp_path / name).write_text("")
  with pytest.raises(OSError, match=rf"{name} is a (file|folder), and a run"):
    workdir.check_places(tmp_path)


def test_rows_of_strangers_are_dropped_from_the_log(tmp_path):
  log = tmp_path / "metrics.jsonl"
  log.write_bytes(
    b'{"stage": 1, "step": 1}\n3\nnull\n{"step": "x", "stage": null}\n'
    b'{"stage": 1, "step": 2}\n\x00\xff\n{"sta'
  )
  MetricsWriter(tmp_path, stage=1, start=1).close()
  assert log.read_text() == '{"stage": 1, "step": 1}\n'


def test_a_folder_that_cannot_hold_checkpoints_is_said_once(tmp_path, capfd):
  (tmp_path / "checkpoints").write_text("")
  with pytest.raises(OSError, match=r"checkpoints is no folder"):
    try_checkpoint(tmp_path / "checkpoints")
  assert capfd.readouterr().err == ""
