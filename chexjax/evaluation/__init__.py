"""Score any model's probabilities, heat maps or boxes, on the host.

Classification: `classify`. Localisation: a `LocalizationCollector` is fed one
pair of image and finding at a time; `assemble` and `markdown` turn both into
`results.json` and `tables.md`.
"""

from chexjax.evaluation.api import Evaluation, Truth, evaluate
from chexjax.evaluation.localization_collector import (
  LocalizationCollector,
  score_map,
)
from chexjax.evaluation.localization_table import LocalizationTable, OtherBoxes
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.average_precision import Detections
from chexjax.evaluation.measures.classification import Classification, classify
from chexjax.evaluation.measures.components import (
  component_box,
  component_boxes,
)
from chexjax.evaluation.measures.heat_maps import (
  DEFAULT_MAPS,
  RELEASED_MAPS,
  THRESHOLDS,
  UNTRAINED,
  MapRule,
  trained_name,
  without_untrained,
)
from chexjax.evaluation.outputs.formats import figures_csv, latex, markdown
from chexjax.evaluation.outputs.results import assemble
from chexjax.evaluation.protocols.measurement import chosen_boxes, measure_table
from chexjax.evaluation.scored_images import Images, make_images

__all__ = [
  "DEFAULT_MAPS",
  "RELEASED_MAPS",
  "THRESHOLDS",
  "UNTRAINED",
  "Classification",
  "Detections",
  "Evaluation",
  "Images",
  "LocalizationCollector",
  "LocalizationTable",
  "MapRule",
  "OtherBoxes",
  "Truth",
  "assemble",
  "chosen_boxes",
  "classify",
  "component_box",
  "component_boxes",
  "evaluate",
  "figures_csv",
  "latex",
  "make_images",
  "markdown",
  "measure_table",
  "overlap",
  "score_map",
  "trained_name",
  "without_untrained",
]
