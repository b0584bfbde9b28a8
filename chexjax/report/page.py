"""One HTML file of an evaluation, or of two side by side, for a browser.

Style, script, figures and pictures (as data URIs) are in the file, so that it
opens from a disk without a server or a network. Jinja2 escapes all names from
data, in the JSON blocks too.
"""

import importlib.resources
from collections.abc import Collection, Sequence
from typing import Any

from chexjax.evaluation.outputs.table_cells import Cell, cell_text, map_label
from chexjax.extras import require
from chexjax.report.case_answers import call_rows
from chexjax.report.case_browser import case_data
from chexjax.report.embedded import Figure, grouped
from chexjax.report.key_figures import (
  option_differences,
  origin,
  summary,
  terms,
)
from chexjax.report.run import Run, predicted_boxes
from chexjax.report.verdict import verdict
from chexjax.report.whose_films import whose_films

__all__ = [
  "DISCLAIMER",
  "Run",
  "case_data",
  "comparison_rows",
  "predicted_boxes",
  "render",
  "summary",
]
DISCLAIMER = "Research software, not a medical device."

# One script of the page, in this order.
_SCRIPTS = (
  "tables.js",
  "cases.js",
  "case_zoom.js",
  "case_list.js",
  "case_controls.js",
)


def comparison_rows(tree: dict[str, Any]) -> list[list[Any]]:
  """Return the lines of a comparison of two runs.

  Args:
    tree: of `comparison.compare`.

  Returns:
    Lines of figure, map, protocol, finding, value of the first run, value of
    the second, difference, its interval as a tuple or None, and whether it is
    beyond chance, corrected for the number of findings (Holm).
  """
  keys = ("a", "b", "difference", "interval", "apart")
  rows: list[list[Any]] = [
    ["AUC", "", "", name.replace("_", " "), *(of[key] for key in keys)]
    for name, of in tree["auc"].items()
  ]
  for name, by_protocol in tree["localization"].items():
    for protocol, of in by_protocol.items():
      for label, figures in (
        ("IoU", of["iou"]),
        ("cDice", of["cdice"]),
        ("T(0.3)", of["t_iou"]["0.3"]),
        ("T(0.5)", of["t_iou"]["0.5"]),
      ):
        what = [label, map_label(name), protocol.replace("_", " ")]
        values = [figures["mean"][key] for key in keys]
        rows.append([*what, "mean", *values])
  for row in rows:
    row[7] = tuple(row[7]) if row[7] else None
  return rows


def render(
  *,
  title: str,
  runs: Sequence[Run],
  tables: Sequence[Sequence[Any]],
  notes: Sequence[Sequence[str]],
  figures: Sequence[Sequence[Figure]],
  comparison: list[list[Any]] | None = None,
  compared: Sequence[str] = (),
) -> str:
  """Return the page as HTML.

  Args:
    title: heading.
    runs: one or two.
    tables: for each run its tables, of `all_tables`.
    notes: for each run what the figures mean.
    figures: for each run its figures.
    comparison: of `comparison_rows`; None for one run.
    compared: verdict on the comparison, a sentence each.

  Returns:
    The text of the file.

  Raises:
    ImportError: Jinja2 is not installed.
  """
  about, pictures = case_data(runs)
  return fill_template(
    "page.html",
    _SCRIPTS,
    title=title,
    runs=[
      {
        "label": run.label,
        "verdict": verdict(run.results),
        "words": run.results.get("summary", []),
        "summary": summary(run),
        "origin": origin(run),
        "calls": call_rows(run),
        "tables": run_tables,
        "notes": run_notes,
        "groups": grouped(list(run_figures)),
      }
      for run, run_tables, run_notes, run_figures in zip(
        runs, tables, notes, figures
      )
    ],
    terms=terms(runs),
    options=option_differences(runs) if len(runs) == 2 else [],
    comparison=comparison and [row[:8] for row in comparison],
    comparison_bold={n for n, row in enumerate(comparison or ()) if row[8]},
    compared=compared,
    about=about,
    pictures=pictures,
    films=list(dict.fromkeys(map(whose_films, runs))),
  )


def numeric_columns(rows: Sequence[Sequence[Cell]]) -> Collection[int]:
  """Return the columns of a table that hold a figure in some row.

  Args:
    rows: of cells.
  """
  return {
    column
    for row in rows
    for column, value in enumerate(row)
    if isinstance(value, int | float | tuple)
  }


def fill_template(name: str, scripts: Sequence[str], **values: Any) -> str:
  """Fill a template of this room; names from data are escaped.

  Args:
    name: of the template.
    scripts: files of the page's script, in their order.
    **values: what the template asks for, beside style and script.

  Returns:
    The page.

  Raises:
    ImportError: Jinja2 is not installed.
  """
  require("report", "jinja2")
  import jinja2

  folder = importlib.resources.files("chexjax.report") / "templates"
  sources = {
    file: (folder / file).read_text(encoding="utf-8")
    for file in (name, "base.html", "grid.html", "page.css", *scripts)
  }
  # Everything is escaped unless marked safe; Jinja2's default escapes nothing.
  environment = jinja2.Environment(
    loader=jinja2.DictLoader(sources),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  return environment.get_template(name).render(
    disclaimer=DISCLAIMER,
    css=sources["page.css"],
    script="\n".join(sources[file] for file in scripts),
    cell=cell_text,
    numeric_columns=numeric_columns,
    **values,
  )
