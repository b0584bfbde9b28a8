"""`tables.tex`: all tables for LaTeX, with notes as comments."""

from chexjax.evaluation.outputs.notes import notes
from chexjax.evaluation.outputs.table_cells import (
  NOT_OURS,
  Results,
  Table,
  row_texts,
)
from chexjax.evaluation.outputs.tables import all_tables

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


def _escaped(text: str) -> str:
  return "".join(_TEX.get(letter, letter) for letter in text)


def _latex_table(table: Table) -> str:
  lines = [
    r"\begin{table}",
    rf"\caption{{{_escaped(table.title)}}}",
    r"\begin{tabular}{l" + "r" * (len(table.header) - 1) + "}",
    r"\hline",
    " & ".join(map(_escaped, table.header)) + r" \\",
    r"\hline",
  ]
  for number in range(len(table.rows)):
    texts, marked = row_texts(table, number)
    cells = [_escaped(text) for text in texts]
    for column in range(len(cells)):
      if (number, column) in table.apart:
        cells[column] = rf"\textbf{{{cells[column]}}}"
    if marked is not None:
      cells[marked] = rf"\emph{{{NOT_OURS}:}} {cells[marked]}"
    lines.append(" & ".join(cells) + r" \\")
  lines += [r"\hline", r"\end{tabular}", r"\end{table}"]
  return "\n".join(lines)


def latex(results: Results, *, published: bool = False) -> str:
  """Return all tables as LaTeX `table` environments.

  Args:
    results: tree of `assemble`.
    published: add the published figures, see `markdown`.

  Returns:
    The text of `tables.tex`.
  """
  parts = [f"% {results['disclaimer']}"]
  parts += [f"% {line}" for line in results.get("summary", [])]
  parts += map(_latex_table, all_tables(results, published=published))
  parts += [f"% {line}" for line in notes(results)]
  return "\n\n".join(parts) + "\n"
