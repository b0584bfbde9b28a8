"""Two processes on this machine are one run."""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
from tiny import STEPS, TINY, TINY_OWN

from experiments import flags
from experiments.run import main

pytestmark = pytest.mark.slow
REPO = pathlib.Path(__file__).parents[2]


def start(folder, *options):
  """Starts both; their output goes to `0.log` and `1.log`."""
  with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
  processes = []
  for number in range(2):
    with (folder / f"{number}.log").open("a") as log:
      processes.append(
        subprocess.Popen(
          [
            sys.executable, "-m", "experiments.run",
            *(TINY_OWN if "data_dir" in str(options) else TINY), *options,
            f"--workdir={folder / 'two'}", f"--cache_dir={folder / 'cache'}",
            f"--coordinator=127.0.0.1:{port}", "--num_processes=2",
            f"--process_id={number}",
          ],
          cwd=REPO, stdout=log, stderr=subprocess.STDOUT,
        )
      )  # fmt: skip
  return processes


def finish(folder, processes):
  """Waits for both; returns exit statuses and what they printed."""
  statuses = [process.wait(300) for process in processes]
  return statuses, [(folder / f"{n}.log").read_text() for n in range(2)]


def rows(workdir):
  text = (workdir / "metrics.jsonl").read_text()
  return [json.loads(line) for line in text.splitlines()]


def test_two_processes_train_as_one_and_stop_together(tmp_path):
  options = [
    "--stage=1", "--log_every=1", "--save_every=100",
    "--eval_every_epochs=100",
  ]  # fmt: skip
  processes = start(tmp_path, *options)
  log = tmp_path / "two" / "metrics.jsonl"
  while not (log.exists() and log.read_bytes().count(b"\n")):
    assert processes[0].poll() is None, (tmp_path / "0.log").read_text()
    time.sleep(0.01)
  # One process is told, both stop after the same step.
  processes[1].send_signal(signal.SIGTERM)
  statuses, printed = finish(tmp_path, processes)
  assert statuses in ([75, 75], [0, 0]), printed
  if statuses[0]:
    statuses, printed = finish(tmp_path, start(tmp_path, *options))
  assert statuses == [0, 0], printed
  assert "done in" in printed[0]
  assert "done in" not in printed[1]
  one = tmp_path / "one"
  assert (
    main([
      *TINY, *options, f"--workdir={one}", f"--cache_dir={tmp_path / 'cache'}",
    ])
    == 0
  )  # fmt: skip
  ours, theirs = rows(tmp_path / "two"), rows(one)
  assert [r["step"] for r in ours] == list(range(1, STEPS + 1))
  # float32 sums in another order, through a batch norm of few pixels.
  np.testing.assert_allclose(
    [r["loss"] for r in ours], [r["loss"] for r in theirs], rtol=1e-4
  )
  assert ours[-1]["auc"] == pytest.approx(theirs[-1]["auc"], abs=0.02)
  results = json.loads((tmp_path / "two" / "results.json").read_text())
  assert any(auc is not None for auc in results["auc"].values())


def test_a_failure_of_one_ends_both(tmp_path):
  (tmp_path / "own").mkdir()
  processes = start(tmp_path, f"--data_dir={tmp_path / 'own'}")
  statuses, printed = finish(tmp_path, processes)
  assert statuses == [2, 2]
  assert all(str(tmp_path / "own") in text for text in printed)


def test_a_process_needs_its_coordinator(capsys):
  with pytest.raises(SystemExit):
    flags.parse(["--process_id=1"])
  assert "--coordinator" in capsys.readouterr().err
  # No cluster here that JAX could know.
  assert main(["--coordinator=auto"]) == 2
  assert "error: --coordinator=auto: " in capsys.readouterr().err
