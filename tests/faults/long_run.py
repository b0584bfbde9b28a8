"""Watches memory, open files and threads of long runs of the real program.

  python tests/faults/long_run.py --steps=2000 --predictions=5000

Trains stage 1 of the phantom configuration and predicts a folder with the
result, once with all records in memory and once without. Each program is looked
at twice a second; what it held most of the time (the median) in the second
quarter of its run is compared with the last quarter: a validation has readers
of its own, and one quarter may see more of it. The
last line says whether anything grew: memory by more than 5 %, open files by one
or threads by more than one (docs/reliability.md says why).
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

REPO = pathlib.Path(__file__).parents[2]
NAMES = ("MiB resident", "open files", "threads")


def look(pid):
  """Returns resident MiB, open files and threads of a process."""
  status = pathlib.Path(f"/proc/{pid}/status").read_text()
  fields = dict(line.split(":", 1) for line in status.splitlines())
  return (
    int(fields["VmRSS"].split()[0]) / 1024,
    len(os.listdir(f"/proc/{pid}/fd")),
    int(fields["Threads"]),
  )


def watch(command, began):
  """Runs a command; looks at it from when `began` says so to its end."""
  seen = []
  process = subprocess.Popen(
    [sys.executable, "-m", *command], cwd=REPO, stdout=subprocess.DEVNULL
  )
  while process.poll() is None:
    try:
      if began():
        seen.append(look(process.pid))
    except (OSError, KeyError):  # it has just ended
      pass
    time.sleep(0.5)
  if process.returncode:
    sys.exit(f"{' '.join(command)} ended with {process.returncode}")
  return np.array(seen)


def growth(name, seen):
  """Prints how the second quarter compares with the last; returns faults."""
  quarters = np.array_split(seen, 4)
  before, after = (np.median(quarters[k], 0) for k in (1, 3))
  allowed = (0.05 * before[0], 0.5, 1)
  faults = []
  for what, a, b, more in zip(NAMES, before, after, allowed):
    print(f"{name}: {what} {a:.0f} in the second quarter, {b:.0f} in the last")
    if b - a > more:
      faults.append(f"{name}: {what}")
  return faults


def main(argv=None):
  """Runs all; returns what grew."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--steps", type=int, default=2000)
  parser.add_argument("--predictions", type=int, default=5000)
  parser.add_argument("--folder", type=pathlib.Path)
  options = parser.parse_args(argv)
  root = options.folder or pathlib.Path(tempfile.mkdtemp())
  workdir, films, out = root / "run", root / "films", root / "predictions"
  log = workdir / "metrics.jsonl"
  faults = growth(
    f"{options.steps} steps",
    watch(
      [
        "experiments.run", "--stage=1", f"--max_steps={options.steps}",
        f"--workdir={workdir}", f"--cache_dir={root / 'cache'}",
        "--phantom_images=1000", "--num_examples=0", "--log_every=20",
        "--eval_every_epochs=8",
      ],
      lambda: log.exists() and log.read_bytes().count(b"\n") > 2,
    ),
  )  # fmt: skip
  drawn = sorted(root.glob("cache/phantom/*/images*/**/*.png"))
  films.mkdir()
  for i in range(options.predictions):
    shutil.copy(drawn[i % len(drawn)], films / f"{i:05}.png")
  faults += growth(
    f"{options.predictions} predictions",
    watch(
      [
        "experiments.predict", f"--weights={workdir}", f"--out={out}",
        str(films),
      ],
      lambda: out.exists() and len(os.listdir(out)) > 50,
    ),
  )  # fmt: skip
  journal = root / "lines" / "shard-00001-of-00001.jsonl"
  faults += growth(
    f"{options.predictions} predictions as JSON lines",
    watch(
      [
        "experiments.predict", f"--weights={workdir}", "--format=jsonl",
        "--no_overlays", f"--out={root / 'lines'}", str(films),
      ],
      lambda: journal.exists() and journal.stat().st_size > 100_000,
    ),
  )  # fmt: skip
  print(f"grew: {', '.join(faults) or 'nothing'}")
  return faults


if __name__ == "__main__":
  sys.exit(bool(main()))
