"""`tables.md`: all tables as Markdown, with notes on what the figures mean."""

from chexjax.evaluation.outputs.notes import notes
from chexjax.evaluation.outputs.table_cells import (
  NOT_OURS,
  Results,
  Table,
  row_texts,
)
from chexjax.evaluation.outputs.tables import all_tables


def markdown_table(table: Table) -> str:
  """Return a table as Markdown.

  Args:
    table: what it holds in bold or as not ours is marked.

  Returns:
    Lines of cells between bars.
  """
  lines = [table.header, ["---"] + ["---:"] * (len(table.header) - 1)]
  for number in range(len(table.rows)):
    texts, marked = row_texts(table, number)
    cells = [text.replace("|", "\\|") for text in texts]
    for column in range(len(cells)):
      if (number, column) in table.apart:
        cells[column] = f"**{cells[column]}**"
    if marked is not None:
      cells[marked] = f"**{NOT_OURS}** · {cells[marked]}"
    lines.append(cells)
  return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def markdown(results: Results, *, published: bool = False) -> str:
  """Return all tables as Markdown.

  Args:
    results: tree of `assemble`.
    published: add the published figures, marked as not ours. Only for the
      official ChestX-ray14 test set: with other data they do not compare.

  Returns:
    The text of `tables.md`.
  """
  parts = [f"# Results on {results['dataset']}", results["disclaimer"]]
  if said := results.get("summary"):
    parts.append("\n".join(f"- {line}" for line in said))
  for table in all_tables(results, published=published):
    parts += [f"## {table.title}", markdown_table(table)]
  parts.append("## What the figures mean")
  parts.append("\n".join(f"- {line}" for line in notes(results)))
  return "\n\n".join(parts) + "\n"
