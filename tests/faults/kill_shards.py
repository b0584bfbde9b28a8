"""Kills predict --shard at random moments and compares what is merged.

  python tests/faults/kill_shards.py --films=200 --shards=3 --kills=4

Each shard is killed with SIGKILL a few times while it predicts, then started
until it ends. What `merge` makes of the parts must have every film once, with
the probabilities and boxes of a run that nobody killed. The last line says how
many shards were killed and how many films were lost, doubled or other.
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

import numpy as np
from PIL import Image

REPO = pathlib.Path(__file__).parents[2]
sys.path.append(str(REPO / "tests" / "helpers"))

from tiny_workdir import make_workdir  # noqa: E402


def start(*arguments):
  """Starts a command of the clone without its output."""
  return subprocess.Popen(
    [sys.executable, "-m", *map(str, arguments)],
    cwd=REPO,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
    env=os.environ | {"PYTHONUNBUFFERED": "1"},
  )


def kill_while_it_writes(process, journal, rng):
  """Kills a program once the journal has grown; returns whether it lived."""
  before = journal.stat().st_size if journal.exists() else 0
  while process.poll() is None:
    if journal.exists() and journal.stat().st_size > before:
      time.sleep(rng.uniform(0, 0.1))
      process.send_signal(signal.SIGKILL)
      return process.wait() == -signal.SIGKILL
    time.sleep(0.001)
  return False


def records(path):
  """Reads each film's probabilities and boxes from predictions.json."""
  images = json.loads(path.read_text())["images"]
  found = {
    image["file"]: {
      name: (of["probability"], of["box"])
      for name, of in image["findings"].items()
    }
    for image in images
  }
  return found, len(images) - len(found)


def differ(ours, theirs):
  """Says whether a film's predictions are others, past a batch's rounding."""
  return any(
    abs(ours[name][0] - probability) > 1e-6
    or not np.allclose(ours[name][1], box, atol=1)
    for name, (probability, box) in theirs.items()
  )


def main(argv=None):
  """Runs the comparison; returns the number of films that are wrong."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--films", type=int, default=200)
  parser.add_argument("--shards", type=int, default=3)
  parser.add_argument("--kills", type=int, default=4)
  parser.add_argument("--format", default="jsonl", choices=("jsonl", "parquet"))
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument("--weights", type=pathlib.Path)
  parser.add_argument("--folder", type=pathlib.Path)
  options = parser.parse_args(argv)
  rng, root = random.Random(options.seed), options.folder
  root = root or pathlib.Path(tempfile.mkdtemp())
  (root / "films").mkdir(parents=True)
  for number in range(options.films):
    noise = np.random.default_rng(number).integers(0, 256, (128, 128), "u1")
    Image.fromarray(noise).save(root / "films" / f"{number:05}.png")
  weights = options.weights or make_workdir(root / "run")[0]
  given = (f"--weights={weights}", "--batch_size=2", root / "films")
  plain = start("experiments.predict", f"--out={root / 'plain'}", *given)
  if plain.wait():
    sys.exit("the run that nobody killed failed")
  killed = 0
  parts = root / "parts"
  for number in range(1, options.shards + 1):
    name = f"shard-{number:05}-of-{options.shards:05}.jsonl"
    command = (
      "experiments.predict", f"--out={parts}", f"--format={options.format}",
      f"--shard={number}/{options.shards}", "--no_overlays", *given,
    )  # fmt: skip
    for _ in range(options.kills):
      killed += kill_while_it_writes(start(*command), parts / name, rng)
    if start(*command).wait():
      sys.exit(f"{name} failed after its kills")
  merge = (f"--predictions={parts}", f"--out={root / 'merged'}")
  if start("experiments.merge", *merge).wait():
    sys.exit("the parts could not be merged")
  theirs, _ = records(root / "plain" / "predictions.json")
  ours, doubled = records(root / "merged" / "predictions.json")
  lost = len(theirs.keys() - ours.keys())
  other = sum(differ(ours[file], theirs[file]) for file in ours)
  print(
    f"{options.shards} shards killed {killed} times, {len(ours)} films: {lost} "
    f"lost, {doubled} doubled, {other} other"
  )
  return lost + doubled + other


if __name__ == "__main__":
  sys.exit(main())
