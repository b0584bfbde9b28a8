"""A learning curve: the same recipe on 10 %, 30 % and all training films.

python -m experiments.learning_curve --data_dir=DIR --out=runs/curve

Each share is a run of its own under --out, which goes on where it stopped; one
that is scored is not run again. Then `curve.csv` and `curve.png` are written:
mean AUC and mean cross-fitted IoU on the test films, with their intervals.
"""

import csv
import dataclasses
import io
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any, Literal

from chexjax.commands.console import run_command, status_of
from chexjax.commands.options import parse
from chexjax.io import read_json, replacing, write_text

COLUMNS = ("share", "films", "figure", "value", "low", "high")


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `learning_curve`."""

  data_dir: pathlib.Path
  """Folder of the films, as experiments.run takes it."""
  out: pathlib.Path
  """Folder of the runs, the table and the figure."""
  config: Literal["nih_mini", "own", "paper", "released"] = "nih_mini"
  """Recipe of all runs."""
  shares: tuple[float, ...] = (0.1, 0.3, 1.0)
  """Shares of the training patients."""
  init: str | None = None
  """Weights that each run starts from, as experiments.run takes them."""
  whole: pathlib.Path | None = None
  """Workdir of a run on all films that stands for the share 1."""
  map: str = "mix"
  """Map whose IoU is drawn; sal where only stage 1 is trained."""
  stage: int = 3
  """Last stage of each run."""
  min_steps: int = 0
  """Steps of a stage at least, so that few films are not trained on shortly."""
  cache_dir: pathlib.Path = pathlib.Path("~/.cache/chexjax")
  """Folder of built records."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="learning_curve", description=__doc__)
  wrong = [share for share in options.shares if not 0 < share <= 1]
  if wrong or not options.shares:
    said = f"--shares must be above 0, at most 1, got {options.shares}"
    print(f"error: {said}", file=sys.stderr)
    return 2
  try:
    return _run(options)
  except (OSError, ValueError, KeyError) as error:
    print(f"error: {error}", file=sys.stderr)
    return status_of(error)


def _run(options: Options) -> int:
  rows: list[dict[str, Any]] = []
  for share in sorted(options.shares):
    workdir = options.out / f"share_{share:g}"
    if share == 1 and options.whole is not None:
      workdir = options.whole
    if (workdir / "results.json").is_file():
      _check_recipe(options, share, workdir)
    else:
      status = subprocess.run(command(options, share, workdir), check=False)
      if status.returncode:
        return status.returncode
    rows += figures(workdir, share, options.map)
  options.out.mkdir(parents=True, exist_ok=True)
  text = io.StringIO()
  writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
  writer.writeheader()
  writer.writerows(rows)
  write_text(options.out / "curve.csv", text.getvalue())
  with replacing(options.out / "curve.png") as scratch:
    draw(rows, scratch)
  print(text.getvalue())
  return 0


def _recipe(options: Options, share: float) -> dict[str, object]:
  """Return the options that make a run the one that is asked for."""
  return {
    "config": options.config,
    "train_share": share,
    "stage": options.stage,
    "min_steps": options.min_steps,
    "init": options.init,
  }


def _check_recipe(
  options: Options, share: float, workdir: pathlib.Path
) -> None:
  """Raise ValueError if a finished run is another than the one asked for."""
  stored = read_json(workdir / "config.json")["config"]
  for name, value in _recipe(options, share).items():
    if stored[name] != value:
      raise ValueError(
        f"{workdir} was trained with --{name}={stored[name]}, and {value} is "
        "asked for; give another folder, or remove this one"
      )


def command(options: Options, share: float, workdir: pathlib.Path) -> list[str]:
  """Return the command line of one run."""
  given = {
    "data_dir": options.data_dir,
    "workdir": workdir,
    "cache_dir": options.cache_dir,
    "num_examples": 0,
    **_recipe(options, share),
  }
  if options.init is None:
    del given["init"]
  options_of = [f"--{name}={value}" for name, value in given.items()]
  return [sys.executable, "-m", "experiments.run", *options_of]


def figures(
  workdir: pathlib.Path, share: float, name: str
) -> list[dict[str, Any]]:
  """Read the figures of a run.

  Args:
    workdir: scored.
    share: of the training patients.
    name: map whose IoU is read.

  Returns:
    Rows of `COLUMNS`: AUC, the map's IoU, and that of the image-blind box.

  Raises:
    ValueError: the run has no such map.
  """
  results = read_json(workdir / "results.json")
  places = results["localization"]
  if name not in places:
    raise ValueError(
      f"{workdir} has no map {name}; it has {', '.join(places)}: give --map"
    )
  spans = results["localization_interval"]
  found = {"AUC": (results["auc"]["mean"], results["auc_interval"]["mean"])}
  titles = {name: f"IoU, {name}", "image_blind": "image-blind IoU"}
  for row, title in titles.items():
    found[title] = (
      places[row]["crossfit"]["iou"]["mean"],
      spans[row]["crossfit"]["iou"]["mean"],
    )
  lines = (workdir / "splits.csv").read_text("utf-8").splitlines()
  films = sum(line.endswith(",train") for line in lines)
  return [
    {
      "share": share,
      "films": films,
      "figure": title,
      "value": value,
      "low": span[0] if span else None,
      "high": span[1] if span else None,
    }
    for title, (value, span) in found.items()
  ]


def draw(rows: Sequence[dict[str, Any]], path: pathlib.Path) -> None:
  """Draw the figures over the number of films, with their intervals.

  Args:
    rows: of `figures`, of all runs.
    path: PNG to write.
  """
  from chexjax.report.small_multiples import save_png, small_multiples

  titles = list(dict.fromkeys(row["figure"] for row in rows))
  panels = [[titles[0]], titles[1:]]
  figure, axes = small_multiples(2, 2, width=3.2, height=2.6)
  for axis, names in zip(axes, panels):
    for name in names:
      mine = [
        row for row in rows if row["figure"] == name and row["low"] is not None
      ]
      films = [row["films"] for row in mine]
      values = [row["value"] for row in mine]
      below = [row["value"] - row["low"] for row in mine]
      above = [row["high"] - row["value"] for row in mine]
      axis.errorbar(
        films, values, [below, above], marker="o", capsize=3, label=name
      )
    axis.set_xscale("log")
    axis.set_xticks(films, [f"{count:,}" for count in films])
    axis.minorticks_off()
    axis.set_xlabel("training films")
    axis.set_title(" and ".join(names), fontsize=9)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=7)
  with path.open("wb") as file:
    save_png(figure, file)


if __name__ == "__main__":
  sys.exit(run_command(main))
