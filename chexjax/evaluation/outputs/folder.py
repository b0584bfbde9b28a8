"""The folder that an evaluation leaves, whoever made the predictions.

`results.json`, `figures.csv`, `tables.md`, `tables.tex` and `evaluation.npz`.
`cases.zip`, beside them, is written elsewhere, while the maps stream by.
"""

import pathlib

from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.outputs.evaluation import Evaluation
from chexjax.io import write_json, write_text


def write_folder(
  folder: pathlib.Path, scored: Evaluation, *, published: bool = False
) -> str:
  """Write the files of an evaluation.

  Args:
    folder: exists.
    scored: of `evaluate`.
    published: whether the tables hold the published figures too, which compare
      on the official test set only.

  Returns:
    The tables as Markdown.

  Raises:
    ValueError: if the results hold a figure that is NaN or infinite.
  """
  tables = scored.markdown(published=published)
  write_json(folder / "results.json", scored.results)
  write_text(folder / "tables.md", tables)
  write_text(folder / "figures.csv", scored.csv())
  write_text(folder / "tables.tex", scored.latex(published=published))
  evaluation_npz.save(
    folder / evaluation_npz.NAME,
    scored.images,
    scored.table,
    component=scored.results["protocol"]["component"],
  )
  return tables
