"""Kills the real program at random moments and compares how it ends.

  python tests/faults/kill_and_resume.py --runs=20
  python tests/faults/kill_and_resume.py --runs=5 --signal=SIGTERM

Each run is started, killed with SIGKILL once or several times, started again
until it finishes, and compared with a run that nobody killed: parameters,
optimizer state and batch statistics of the last checkpoint of each stage, and
`metrics.jsonl`, all bit for bit. Another signal must be answered within 30 s:
by exit status 75, by 0 where the run was just finished, or by the signal's own
where the program had not begun. The last line says how many were tried, how
many came back equal, and how many were lost.
"""

import argparse
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import jax
import numpy as np
import orbax.checkpoint as ocp

REPO = pathlib.Path(__file__).parents[2]
sys.path.append(str(REPO / "tests" / "helpers"))

from tiny import STEPS, TINY  # noqa: E402

OPTIONS = [
  *TINY, "--eval_every_epochs=0.2", "--save_every=1",
  "--log_every=1", "--num_examples=0",
]  # fmt: skip


def start(workdir, cache, stages, log=None):
  """Starts the program; its output goes to `log`, or beside the workdir."""
  with open(log or f"{workdir}.log", "a") as log:
    return subprocess.Popen(
      [sys.executable, "-m", "experiments.run", *OPTIONS,
       f"--stage={stages}", f"--workdir={workdir}", f"--cache_dir={cache}"],
      cwd=REPO, stdout=log, stderr=subprocess.STDOUT,
      env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip


def wait_for_steps(workdir, count, process):
  """Waits until `count` rows are logged, or the program ends."""
  path = workdir / "metrics.jsonl"
  while process.poll() is None:
    if path.exists() and path.read_bytes().count(b"\n") >= count:
      return
    time.sleep(0.002)


def last_states(workdir, stages):
  """Reads each stage's last checkpoint as `{path: array}`."""
  states = {}
  for stage in range(1, stages + 1):
    folder = workdir / "checkpoints" / f"stage{stage}" / str(STEPS) / "state"
    restored = ocp.StandardCheckpointer().restore(folder.absolute())
    for path, leaf in jax.tree_util.tree_leaves_with_path(restored):
      states[f"stage{stage}{jax.tree_util.keystr(path)}"] = np.asarray(leaf)
  return states


def differences(workdir, reference, stages):
  """Lists what differs between two finished workdirs."""
  found = []
  ours, theirs = (last_states(w, stages) for w in (workdir, reference))
  if ours.keys() != theirs.keys():
    found.append(f"leaves {sorted(ours.keys() ^ theirs.keys())[:4]}")
  for name in ours.keys() & theirs.keys():
    if not np.array_equal(ours[name], theirs[name], equal_nan=True):
      found.append(name)
  logs = [(w / "metrics.jsonl").read_text() for w in (workdir, reference)]
  if logs[0] != logs[1]:
    found.append("metrics.jsonl")
  steps = [
    (r["stage"], r["step"]) for r in map(json.loads, logs[0].split("\n")[:-1])
  ]
  if len(steps) != len(set(steps)):
    found.append("a step is logged twice")
  return found


def kill_and_resume(workdir, cache, stages, rng, kills, number):
  """Kills the program at `kills` random moments, then lets it finish."""
  moments = sorted(rng.sample(range(1, stages * STEPS), kills))
  for moment in moments:
    process = start(workdir, cache, stages)
    wait_for_steps(workdir, moment, process)
    # Anywhere in the step that follows: its save, its evaluation, the next
    # stage's beginning.
    time.sleep(rng.uniform(0, 0.3))
    process.send_signal(number)
    status = process.wait(30)
    if status not in (0, 75, -number):
      return status
  return start(workdir, cache, stages).wait()


def main(argv=None):
  """Runs the comparison; returns the number of runs that ended otherwise."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--runs", type=int, default=20)
  parser.add_argument("--stages", type=int, default=3, choices=(1, 2, 3))
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument(
    "--signal", type=signal.Signals.__getitem__, default=signal.SIGKILL
  )
  parser.add_argument("--folder", type=pathlib.Path)
  options = parser.parse_args(argv)
  rng, stages = random.Random(options.seed), options.stages
  root = options.folder or pathlib.Path(tempfile.mkdtemp())
  root.mkdir(parents=True, exist_ok=True)
  cache, reference = root / "cache", root / "reference"
  if start(reference, cache, stages).wait():
    sys.exit(f"the run that nobody killed failed, see {reference}.log")
  equal = 0
  for run in range(options.runs):
    workdir = root / f"run{run}"
    kills = rng.choice((1, 1, 2, 3))
    status = kill_and_resume(workdir, cache, stages, rng, kills, options.signal)
    found = [f"exit {status}"]
    if not status:
      found = differences(workdir, reference, stages)
    equal += not found
    print(f"run {run}, {kills} kills: {found or 'equal'}", flush=True)
  lost = options.runs - equal
  print(f"tried {options.runs}, survived {equal}, lost {lost}")
  return lost


if __name__ == "__main__":
  sys.exit(main())
