"""The page and the tables of several systems side by side."""

import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.evaluation.outputs.side_by_side_tables import (
  published_notes,
  published_tables,
  run_here_tables,
  side_by_side_notes,
)
from chexjax.evaluation.outputs.table_cells import Table, map_label, value_at
from chexjax.evaluation.outputs.tables_markdown import markdown_table
from chexjax.evaluation.protocols.side_by_side import Trained, side_by_side
from chexjax.io import write_json, write_text
from chexjax.report import page
from chexjax.report.build import open_run
from chexjax.report.embedded import Figure, embed
from chexjax.report.small_multiples import save_png, small_multiples
from chexjax.report.verdict import side_by_side_verdict

_HEAD, _BLIND = "cross-fitted mean IoU", "image_blind"


def write_side_by_side(
  folders: Mapping[str, Sequence[pathlib.Path]],
  out: pathlib.Path,
  *,
  reference: str,
  titles: Mapping[str, str],
  maps: Mapping[str, str],
  assumed: Mapping[str, str],
  published: bool,
) -> str:
  """Write `comparison.json`, `tables.md` and `report.html`.

  Args:
    folders: system -> the folders of its scored trainings.
    out: folder of the three files.
    reference: system that the others are compared with.
    titles: system -> its name as people write it.
    maps: system -> the map that its boxes are cut from.
    assumed: system -> what its authors do not say; may be empty.
    published: whether the published figures stand below, in tables apart.

  Returns:
    The text of `tables.md`.

  Raises:
    FileNotFoundError: a folder lacks what an evaluation leaves.
    ValueError: two were not scored on the same films.
  """
  systems = {
    name: [_trained(path) for path in paths] for name, paths in folders.items()
  }
  tree = side_by_side(systems, reference=reference, maps=maps)
  tables = run_here_tables(tree, titles)
  theirs = published_tables() if published else []
  notes = side_by_side_notes(tree, titles, assumed)
  said = published_notes() if published else []
  write_json(out / "comparison.json", {"disclaimer": DISCLAIMER, **tree})
  text = _markdown(tables, theirs, notes, said)
  write_text(out / "tables.md", text)
  html = page.fill_template(
    "side_by_side.html",
    ("tables.js",),
    title=f"{len(systems)} systems side by side: chexjax report",
    verdict=side_by_side_verdict(tree, titles, maps),
    figures=_figures(tree, titles, maps),
    tables=tables,
    published=theirs,
    published_notes=said,
    notes=notes,
  )
  write_text(out / "report.html", html)
  return text


def _trained(path: pathlib.Path) -> Trained:
  run = open_run(path, path.name)
  return Trained(run.record, run.measures)


def _markdown(
  tables: Sequence[Table],
  theirs: Sequence[Table],
  notes: Sequence[str],
  said: Sequence[str],
) -> str:
  parts = ["# Systems side by side", DISCLAIMER]
  for table in (*tables, *theirs):
    parts += [f"## {table.title}", markdown_table(table)]
  lines = "\n".join(f"- {line}" for line in (*notes, *said))
  return "\n\n".join([*parts, "## What the figures mean", lines]) + "\n"


def _figures(
  tree: dict[str, Any], titles: Mapping[str, str], maps: Mapping[str, str]
) -> list[Figure]:
  """Draw AUC and IoU of every system, with intervals."""
  names = list(tree["systems"])
  auc = [tree["systems"][name]["auc"]["mean"] for name in names]
  at = ("crossfit", "iou", "mean")
  places = [
    value_at(tree["systems"][name], "localization", maps[name], *at)
    for name in names
  ]
  blind = value_at(tree["baselines"], _BLIND, *at, "value")
  figure, axes = small_multiples(2, 2, width=4.6, height=0.3 * len(names) + 0.8)
  labels = [titles[name] for name in names]
  _draw_intervals(axes[0], auc, labels, "mean AUC")
  boxes = [map_label(maps[name]) for name in names]
  _draw_intervals(axes[1], places, boxes, _HEAD)
  if blind is not None:
    axes[1].axvline(blind, color="#777777", linestyle="--", linewidth=1)
  file = io.BytesIO()
  save_png(figure, file)
  caption = (
    "Mean AUC, and cross-fitted mean IoU of the map that boxes are cut from; "
    "bars: 95 % of draws of patients; dots: seeds; dashed: image-blind box"
  )
  return [embed(file.getvalue(), caption)]


def _draw_intervals(
  axes: Any, records: Sequence[Any], labels: Sequence[str], title: str
) -> None:
  for row, of in enumerate(records):
    if of is None or of["value"] is None:
      continue
    if of["interval"]:
      axes.plot(of["interval"], [row, row], color="#0072B2", linewidth=2)
    seeds = [value for value in of["seeds"] if value is not None]
    axes.plot(seeds, [row] * len(seeds), ".", color="#D55E00", markersize=5)
    axes.plot([of["value"]], [row], "|", color="#0072B2", markersize=11)
  axes.set_yticks(range(len(labels)), labels)
  axes.invert_yaxis()
  axes.set_xlabel(title)
  axes.tick_params(labelsize=8)
