"""One model, scored: all that a comparison with another model needs."""

from typing import NamedTuple

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages


class ScoredModel(NamedTuple):
  """The images and boxes of one model, before any protocol.

  Attributes:
    images: labels and scores.
    table: the predicted boxes of every true box.
    component: the component rule of the main figures.
  """

  images: ScoredImages
  table: LocalizationTable
  component: str
