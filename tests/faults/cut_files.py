"""Damages every file of a finished run and of its cache; runs every command.

  python tests/faults/cut_files.py --folder=DIR
  python tests/faults/cut_files.py --share=0.1 --seed=3

Each file is cut at three random places, emptied, and taken away, one at a time;
for a command that does not read the file, it is cut once and taken away.
Then each command must end with status 0 and the figures that it had before, or
with 2 or 74 and a sentence: never with a traceback, never with other figures.
All runs in one process, so that a command takes seconds, not minutes. Each end
is noted in `ends.jsonl` of the folder, so that the same command goes on where
it was stopped. The last lines count, for each part of the run, what was tried
and how it ended.
"""

import argparse
import collections
import contextlib
import io
import json
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import traceback

REPO = pathlib.Path(__file__).parents[2]
sys.path.append(str(REPO / "tests" / "helpers"))

# Compiled badly, which takes a third of the time.
os.environ.setdefault(
  "XLA_FLAGS",
  "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false",
)

import jax  # noqa: E402
import matplotlib.figure  # noqa: E402
from tiny import TINY  # noqa: E402

from chexjax.commands import cache, convert, evaluate, predict, report  # noqa: E402
from chexjax.commands.console import run_command  # noqa: E402
from experiments import run  # noqa: E402

COMMANDS = ("run", "evaluate", "report", "predict", "convert", "cache")
CUTS = 3
# Of many files that are alike only the first ones are damaged.
ALIKE = 2
# A command of these takes seconds; what takes this long hangs.
LONGEST = 300


class Place:
  """A finished run with its cache, which can be put back as it was."""

  def __init__(self, root):
    self.root = root
    self.live, self.whole = root / "live", root / "whole"
    self.options = [
      *TINY, "--stage=1", "--image_size=128", "--max_steps=2",
      f"--workdir={self.live / 'run'}", f"--cache_dir={self.live / 'cache'}",
      "--log_every=1", "--save_every=1",
    ]  # fmt: skip

  def commands(self):
    """Lists name -> function and arguments."""
    workdir, out = self.live / "run", self.live / "out"
    return {
      "run": (run.main, self.options),
      "evaluate": (evaluate.main, [f"--workdir={workdir}", "--draws=20"]),
      "report": (report.main, [f"--workdir={workdir}"]),
      "predict": (
        predict.main,
        [f"--weights={workdir}", f"--out={out / 'predicted'}",
         "--no_compilation_cache", str(self.root / "film.png")],
      ),
      "convert": (
        convert.main, [f"--weights={workdir}", f"--out={out / 'converted'}"],
      ),
      "cache": (cache.main, [f"--cache_dir={self.live / 'cache'}"]),
    }  # fmt: skip

  def make(self, names):
    """Trains the run, if it is not there; notes what each command gives."""
    if not self.whole.exists():
      for name in ("run", "evaluate", "report"):
        status, said = call(*self.commands()[name])
        assert status == 0, said
      film = sorted(self.live.glob("cache/phantom/*/images/*.png"))[0]
      shutil.copy(film, self.root / "film.png")
      shutil.copytree(self.live, self.whole)
    self.figures, self.read = {}, {}
    for name in names:
      self.restore()
      there = [path for path in self.live.rglob("*") if path.is_file()]
      for path in there:
        os.utime(path, (0, path.stat().st_mtime))
      status, said = call(*self.commands()[name])
      assert status == 0, (name, said)
      # Without atime in the mount nothing is read, it seems: then all is tried.
      self.read[name] = {
        path.relative_to(self.live)
        for path in there
        if not path.exists() or path.stat().st_atime > 0
      } or {path.relative_to(self.live) for path in there}
      self.figures[name] = self.found(name)

  def restore(self):
    """Puts everything back as it was."""
    shutil.rmtree(self.live, ignore_errors=True)
    shutil.copytree(self.whole, self.live)

  def files(self):
    """Lists the files to damage, with the part that each belongs to."""
    kinds = collections.Counter()
    found = []
    for path in sorted(p for p in self.whole.rglob("*") if p.is_file()):
      within = path.relative_to(self.whole)
      if within.name == ".lock" or ".locks" in within.parts:
        continue
      part = "/".join(within.parts[:2])
      kind = within.parent if path.suffix else part
      kinds[kind, path.suffix] += 1
      alone = within.parent.name == "run" or "checkpoints" in within.parts
      if alone or kinds[kind, path.suffix] <= ALIKE:
        found.append((part, within))
    return found

  def found(self, name):
    """Returns the figures that a command has left."""
    if name in ("run", "evaluate"):
      tree = json.loads((self.live / "run" / "results.json").read_text())
      kept = ("auc", "localization", "gains", "counts")
      return {key: tree.get(key) for key in kept}
    if name == "predict":
      path = self.live / "out" / "predicted" / "predictions.csv"
      return path.read_text()
    if name == "convert":
      from chexjax.weights.loading import load_model

      _, variables, info = load_model(self.live / "out" / "converted")
      sums = [float(x.sum()) for x in jax.tree.leaves(variables)]
      return sums, str(info)
    if name == "report":
      return (self.live / "run" / "report.html").exists()
    return None


