"""`figures.csv`: every figure with its interval, one a line."""

import csv
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

from chexjax.evaluation.outputs.table_cells import Results
from chexjax.evaluation.protocols.bootstrap import Interval
from chexjax.evaluation.protocols.threshold_choice import PROTOCOLS

CSV_HEADER = (
  "measure",
  "box_from",
  "protocol",
  "component",
  "finding",
  "value",
  "low",
  "high",
)


class _Line(NamedTuple):
  measure: str
  box_from: str
  protocol: str
  component: str
  finding: str
  value: float | None
  interval: Interval


def figures_csv(results: Results) -> str:
  """Return every figure as a line, long format; undefined is empty.

  Args:
    results: tree of `assemble`.

  Returns:
    The text of `figures.csv`.
  """
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(CSV_HEADER)
  for lines in (_classification, _localization, _gains, _detection):
    for line in lines(results):
      value = "" if line.value is None else line.value
      writer.writerow([*line[:5], value, *(line.interval or ("", ""))])
  return text.getvalue()


def _walk(
  tree: dict[str, Any], spans: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], float | None, Interval]]:
  """Yield path, value and interval of every figure."""
  for key, value in tree.items():
    span = spans.get(key) if isinstance(spans, dict) else None
    if isinstance(value, dict):
      yield from _walk(value, span, (*path, key))
    else:
      yield (*path, key), value, span


def _classification(results: Results) -> Iterator[_Line]:
  for kind in ("auc", "average_precision"):
    spans = results.get(f"{kind}_interval") or {}
    for finding, value in results[kind].items():
      yield _Line(kind, "", "", "", finding, value, spans.get(finding))


def _localization(results: Results) -> Iterator[_Line]:
  """Yield the figures of the main component, then those of the others."""
  for tree in results:
    component = tree.removeprefix("localization_")
    if tree == "localization":
      component = results["protocol"]["component"]
      spans = results.get("localization_interval")
    elif component != tree and component != "interval":
      spans = None
    else:
      continue
    for (name, protocol, *measure, finding), value, span in _walk(
      results[tree], spans
    ):
      yield _Line(
        ".".join(measure), name, protocol, component, finding, value, span
      )


def _gains(results: Results) -> Iterator[_Line]:
  component = results["protocol"]["component"]
  for row, references in results.get("gains", {}).items():
    for reference, of in references.items():
      for protocol in PROTOCOLS:
        for measure, gains in of[protocol].items():
          what = f"gain.{reference}.{measure}"
          for finding, gain in gains.items():
            at = (what, row, protocol, component, finding)
            yield _Line(*at, gain["difference"], gain["interval"])


def _detection(results: Results) -> Iterator[_Line]:
  spans = results.get("detection_interval")
  for (name, protocol, *measure, finding), value, span in _walk(
    results.get("detection", {}), spans
  ):
    yield _Line(".".join(measure), name, protocol, "", finding, value, span)
