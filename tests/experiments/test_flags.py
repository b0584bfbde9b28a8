"""The command line: overrides, typos, and workdirs of another run."""

import pytest

from experiments import flags
from experiments.configs import CONFIGS
from experiments.system_options import for_system


def test_an_override_wins_over_the_named_configuration():
  config = flags.parse(
    ["--config=phantom", "--stage1.epochs=2", "--augment.flip=False"]
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
      "--evidence.area needs --detection_loss=evidence",
    ),
    (["--model.explore=1.5"], "--model.explore must be in 0..1, got 1.5"),
    (["--system=cma"], "did you mean cam?"),
    (["--system=cam", "--stage=3"], "--stage=3: cam is trained in stage 1"),
    (
      ["--system=cam", "--model.hidden=8"],
      "--model.hidden is not read by --system=cam",
    ),
    (
      ["--system=pylon", "--evidence.area=1"],
      "--evidence is not read by --system=pylon",
    ),
    (
      ["--system=yao2018_like", "--model.block_sizes", "1", "1"],
      "--model.block_sizes is not read by --system=yao2018_like",
    ),
  ],
)
def test_a_wrong_value_is_named(argv, said, capsys):
  with pytest.raises(SystemExit) as caught:
    flags.parse(argv)
  assert caught.value.code == 2
  assert said in capsys.readouterr().err


def test_a_folder_that_is_no_set_says_what_would_be_one(tmp_path, capsys):
  with pytest.raises(SystemExit):
    flags.parse([f"--data_dir={tmp_path}"])
  assert "holds neither a labels.csv" in capsys.readouterr().err


def test_a_folder_with_labels_is_a_set_of_ones_own(tmp_path):
  folder = tmp_path / "films"
  folder.mkdir()
  (folder / "labels.csv").write_text("")
  config = flags.parse([f"--data_dir={folder}"])
  assert config.config == "own"
  assert config.workdir.as_posix() == "runs/films"
  assert config.min_steps > 0
  # The network is the one that the weights fit.
  ours = flags.parse([f"--data_dir={folder}", "--init=imagenet"]).model
  paper = CONFIGS["paper"].model
  assert (ours.growth, ours.crop_stages) == (paper.growth, paper.crop_stages)
  released = flags.parse([f"--data_dir={folder}", "--init", "released"]).model
  assert released.pooling == CONFIGS["released"].model.pooling == "lse_lba"


def test_a_typo_gets_a_suggestion(capsys):
  with pytest.raises(SystemExit):
    flags.parse(["--batch_sise=4"])
  assert "batch_size" in capsys.readouterr().err


def test_a_system_has_a_workdir_beside_ours_and_reads_its_widths():
  config = flags.parse(["--system=pylon", "--model.hidden=8"])
  assert config.workdir.as_posix() == "runs/phantom_pylon"
  assert (config.stage, config.model.hidden) == (1, 8)


def test_options_for_all_systems_are_given_to_those_that_read_them():
  argv = [
    "--stage=3", "--model.block_sizes", "1", "1", "--model.crop_size=8",
    "--stage1.epochs=2", "--stage2.epochs", "1", "--evidence.area=1",
    "--seed=4",
  ]  # fmt: skip
  assert for_system(argv, "chexjax") == argv
  assert for_system(argv, "cam") == [
    "--model.block_sizes", "1", "1", "--stage1.epochs=2", "--seed=4",
    "--system=cam",
  ]  # fmt: skip
  assert "--model.block_sizes" not in for_system(argv, "yao2018_like")
