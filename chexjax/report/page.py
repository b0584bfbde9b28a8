"""One HTML file of an evaluation, or of two side by side, for a browser.

Everything is inside: style, script, figures and pictures (as data URIs), so
that it opens from a disk without a server or a network. Names from data are
escaped by Jinja2, in the JSON blocks too.
"""

import base64
import importlib.resources
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation import without_untrained
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.outputs.formats import cell
from chexjax.evaluation.outputs.paper_tables import NAMES, main_map, row_label
from chexjax.evaluation.protocols.measurement import chosen_boxes
from chexjax.report.cases import Cases

DISCLAIMER = "Research software, not a medical device."
_PLACES = 4  # digits of box edges, as shares of the image


class Run(NamedTuple):
  """One evaluation to show.

  Attributes:
    label: what the page calls it.
    results: tree of `evaluation.assemble`.
    record: an `evaluation.record.Record`.
    measures: of `measure_table`.
    cases: a `Cases`, or None without pictures.
  """

  label: str
  results: dict
  record: Any
  measures: dict
  cases: Cases | None


def _uri(data: bytes, kind: str) -> str:
  return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def png_uri(data: bytes) -> str:
  """Returns a PNG as a data URI."""
  return _uri(data, "png")


def jpeg_uri(data: bytes) -> str:
  """Returns a JPEG as a data URI."""
  return _uri(data, "jpeg")


def predicted_boxes(run: Run) -> dict[str, np.ndarray]:
  """Returns map -> `[P, 4]` under cross-fitted thresholds; NaN without.

  An untrained head's maps are left out: they have rows in tables, no pictures.
  """
  table, component = run.record.table, run.record.component
  return {
    name: chosen_boxes(table, run.measures, name, "crossfit", component)
    for name in without_untrained(table.boxes)
  }


class Pictures:
  """Collects base64 pictures, each once, and numbers them."""

  def __init__(self) -> None:
    """Starts empty."""
    self.data: list[str] = []
    self._number: dict[tuple, int] = {}

  def add(self, cases: Cases | None, file: str | None) -> int | None:
    """Returns the number of a picture; None where there is none."""
    if cases is None or file is None:
      return None
    key = (id(cases), file)
    if key not in self._number:
      self._number[key] = len(self.data)
      self.data.append(base64.b64encode(cases.read(file)).decode())
    return self._number[key]


def _share(box, frame) -> list[float] | None:
  """Returns a box as shares of the image; None where there is none."""
  if not np.isfinite(box).all() or not overlap.area(box) > 0:
    return None
  height, width = frame
  return np.round(np.divide(box, [width, height] * 2), _PLACES).tolist()


def _case_rows(run: Run, pictures: Pictures) -> list[dict]:
  """Returns what one run says of every true box, in its table's order."""
  table, images = run.record.table, run.record.images
  boxes = predicted_boxes(run)
  if not len(table.image):
    return []
  score = images.scores[
    images.places(table.image), images.columns(table.finding)
  ]
  rows = []
  for p in range(len(table.image)):
    stored = run.cases.rows[p]["maps"] if run.cases is not None else {}
    maps = {}
    for name in boxes:
      box = boxes[name][p]
      found = _share(box, table.frame)
      iou = overlap.iou(np.nan_to_num(box), table.true_box[p])
      maps[name] = {
        "picture": pictures.add(run.cases, stored.get(name, {}).get("file")),
        "high": stored.get(name, {}).get("high"),
        "box": found,
        "iou": round(float(iou), 4),
      }
    rows.append({"score": round(float(score[p]), 4), "maps": maps})
  return rows


