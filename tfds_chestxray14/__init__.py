"""ChestX-ray14 as a TensorFlow Datasets dataset that needs no TensorFlow.

`import tfds_chestxray14` registers `chest_xray14`.
"""

from tfds_chestxray14.builder import ChestXray14, ChestXray14Config
from tfds_chestxray14.catalogue import read_lists
from tfds_chestxray14.findings import BOXED_FINDINGS, FINDINGS
from tfds_chestxray14.splits import seed34_validation, split_hash
from tfds_chestxray14.survey import take_survey

__all__ = (
  "BOXED_FINDINGS",
  "FINDINGS",
  "ChestXray14",
  "ChestXray14Config",
  "read_lists",
  "seed34_validation",
  "split_hash",
  "take_survey",
)