def draw_coarsely():
  """Makes matplotlib quick: the figures are not looked at."""
  save = matplotlib.figure.Figure.savefig

  def coarse(figure, *args, **options):
    figure.set_layout_engine("none")
    return save(figure, *args, **options | {"dpi": 10})

  matplotlib.figure.Figure.savefig = coarse


def call(main, options):
  """Runs a command; returns its status and all that it said."""
  said = io.StringIO()
  signal.signal(signal.SIGALRM, signal.default_int_handler)
  signal.alarm(LONGEST)
  with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    try:
      status = run_command(lambda: main(options))
    except SystemExit as stop:
      status = stop.code
    except BaseException:
      traceback.print_exc()
      status = "traceback"
  signal.alarm(0)
  return status, said.getvalue()


def damages(data, rng):
  """Lists what becomes of a file: bytes, or None for a file that is gone."""
  cuts = sorted({rng.randrange(1, len(data)) for _ in range(CUTS)}) if (
    len(data) > 1
  ) else []  # fmt: skip
  return [*(f"cut at {cut}" for cut in cuts), "emptied", "missing"]


def damage(path, what):
  """Does to a file what `damages` has said."""
  if what == "missing":
    path.unlink()
  elif what == "emptied":
    path.write_bytes(b"")
  else:
    path.write_bytes(path.read_bytes()[: int(what.rsplit(" ", 1)[1])])


def verdict(place, name, status, said):
  """Returns how a command has ended, and why that is wrong or nothing."""
  if status == "traceback" or "Traceback (most recent" in said:
    return "lost", "traceback"
  if "no image of test" in said:
    return "lost", "no image of test"
  if status in (2, 74):
    return "refused", "" if "error: " in said else "no sentence"
  if status != 0:
    return "lost", f"status {status}"
  scored = (place.live / "run" / "results.json").exists()
  if name in ("convert", "predict") and not scored:
    # Weights of a run that was not scored: they have no thresholds.
    return "as before", ""
  try:
    found = place.found(name)
  except Exception as error:
    return "lost", f"no figures: {error!r}"
  if found != place.figures[name]:
    return "lost", "other figures"
  return "as before", ""


def cases(place, options):
  """Lists (part, file, damage, command) in random order, as `--seed` says."""
  found = []
  for part, within in place.files():
    rng = random.Random(f"{options.seed} {within}")
    kinds = damages((place.whole / within).read_bytes(), rng)
    for what in kinds:
      for name in options.commands:
        if within not in place.read[name] and what not in (
          kinds[0],
          "missing",
        ):
          continue
        if options.only in str(within) and rng.random() < options.share:
          found.append((part, str(within), what, name))
  random.Random(options.seed).shuffle(found)
  return found


def attempt(place, within, what, name):
  """Runs a command on what is damaged: its end, why it is wrong, its words."""
  place.restore()
  damage(place.live / within, what)
  status, said = call(*place.commands()[name])
  return (*verdict(place, name, status, said), said)


def print_table(noted):
  """Prints, for each part of the run, how many commands ended how."""
  counts = collections.defaultdict(collections.Counter)
  for part, *_, end, why in noted:
    counts[part][end if not why else "lost"] += 1
  ends = ("as before", "refused", "lost")
  print("| part | tried | " + " | ".join(ends) + " |")
  for part, ended in sorted(counts.items()):
    row = [str(ended.total()), *(str(ended[end]) for end in ends)]
    print(f"| {part} | " + " | ".join(row) + " |")


def main(argv=None):
  """Tries them; returns the number of wrong ends."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--folder", type=pathlib.Path)
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument("--share", type=float, default=1.0)
  parser.add_argument("--only", default="", help="part of a path")
  parser.add_argument(
    "--commands", nargs="+", choices=COMMANDS, default=COMMANDS
  )
  options = parser.parse_args(argv)
  root = options.folder or pathlib.Path(tempfile.mkdtemp())
  root.mkdir(parents=True, exist_ok=True)
  draw_coarsely()
  place = Place(root)
  place.make(options.commands)
  journal = root / "ends.jsonl"
  journal.touch()
  noted = [json.loads(line) for line in journal.read_text().splitlines()]
  done = {tuple(row[:4]) for row in noted}
  left = [case for case in cases(place, options) if case not in done]
  for number, case in enumerate(left):
    if number % 50 == 0:
      # What was compiled for a workdir is of no use to the next ones.
      jax.clear_caches()
    _, within, what, name = case
    end, why, said = attempt(place, within, what, name)
    noted.append([*case, end, why])
    with journal.open("a") as file:
      print(json.dumps(noted[-1]), file=file)
    if why:
      print(f"{within} {what}: {name}: {why}", flush=True)
      (root / f"said{len(noted)}.txt").write_text(said)
  print_table(noted)
  return sum(bool(row[-1]) for row in noted)


if __name__ == "__main__":
  sys.exit(main())
