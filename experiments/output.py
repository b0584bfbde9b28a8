"""Everything an evaluation leaves in its folder, whoever made the predictions.

`results.json`, `figures.csv`, `tables.md`, `tables.tex` and `evaluation.npz`;
beside them lies `cases.zip`, written while the maps streamed.
"""

import pathlib
from typing import Any

from chexjax import evaluation
from chexjax.evaluation import record
from experiments.files import replacing


def write(
  folder: pathlib.Path,
  results: dict,
  images: Any,
  table: Any,
  *,
  published: bool,
) -> str:
  """Writes the files; returns the tables as Markdown.

  Args:
    folder: exists.
    results: tree of `evaluation.assemble`.
    images: the `Images` scored.
    table: the `LocalizationTable`.
    published: print the published figures too: on the official test set only.
  """
  tables = evaluation.markdown(results, published=published)
  evaluation.write_json(results, folder / "results.json")
  _text(folder / "tables.md", tables)
  _text(folder / "figures.csv", evaluation.figures_csv(results))
  _text(folder / "tables.tex", evaluation.latex(results, published=published))
  component = results["protocol"]["component"]
  record.save(folder / record.NAME, images, table, component)
  return tables


def _text(path: pathlib.Path, text: str) -> None:
  with replacing(path) as scratch:
    scratch.write_text(text, encoding="utf-8")
