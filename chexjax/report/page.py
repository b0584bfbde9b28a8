"""One HTML file of an evaluation, or of two side by side, for a browser.

Style, script, figures and pictures (as data URIs) are in the file, so that it
opens from a disk without a server or a network. Jinja2 escapes all names from
data, in the JSON blocks too.
"""

import base64
import importlib.resources
from collections.abc import Sequence
from typing import Any

from chexjax.evaluation.outputs.table_cells import (
  cell_text,
  main_map,
  map_label,
  row_label,
)
from chexjax.extras import require
from chexjax.report.case_browser import case_data
from chexjax.report.run import Run, predicted_boxes

__all__ = [
  "DISCLAIMER",
  "Run",
  "case_data",
  "comparison_rows",
  "jpeg_uri",
  "png_uri",
  "predicted_boxes",
  "render",
  "summary",
]
DISCLAIMER = "Research software, not a medical device."

# One script of the page, in this order.
_SCRIPTS = ("tables.js", "cases.js", "case_choice.js")


def _uri(data: bytes, kind: str) -> str:
  return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png_uri(data: bytes) -> str:
  """Return the bytes of a PNG as a data URI."""
  return _uri(data, "png")


def jpeg_uri(data: bytes) -> str:
  """Return the bytes of a JPEG as a data URI."""
  return _uri(data, "jpeg")


def _span(pair: Sequence[float] | None) -> str:
  """Return an interval in brackets, an empty text without one."""
  return f" ({cell_text(tuple(pair))})" if pair else ""


def summary(run: Run) -> list[tuple[str, str]]:
  """Return the key figures and the origin of a run.

  Returns:
    Pairs of a name and a value, as text.
  """
  results = run.results
  name, counts = main_map(results), results["counts"]
  tree = results["localization"][name]
  spans = results.get("localization_interval", {}).get(name, {})
  blind = results["localization"]["image_blind"]["crossfit"]["iou"]["mean"]
  origin = results["provenance"]
  dataset = origin.get("dataset", {})
  pairs = [
    ("Data", results["dataset"]),
    (
      f"Mean AUC over {counts['auc_findings']} findings",
      cell_text(results["auc"]["mean"])
      + _span(results.get("auc_interval", {}).get("mean")),
    ),
  ]
  for protocol in ("oracle", "crossfit", "predicted"):
    if protocol in tree:
      span = spans.get(protocol, {}).get("iou", {}).get("mean")
      value = cell_text(tree[protocol]["iou"]["mean"]) + _span(span)
      title = row_label(results, name, protocol)
      pairs.append((f"Mean IoU, {title}, {protocol}", value))
  inside = counts["localization_findings"]["oracle"]
  pairs += [
    ("Mean IoU, image-blind box, crossfit", cell_text(blind)),
    ("Findings in the mean IoU", str(inside)),
    ("Boxes", f"{sum(counts['boxes'].values()):,}"),
    ("Split hash", str(dataset.get("split_hash", "not recorded"))),
    ("Data_Entry", str(dataset.get("data_entry_version", "not recorded"))),
    ("Revision", str(origin.get("git_revision"))),
    ("Command", str(origin.get("command", "not recorded"))),
  ]
  return pairs


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
  figures: Sequence[Sequence[tuple[str, str]]],
  comparison: list[list[Any]] | None = None,
) -> str:
  """Return the page as HTML.

  Args:
    title: heading.
    runs: one or two.
    tables: for each run its tables, of `all_tables`.
    notes: for each run what the figures mean.
    figures: for each run pairs of a caption and a data URI.
    comparison: of `comparison_rows`; None for one run.

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
        "summary": summary(run),
        "words": run.results.get("summary", []),
        "tables": run_tables,
        "notes": run_notes,
        "figures": run_figures,
      }
      for run, run_tables, run_notes, run_figures in zip(
        runs, tables, notes, figures
      )
    ],
    comparison=comparison,
    about=about,
    pictures=pictures,
  )


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
    for file in (name, "grid.html", "page.css", *scripts)
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
    **values,
  )
