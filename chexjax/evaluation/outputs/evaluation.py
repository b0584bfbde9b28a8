"""Everything an evaluation found, in memory."""

import dataclasses
from typing import Any

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.outputs.figures_csv import figures_csv
from chexjax.evaluation.outputs.tables_latex import latex
from chexjax.evaluation.outputs.tables_markdown import markdown


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Every figure of a model, with its protocol.

  Attributes:
    results: the tree of `results.json`, see `docs/results.md`.
    images: labels and scores of the images.
    table: the predicted boxes, a row for every pair of image and finding
      with a true box.
  """

  results: dict[str, Any]
  images: ScoredImages
  table: LocalizationTable

  def markdown(self, *, published: bool = False) -> str:
    """Return all tables as Markdown.

    Args:
      published: add the published figures, marked as not ours. Only for the
        official ChestX-ray14 test set: with other data they do not compare.

    Returns:
      The text of `tables.md`.
    """
    return markdown(self.results, published=published)

  def latex(self, *, published: bool = False) -> str:
    """Return all tables for LaTeX.

    Args:
      published: add the published figures, as for `markdown`.

    Returns:
      The text of `tables.tex`.
    """
    return latex(self.results, published=published)

  def csv(self) -> str:
    """Return every figure as a line.

    Returns:
      The text of `figures.csv`.
    """
    return figures_csv(self.results)
