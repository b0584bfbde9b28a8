"""The command line: overrides, typos, and workdirs of another run."""

import dataclasses
import json

import pytest

from experiments import flags
from experiments.configs import CONFIGS


def test_an_override_wins_over_the_named_configuration():
  config = flags.parse(
    ["--config=phantom", "--stage1.epochs=2", "--augment.flip=False"],
    prog="run",
  )
  assert config.stage1.epochs == 2
  assert config.augment.flip is False
  assert config.image_size == CONFIGS["phantom"].image_size


@pytest.mark.parametrize(
  ("argv", "said"),
  [
    (["--stage=4"], "--stage must be 1, 2 or 3, got 4"),
    (["--config=papr"], "did you mean paper?"),
    (["--config=paper"], "needs --data_dir=DIR"),
    (["--data_dir=/no/such/folder"], "is no folder"),
    (["--evidence.regions=1"], "--evidence.regions must be above 1, got 1"),
    (["--evidence.scale=0"], "--evidence.scale must be positive"),
    (
      ["--detection_loss=crop", "--evidence.area=1"],
      "--evidence.* needs --detection_loss=evidence",
    ),
    (["--model.explore=1.5"], "--model.explore must be in 0..1, got 1.5"),
  ],
)
def test_a_wrong_value_is_named(argv, said):
  with pytest.raises(SystemExit) as caught:
    flags.parse(argv, prog="run")
  assert said in str(caught.value)


def test_a_typo_gets_a_suggestion(capsys):
  with pytest.raises(SystemExit):
    flags.parse(["--batch_sise=4"], prog="run")
  assert "batch_size" in capsys.readouterr().err


def test_a_workdir_of_another_configuration_is_refused(tmp_path):
  config = dataclasses.replace(CONFIGS["phantom"], workdir=tmp_path)
  flags.store(config, {})
  flags.store(dataclasses.replace(config, stage=1), {})
  with pytest.raises(SystemExit, match="--seed: there 0, here 5"):
    flags.store(dataclasses.replace(config, seed=5), {})


def test_a_workdir_older_than_an_option_has_its_default(tmp_path):
  config = dataclasses.replace(CONFIGS["phantom"], workdir=tmp_path)
  flags.store(config, {})
  path = tmp_path / "config.json"
  record = json.loads(path.read_text())
  del record["config"]["precision"]
  path.write_text(json.dumps(record))
  flags.store(config, {})
  with pytest.raises(SystemExit, match="--precision: there float32, here bf"):
    flags.store(dataclasses.replace(config, precision="bfloat16"), {})
