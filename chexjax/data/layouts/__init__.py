"""Published layouts of chest films, turned into `labels.csv` and `boxes.csv`.

- `prepared`: what a reader returns; `tables`, `image_index`: what readers share
- `vindr`, `rsna`, `chexpert`, `siim`, `coco`, `yolo`: one reader each
- `writing`: the two tables, and the link to the images
"""

import importlib
import pathlib

from chexjax.data.layouts.prepared import Prepared

# Name of a layout -> what a person knows it by. The reader is the module of
# that name, with a function `read`.
LAYOUTS = {
  "vindr": "VinDr-CXR: train.csv with image_id, class_name, rad_id, x_min, ...",
  "rsna": "RSNA pneumonia: stage_2_train_labels.csv",
  "chexpert": "CheXpert: train.csv and valid.csv with Path and 14 columns",
  "siim": "SIIM-ACR pneumothorax: train-rle.csv with run-length masks",
  "coco": "COCO: instances as JSON, one file or one for each split",
  "yolo": "YOLO: a text file for each image, names in data.yaml or classes.txt",
}


def read_layout(
  name: str, source: pathlib.Path, *, images: pathlib.Path | None = None
) -> Prepared:
  """Read a published set's tables and find its images.

  Args:
    name: one of `LAYOUTS`.
    source: folder with the tables, and with the images if not given.
    images: folder with the images.

  Returns:
    Films, labels and boxes.

  Raises:
    FileNotFoundError: a folder or table is missing.
    ValueError: the layout is unknown, the tables have faults, or no image is
      there.
  """
  if name not in LAYOUTS:
    raise ValueError(f"layout must be one of {list(LAYOUTS)}, got {name!r}")
  for folder in (source, images):
    if folder is not None and not folder.is_dir():
      raise FileNotFoundError(f"no folder {folder}")
  module = importlib.import_module(f"chexjax.data.layouts.{name}")
  return module.read(source, images or source)