def case_data(runs: Sequence[Run]) -> tuple[dict, list[str]]:
  """Returns the case browser's data, and its pictures as base64 JPEGs.

  Two runs must hold the same boxed pairs; the first gives the order.
  """
  first, pictures = runs[0], Pictures()
  table = first.record.table
  sides = [_case_rows(run, pictures) for run in runs]
  places: list[dict] = [{} for _ in runs]
  for place, run in zip(places, runs):
    theirs = run.record.table
    for p in range(len(theirs.image)):
      box = tuple(np.divide(theirs.true_box[p], theirs.frame[1]).round(4))
      place[theirs.image[p], theirs.finding[p], box] = p
  rows = []
  for p, (image, finding) in enumerate(zip(table.image, table.finding)):
    box = tuple(np.divide(table.true_box[p], table.frame[1]).round(4))
    film = next(
      (
        (run.cases, run.cases.images[image])
        for run in runs
        if run.cases is not None and image in run.cases.images
      ),
      (None, None),
    )
    rows.append(
      {
        "image": str(image),
        "finding": str(finding),
        "film": pictures.add(*film),
        "true": _share(table.true_box[p], table.frame),
        "runs": [
          side[place[image, finding, box]] for side, place in zip(sides, places)
        ],
      }
    )
  findings = [str(f) for f in dict.fromkeys(sorted(table.finding.tolist()))]
  about = {
    "findings": findings,
    "runs": [
      {
        "label": run.label,
        "maps": [
          {"name": n, "title": NAMES.get(n, n)}
          for n in without_untrained(run.record.table.boxes)
        ],
      }
      for run in runs
    ],
    "rows": rows,
  }
  return about, pictures.data


def _span(pair) -> str:
  return f" ({cell(tuple(pair))})" if pair else ""


def summary(run: Run) -> list[tuple[str, str]]:
  """Returns the key figures and the origin of a run, as pairs of words."""
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
      cell(results["auc"]["mean"])
      + _span(results.get("auc_interval", {}).get("mean")),
    ),
  ]
  for protocol in ("oracle", "crossfit", "predicted"):
    if protocol in tree:
      span = spans.get(protocol, {}).get("iou", {}).get("mean")
      value = cell(tree[protocol]["iou"]["mean"]) + _span(span)
      title = row_label(results, name, protocol)
      pairs.append((f"Mean IoU, {title}, {protocol}", value))
  pairs += [
    ("Mean IoU, image-blind box, crossfit", cell(blind)),
    ("Boxes", f"{sum(counts['boxes'].values()):,}"),
    ("Split hash", str(dataset.get("split_hash", "not recorded"))),
    ("Data_Entry", str(dataset.get("data_entry_version", "not recorded"))),
    ("Revision", str(origin.get("git_revision"))),
    ("Command", str(origin.get("command", "not recorded"))),
  ]
  return pairs


def comparison_rows(tree: dict) -> list[list]:
  """Returns the lines of a comparison: figure, a, b, difference, interval."""
  rows = [
    ["AUC", "", "", name.replace("_", " "), *of.values()]
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
        what = [label, NAMES.get(name, name), protocol.replace("_", " ")]
        rows.append([*what, "mean", *figures["mean"].values()])
  for row in rows:
    row[-1] = tuple(row[-1]) if row[-1] else None
  return rows


def render(
  *,
  title: str,
  runs: Sequence[Run],
  tables: Sequence[Sequence[Any]],
  notes: Sequence[Sequence[str]],
  figures: Sequence[Sequence[tuple[str, str]]],
  comparison: list[list] | None = None,
) -> str:
  """Writes the page.

  Args:
    title: heading.
    runs: one or two.
    tables: for each run its `tables.Table`s.
    notes: for each run what the figures mean.
    figures: for each run `(caption, data URI)`.
    comparison: of `comparison_rows`.
  """
  import jinja2

  folder = importlib.resources.files("chexjax.report") / "templates"
  sources = {
    name: (folder / name).read_text(encoding="utf-8")
    for name in ("page.html", "page.css", "page.js")
  }
  # Newlines are kept as they are; everything is escaped unless marked safe.
  environment = jinja2.Environment(
    loader=jinja2.DictLoader(sources),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  about, pictures = case_data(runs)
  return environment.get_template("page.html").render(
    title=title,
    disclaimer=DISCLAIMER,
    css=sources["page.css"],
    script=sources["page.js"],
    runs=[
      {
        "label": run.label,
        "summary": summary(run),
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
    cell=cell,
  )
