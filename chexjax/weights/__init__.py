"""Other people's weights in our tree, and ours under their names.

A table of `Entry` says which entry of a PyTorch state dict is which leaf of
our variables, and how it is laid out; it is read in either direction. One
table per source: `released` (the authors' full model and classifier) and
`imagenet` (DenseNet-121 and ResNet-34 of torchvision and timm).
"""

from chexjax.weights.imagenet import load_densenet, load_resnet
from chexjax.weights.merge import Merged, WeightsError, replace
from chexjax.weights.released import (
  is_classifier,
  load_released,
  released_entries,
  save_released,
)
from chexjax.weights.torch_files import read_state_dict, write_state_dict

__all__ = [
  "Merged",
  "WeightsError",
  "is_classifier",
  "load_densenet",
  "load_released",
  "load_resnet",
  "read_state_dict",
  "released_entries",
  "replace",
  "save_released",
  "write_state_dict",
]
