"""What a signal does, in this process."""

import json
import os
import shlex
import signal

import pytest
from tiny import STEPS, TINY

from chexjax.training import stages
from chexjax.training.stopping import EXIT_STATUS, Stopped, Stopping
from experiments.run import main


def test_a_signal_raises_except_where_work_is_finished_first():
  stopping = Stopping()
  before = signal.getsignal(signal.SIGTERM)
  with stopping.handled():
    with stopping.later():
      signal.raise_signal(signal.SIGTERM)
      assert stopping()
      with pytest.raises(Stopped, match="SIGTERM"), stopping.at_once():
        pytest.fail("an evaluation began after the signal")
    # The second signal is not ours.
    assert signal.getsignal(signal.SIGTERM) == before
  other = Stopping()
  with pytest.raises(Stopped, match="SIGINT"), other.handled():
    signal.raise_signal(signal.SIGINT)
  assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.slow
def test_the_main_job_saves_its_step_and_says_how_to_go_on(
  tmp_path, capsys, monkeypatch
):
  class Writer(stages.MetricsWriter):
    """Tells the program to stop when it writes its second row."""

    def write(self, step, values):
      super().write(step, values)
      if step == 2:
        os.kill(os.getpid(), signal.SIGTERM)

  monkeypatch.setattr(stages, "MetricsWriter", Writer)
  workdir = tmp_path / "w"
  argv = [
    *TINY, "--stage=1", "--eval_every_epochs=9999", "--save_every=9999",
    "--log_every=1", f"--workdir={workdir}",
    f"--cache_dir={tmp_path / 'a cache'}",
  ]  # fmt: skip
  assert main(argv) == EXIT_STATUS
  log = (workdir / "metrics.jsonl").read_text().splitlines()
  last = json.loads(log[-1])["step"]
  assert last < STEPS
  saved = (workdir / "checkpoints" / "stage1").glob("[0-9]*")
  assert [path.name for path in saved] == [str(last)]
  *_, said, command = capsys.readouterr().out.splitlines()
  assert said.startswith(f"stopped: stage 1 is saved at step {last} of {STEPS}")
  assert shlex.split(command) == ["python", "-m", "experiments.run", *argv]
