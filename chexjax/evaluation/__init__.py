"""Score any model's probabilities, heat maps or boxes, on the host.

`evaluate` does all in one call. Step by step: `classify` scores the
probabilities; a `LocalizationCollector` takes the maps of one pair of image
and finding at a time; `assemble` and `markdown` turn both into `results.json`
and `tables.md`.

The room in layers, each of which knows only those before it: `measures` (what
one prediction is worth), `collected` (predictions beside the truth),
`protocols` (who chooses thresholds, intervals), `outputs` (files), and on top
`submissions` (other people's predictions) and `api`.
"""

from chexjax.evaluation.api import evaluate
from chexjax.evaluation.collected.localization_collector import (
  LocalizationCollector,
)
from chexjax.evaluation.collected.localization_table import (
  LocalizationTable,
  OtherBoxes,
)
from chexjax.evaluation.collected.scored_images import (
  ScoredImages,
  make_images,
)
from chexjax.evaluation.collected.truth import Truth
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.classification import Classification, classify
from chexjax.evaluation.measures.components import (
  component_box,
  component_boxes,
)
from chexjax.evaluation.measures.detections import Detections
from chexjax.evaluation.measures.heat_maps import (
  DEFAULT_MAPS,
  RELEASED_MAPS,
  THRESHOLDS,
  MapRule,
  trained_name,
  untrained_name,
  without_untrained,
)
from chexjax.evaluation.measures.map_score import MapScore, score_map
from chexjax.evaluation.outputs.evaluation import Evaluation
from chexjax.evaluation.outputs.figures_csv import figures_csv
from chexjax.evaluation.outputs.results_json import assemble
from chexjax.evaluation.outputs.tables_latex import latex
from chexjax.evaluation.outputs.tables_markdown import markdown
from chexjax.evaluation.protocols.chosen_boxes import chosen_boxes
from chexjax.evaluation.protocols.localization import measure_table

# A second name, for callers who write `evaluation.Images`.
Images = ScoredImages

__all__ = [
  "DEFAULT_MAPS",
  "RELEASED_MAPS",
  "THRESHOLDS",
  "Classification",
  "Detections",
  "Evaluation",
  "Images",
  "LocalizationCollector",
  "LocalizationTable",
  "MapRule",
  "MapScore",
  "OtherBoxes",
  "ScoredImages",
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
  "untrained_name",
  "without_untrained",
]
