"""Score any model's probabilities, heat maps or boxes, on the host.

Classification: `classify`. Localisation: a `LocalizationCollector` is fed one
pair of image and finding at a time; `assemble` and `markdown` turn both into
`results.json` and `tables.md`.
"""

from chexjax.evaluation import overlap
from chexjax.evaluation.classification import Classification, classify
from chexjax.evaluation.components import component_box, component_boxes
from chexjax.evaluation.heat import (
  DEFAULT_MAPS,
  RELEASED_MAPS,
  THRESHOLDS,
  UNTRAINED,
  MapRule,
  trained_name,
  without_untrained,
)
from chexjax.evaluation.images import Images, make_images
from chexjax.evaluation.localization import (
  LocalizationCollector,
  score_map,
)
from chexjax.evaluation.measuring import chosen_boxes, measure_table
from chexjax.evaluation.results import assemble, write_json
from chexjax.evaluation.table import LocalizationTable, OtherBoxes
from chexjax.evaluation.writing import figures_csv, latex, markdown

__all__ = [
  "DEFAULT_MAPS",
  "RELEASED_MAPS",
  "THRESHOLDS",
  "UNTRAINED",
  "Classification",
  "Images",
  "LocalizationCollector",
  "LocalizationTable",
  "MapRule",
  "OtherBoxes",
  "assemble",
  "chosen_boxes",
  "classify",
  "component_box",
  "component_boxes",
  "figures_csv",
  "latex",
  "make_images",
  "markdown",
  "measure_table",
  "overlap",
  "score_map",
  "trained_name",
  "without_untrained",
  "write_json",
]
