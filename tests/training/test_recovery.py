"""A damaged newest checkpoint: the stage goes on from the one before it."""

import contextlib
import shutil

import jax.numpy as jnp
import pytest

from chexjax.training.checkpoints import Checkpoints
from chexjax.training.recovery import going_back
from chexjax.weights.variables import DamagedCheckpoint

STEPS = (1, 2, 3)
LIKE = {"step": jnp.zeros(()), "x": jnp.zeros(5)}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
  root = tmp_path_factory.mktemp("saved") / "run"
  for stage in (1, 2):
    folder = root / "checkpoints" / f"stage{stage}"
    with contextlib.closing(Checkpoints(folder)) as checkpoints:
      for step in STEPS:
        state = {"step": jnp.float32(step), "x": jnp.full(5, step / 2)}
        checkpoints.save(step, state, inputs={"at": step}, auc=None)
  return root


@pytest.fixture
def run(saved, tmp_path):
  shutil.copytree(saved, tmp_path / "run")
  return tmp_path / "run"


def restored(stage):
  """Returns the step that a stage goes on from."""

  def work():
    with contextlib.closing(Checkpoints(stage)) as checkpoints:
      state, inputs = checkpoints.restore(checkpoints.latest_step(), LIKE)
    assert state["step"] == inputs["at"]
    return inputs["at"]

  return going_back(work, stage)


@pytest.mark.parametrize(
  ("name", "cut"), [("state/manifest.ocdbt", 0), ("inputs/metadata", 3)]
)
def test_it_goes_on_from_the_one_before(run, capsys, name, cut):
  stage = run / "checkpoints" / "stage2"
  path = stage / "3" / name
  path.write_bytes(path.read_bytes()[:cut])
  assert restored(stage) == 2
  said = capsys.readouterr().err
  assert f"{stage}/3 is damaged" in said
  assert "goes on from step 2" in said
  # Nothing is lost, and what trains on may save the step again.
  assert (run / "damaged" / "stage2-step3" / name).stat().st_size == cut
  with contextlib.closing(Checkpoints(stage)) as checkpoints:
    checkpoints.save(3, LIKE, inputs={"at": 0}, auc=None)
  assert restored(stage) == 0


def test_names_that_are_taken_are_not_overwritten(run):
  stage = run / "checkpoints" / "stage2"
  (run / "damaged" / "stage2-step3").mkdir(parents=True)
  (stage / "3" / "state" / "manifest.ocdbt").unlink()
  assert restored(stage) == 2
  assert (run / "damaged" / "stage2-step3-1" / "state").is_dir()


def test_the_last_one_is_left_where_it_is(run):
  stage = run / "checkpoints" / "stage2"
  for step in (2, 3):
    (stage / f"{step}" / "state" / "manifest.ocdbt").unlink()
  with pytest.raises(DamagedCheckpoint, match="stage2/2 is damaged"):
    restored(stage)
  assert (stage / "2").is_dir()


def test_a_stage_on_which_another_was_built_is_not_trained_again(run):
  stage = run / "checkpoints" / "stage1"
  (stage / "3" / "state" / "manifest.ocdbt").unlink()
  with pytest.raises(DamagedCheckpoint, match=r"after `rm -r .*stage1/3`"):
    restored(stage)
  assert not (run / "damaged").exists()
