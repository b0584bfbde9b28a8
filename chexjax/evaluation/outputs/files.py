"""Everything an evaluation leaves in its folder, whoever made the predictions.

`results.json`, `figures.csv`, `tables.md`, `tables.tex` and `evaluation.npz`;
beside them lies `cases.zip`, written while the maps streamed.
"""

import pathlib

from chexjax.evaluation.api import Evaluation
from chexjax.evaluation.outputs import evaluation_file
from chexjax.io import write_json, write_text


def write(
  folder: pathlib.Path, scored: Evaluation, *, published: bool = False
) -> str:
  """Write the files; return the tables as Markdown.

  Args:
    folder: exists.
    scored: what `evaluate` gave.
    published: whether the tables hold the published figures too, which compare
      on the official test set only.
  """
  tables = scored.markdown(published=published)
  write_json(folder / "results.json", scored.results)
  write_text(folder / "tables.md", tables)
  write_text(folder / "figures.csv", scored.csv())
  write_text(folder / "tables.tex", scored.latex(published=published))
  evaluation_file.save(
    folder / evaluation_file.NAME,
    scored.images,
    scored.table,
    scored.results["protocol"]["component"],
  )
  return tables
