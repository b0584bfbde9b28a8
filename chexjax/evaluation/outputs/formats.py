"""Tables as Markdown, LaTeX and CSV."""

import csv
import io

from chexjax.evaluation.outputs.notes import notes
from chexjax.evaluation.outputs.paper_tables import NOT_OURS, all_tables
from chexjax.evaluation.protocols.threshold_choice import PROTOCOLS

_TEX = {
  "\\": r"\textbackslash{}",
  "&": r"\&",
  "%": r"\%",
  "$": r"\$",
  "#": r"\#",
  "_": r"\_",
  "{": r"\{",
  "}": r"\}",
  "~": r"\textasciitilde{}",
  "^": r"\textasciicircum{}",
}
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


def cell(value):
  """Write a cell as text; `-` is undefined."""
  if value is None:
    return "-"
  if isinstance(value, tuple):
    return f"{value[0]:.3f} to {value[1]:.3f}"
  return f"{value:.3f}" if isinstance(value, float) else str(value)


def _markdown_table(table):
  lines = [table.header, ["---"] + ["---:"] * (len(table.header) - 1)]
  for number, row in enumerate(table.rows):
    cells = [cell(value).replace("|", "\\|") for value in row]
    if number in table.foreign:
      name = 1 if table.header[0] == "measure" else 0
      cells[name] = f"**{NOT_OURS}** · {cells[name]}"
    lines.append(cells)
  return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown(results, *, published=False):
  """Write all tables.

  Args:
    results: tree of `results.assemble`.
    published: add the published figures, marked as not ours. Only for the
      official ChestX-ray14 test set: with other data they do not compare.
  """
  parts = [f"# Results on {results['dataset']}", results["disclaimer"]]
  for table in all_tables(results, published):
    parts += [f"## {table.title}", _markdown_table(table)]
  parts.append("## What the figures mean")
  parts.append("\n".join(f"- {line}" for line in notes(results)))
  return "\n\n".join(parts) + "\n"


def _tex(text):
  return "".join(_TEX.get(letter, letter) for letter in str(text))


def _latex_table(table):
  lines = [
    r"\begin{table}",
    rf"\caption{{{_tex(table.title)}}}",
    r"\begin{tabular}{l" + "r" * (len(table.header) - 1) + "}",
    r"\hline",
    " & ".join(map(_tex, table.header)) + r" \\",
    r"\hline",
  ]
  for number, row in enumerate(table.rows):
    cells = [_tex(cell(value)) for value in row]
    if number in table.foreign:
      name = 1 if table.header[0] == "measure" else 0
      cells[name] = rf"\emph{{{NOT_OURS}:}} {cells[name]}"
    lines.append(" & ".join(cells) + r" \\")
  lines += [r"\hline", r"\end{tabular}", r"\end{table}"]
  return "\n".join(lines)


def latex(results, *, published=False):
  """Write all tables as LaTeX `table` environments; as `markdown`."""
  parts = [f"% {results['disclaimer']}"]
  parts += map(_latex_table, all_tables(results, published))
  parts += [f"% {line}" for line in notes(results)]
  return "\n\n".join(parts) + "\n"


def _walk(tree, spans, path=()):
  """Yield path, value and interval of every figure."""
  for key, value in tree.items():
    span = spans.get(key) if isinstance(spans, dict) else None
    if isinstance(value, dict):
      yield from _walk(value, span, (*path, key))
    else:
      yield (*path, key), value, span


def _gains(results):
  """Yield row, protocol, finding, measure and gain of every gain."""
  for row, references in results.get("gains", {}).items():
    for reference, of in references.items():
      for protocol in PROTOCOLS:
        for measure, gains in of[protocol].items():
          for finding, gain in gains.items():
            name = f"gain.{reference}.{measure}"
            yield row, protocol, finding, name, gain


def figures_csv(results):
  """Write every figure as a line: long format, undefined is empty."""
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(CSV_HEADER)

  def write(measure, name, protocol, component, finding, value, span):
    low, high = span or ("", "")
    value = "" if value is None else value
    writer.writerow(
      [measure, name, protocol, component, finding, value, low, high]
    )

  for kind in ("auc", "average_precision"):
    spans = results.get(f"{kind}_interval") or {}
    for finding, value in results[kind].items():
      write(kind, "", "", "", finding, value, spans.get(finding))
  for tree in results:
    if tree == "localization" or tree.startswith("localization_"):
      if tree == "localization_interval":
        continue
      main = tree == "localization"
      component = results["protocol"]["component"]
      component = component if main else tree.removeprefix("localization_")
      spans = results.get("localization_interval") if main else None
      for path, value, span in _walk(results[tree], spans):
        measure = ".".join(path[2:-1])
        write(measure, *path[:2], component, path[-1], value, span)
  for row, protocol, finding, measure, gain in _gains(results):
    component = results["protocol"]["component"]
    at = (row, protocol, component, finding)
    write(measure, *at, gain["difference"], gain["interval"])
  spans = results.get("detection_interval")
  for path, value, span in _walk(results.get("detection", {}), spans):
    write(".".join(path[2:-1]), *path[:2], "", path[-1], value, span)
  return text.getvalue()
