"""Score any model's probabilities, heat maps or boxes, on the host.

Classification: `classify`. Localisation: a `LocalizationCollector` is fed one
pair of image and finding at a time; `assemble` and `markdown` turn both into
`results.json` and `tables.md`.
"""

from chexjax.evaluation.classification import Classification, classify
from chexjax.evaluation.components import component_box, component_boxes
from chexjax.evaluation.heat import (
  DEFAULT_MAPS,
  RELEASED_MAPS,
  THRESHOLDS,
  MapRule,
)
from chexjax.evaluation.localization import (
  LocalizationCollector,
  LocalizationTable,
  score_map,
)
from chexjax.evaluation.results import (
  assemble,
  chosen_boxes,
  measure_table,
  write_json,
)
from chexjax.evaluation.tables import markdown

__all__ = [
  "DEFAULT_MAPS",
  "RELEASED_MAPS",
  "THRESHOLDS",
  "Classification",
  "LocalizationCollector",
  "LocalizationTable",
  "MapRule",
  "assemble",
  "chosen_boxes",
  "classify",
  "component_box",
  "component_boxes",
  "markdown",
  "measure_table",
  "score_map",
  "write_json",
]
