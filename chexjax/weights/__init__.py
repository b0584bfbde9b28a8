"""Conversion between PyTorch state dicts and our variables, both ways.

A table of `Entry` maps each entry of a state dict to a leaf of our variables
and says how the array is laid out. The same table is read in both directions.

- `entries`: one line of a table, and the lines of a layer
- `backbones`: tables of DenseNet and ResNet
- `imagenet`: DenseNet-121 and ResNet-34 of torchvision and timm
- `released`: the authors' full model and classifier
- `merge`: a state dict laid out by a table, or an error that lists all faults
- `torch_files`: `.pth` and `.safetensors` files
- `variables`: Orbax checkpoints of variables
- `loading`: a model with its weights from any of these
- `conversion`: released weights to a folder of ours, and back
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
