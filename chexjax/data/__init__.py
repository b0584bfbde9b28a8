"""Films, sets of films, and batches of them.

- `decoding`: the one reader of image files; `framing`: how a film becomes a
  square, and its boxes with it
- `images`: one file or array as the model's input (`predict`)
- `sources`: splits by index, and ChestX-ray14's records; `record_cache`: where
  they are kept; `turns`: one process builds, the others wait
- `own_set`: a folder with a `labels.csv`; `joined`: several sets as one
- `own_tables`, `label_cells`, `label_columns`: labels.csv; `own_boxes`,
  `box_columns`: boxes.csv; `tables`, `columns`, `faults`: what both share
- `own_files`, `headers`, `folders`, `no_images`: which files are films, and
  what is wrong
- `layouts`: published sets, turned into these tables
- `pipeline`, `prefetch`: batches, and their way to the devices
- `likeness`: whether a picture looks like a chest film
- `phantom`: drawn films with known findings and boxes
"""

import importlib
from typing import TYPE_CHECKING, Any

from chexjax.extras import require

require("predict", "PIL", "cv2")

if TYPE_CHECKING:
  from chexjax.data.images import Film, film_of_array, read_film
  from chexjax.data.own_set import open_folder
  from chexjax.data.pipeline import eval_batches, train_batches
  from chexjax.data.prefetch import Prefetch
  from chexjax.data.sources import Dataset, Source

# Several of these modules import tensorflow_datasets, which takes a second.
_PLACES = {
  "Dataset": "sources",
  "Film": "images",
  "Prefetch": "prefetch",
  "Source": "sources",
  "eval_batches": "pipeline",
  "film_of_array": "images",
  "open_folder": "own_set",
  "read_film": "images",
  "train_batches": "pipeline",
}
__all__ = [
  "Dataset",
  "Film",
  "Prefetch",
  "Source",
  "eval_batches",
  "film_of_array",
  "open_folder",
  "read_film",
  "train_batches",
]


def __getattr__(name: str) -> Any:
  """Import a name of this room when it is first used (PEP 562)."""
  if name not in _PLACES:
    raise AttributeError(f"module 'chexjax.data' has no attribute {name!r}")
  module = importlib.import_module(f"chexjax.data.{_PLACES[name]}")
  return getattr(module, name)


def __dir__() -> list[str]:
  return sorted({*globals(), *__all__})
