"""Starts two programs at once that want the same thing.

  python tests/faults/clash.py --times=5

The same phantom and records in a new cache, the same workdir, the same folder
for two evaluations; the second starts up to two seconds after the first. Of two
that build the same both must end with 0 and the same figures; of two that write
into one folder one must, and the other do the same or be refused by name with
status 2. None may print a traceback. The last lines count for each kind what
was tried, survived and lost.
"""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

REPO = pathlib.Path(__file__).parents[2]
sys.path += [str(REPO / "tests" / "helpers"), str(REPO / "tests")]

from conftest import _XLA_FLAGS  # noqa: E402
from tiny import TINY  # noqa: E402

KEPT = ("auc", "localization", "gains", "counts")


def start(name, *options):
  """Starts a program; what it says is kept in a pipe."""
  return subprocess.Popen(
    [sys.executable, "-m", f"experiments.{name}", *map(str, options)],
    cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    env=os.environ | {"XLA_FLAGS": _XLA_FLAGS},
  )  # fmt: skip


def train(workdir, cache):
  """Starts a small run."""
  return start(
    "run", *TINY, "--stage=1", "--save_every=2", f"--workdir={workdir}",
    f"--cache_dir={cache}",
  )  # fmt: skip


def figures(folder):
  """Reads what must be the same each time."""
  tree = json.loads((folder / "results.json").read_text())
  return {key: tree.get(key) for key in KEPT}


def one_cache(place, of):
  """Two runs that build the same phantom and the same records."""
  return [
    (lambda i=i: train(place / f"run{i}", place / "cache"), place / f"run{i}")
    for i in range(2)
  ]


def one_workdir(place, of):
  """Two runs in one workdir."""
  return [(lambda: train(place / "run", of / "cache"), place / "run")] * 2


def one_out(place, of):
  """Two evaluations of a run into one folder."""

  def evaluate():
    return start(
      "evaluate", f"--workdir={of / 'run'}", f"--out={place / 'out'}",
      "--draws=20",
    )  # fmt: skip

  return [(evaluate, place / "out")] * 2


KINDS = {"one cache": one_cache, "one workdir": one_workdir, "one out": one_out}


def clash(pairs, rng, want, log):
  """Starts both; returns how each ended, and what was wrong with it."""
  (first, one), (second, other) = pairs
  before = first()
  time.sleep(rng.uniform(0, 2))
  after = second()
  said = [process.communicate(timeout=600)[0] for process in (before, after)]
  log.write_text("\n----\n".join(said))
  ends = (before.returncode, after.returncode)
  allowed = {0} if one != other else {0, 2}
  found = []
  if 0 not in ends or not set(ends) <= allowed:
    found.append(f"ended with {ends}")
  for end, text in zip(ends, said):
    if "Traceback" in text:
      found.append("a traceback")
    if end == 2 and str(one) not in text:
      found.append("refused without the name")
  if not found:
    found = [
      f"other figures in {folder}"
      for folder in {one, other}
      if figures(folder) != want
    ]
  return ends, found


def main(argv=None):
  """Tries them; returns the number of clashes that ended otherwise."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--folder", type=pathlib.Path)
  parser.add_argument("--times", type=int, default=5)
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS])
  options = parser.parse_args(argv)
  root = options.folder or pathlib.Path(tempfile.mkdtemp())
  root.mkdir(parents=True, exist_ok=True)
  of, rng = root / "alone", random.Random(options.seed)
  alone = train(of / "run", of / "cache")
  said = alone.communicate()[0]
  if alone.returncode:
    sys.exit(f"the run that is alone failed:\n{said}")
  want, lost = figures(of / "run"), 0
  for kind in options.kinds:
    ok = 0
    for number in range(options.times):
      place = root / kind.replace(" ", "_") / f"{number}"
      place.mkdir(parents=True)
      ends, found = clash(KINDS[kind](place, of), rng, want, place / "said.txt")
      ok += not found
      print(f"{kind} {number}: {ends} {found or 'as alone'}", flush=True)
    lost += options.times - ok
    print(f"{kind}: tried {options.times}, survived {ok}")
  print(f"lost {lost}")
  return lost


if __name__ == "__main__":
  sys.exit(main())
