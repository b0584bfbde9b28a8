"""ImageNet weights of torchvision and timm, for the two backbones.

Both libraries use the same names for DenseNet-121 and ResNet-34, except that
torchvision's DenseNet files of 2017 have `norm.1` instead of `norm1` and no
batch counters. Only the classifier of the 1,000 ImageNet classes is left out.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chexjax.weights import backbones
from chexjax.weights.entries import Path
from chexjax.weights.merge import Merged, merge

DENSENET_PATH: Path = ("classification", "densenet")
RESNET_PATH: Path = ("crop_classifier", "resnet")
_DENSENET_HEAD = ("classifier.weight", "classifier.bias")
_RESNET_HEAD = ("fc.weight", "fc.bias")


def load_densenet(
  state: Mapping[str, np.ndarray],
  like: Any,
  block_sizes: Sequence[int] = (6, 12, 24, 16),
  *,
  source: str = "the state dict",
) -> Merged:
  """Lay out a DenseNet of torchvision or timm as our variables.

  Args:
    state: name -> array.
    like: variables of a `ChexModel`, or their shapes.
    block_sizes: of the model.
    source: what messages call the state dict.

  Returns:
    `Merged` with the variables of the DenseNet only.

  Raises:
    WeightsError: some entries do not fit; lists all of them.
  """
  dotted = any(".norm.1." in name for name in state)
  table = backbones.densenet_entries(
    "features.", DENSENET_PATH, block_sizes, dotted=dotted
  )
  return merge(
    state,
    table,
    like,
    covers=[DENSENET_PATH],
    dropped=_DENSENET_HEAD,
    source=source,
  )


def load_resnet(
  state: Mapping[str, np.ndarray],
  like: Any,
  stage_sizes: Sequence[int] = (3, 4, 6, 3),
  *,
  source: str = "the state dict",
) -> Merged:
  """Lay out a ResNet of basic blocks of torchvision or timm as our variables.

  Args:
    state: name -> array.
    like: variables of a `ChexModel`, or their shapes.
    stage_sizes: of the model's crop classifier.
    source: what messages call the state dict.

  Returns:
    `Merged` with the variables of the ResNet only.

  Raises:
    WeightsError: some entries do not fit; lists all of them.
  """
  stages = [f"layer{i}" for i in range(1, len(stage_sizes) + 1)]
  table = backbones.resnet_entries(
    ("conv1", "bn1"), stages, RESNET_PATH, stage_sizes
  )
  return merge(
    state,
    table,
    like,
    covers=[RESNET_PATH],
    dropped=_RESNET_HEAD,
    source=source,
  )
