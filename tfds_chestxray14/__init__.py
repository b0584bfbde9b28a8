"""ChestX-ray14 as a TensorFlow Datasets dataset that needs no TensorFlow.

`import tfds_chestxray14` registers `chest_xray14`. Without TensorFlow Datasets
the lists and the images can still be read.
"""

import importlib.util

from tfds_chestxray14.catalogue import read_lists
from tfds_chestxray14.findings import BOXED_FINDINGS, FINDINGS
from tfds_chestxray14.pictures import show_examples
from tfds_chestxray14.splits import seed34_validation, split_hash
from tfds_chestxray14.survey import take_survey
from tfds_chestxray14.transforms import flat, padded

__all__ = [
  "BOXED_FINDINGS",
  "FINDINGS",
  "flat",
  "padded",
  "read_lists",
  "seed34_validation",
  "show_examples",
  "split_hash",
  "take_survey",
]

if importlib.util.find_spec("tensorflow_datasets") is not None:
  from tfds_chestxray14.builder import ChestXray14, ChestXray14Config

  __all__ += ["ChestXray14", "ChestXray14Config"]
