"""The authors' released files: the full model, and the classifier alone.

`fullmodel_densenet121.pth` has 1,332 entries in four parts: `backbone.0` (the
DenseNet), `backbone.1` (FPN, saliency heads, pooling), `head` (detection) and
`classifier` (crop ResNet and its heads). `classifier_densenet121.pth` holds
the backbone only, under `0.` and `1.`. Classes are in the order of `FINDINGS`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from chexjax.weights.backbones import densenet_entries, resnet_entries
from chexjax.weights.entries import Entry, Path, conv, linear, norm
from chexjax.weights.merge import Merged, merge, unmerge

_CLASSIFICATION: Path = ("classification",)
_ALL: tuple[Path, ...] = (
  _CLASSIFICATION,
  ("detection",),
  ("crop_classifier",),
)


def classification_entries(
  prefix: str = "",
  *,
  num_classes: int = 14,
  block_sizes: Sequence[int] = (6, 12, 24, 16),
) -> list[Entry]:
  """List the entries of the classification module, in the file's order.

  Args:
    prefix: comes before every name: `backbone.` in the full model's file.
    num_classes: of the model.
    block_sizes: of the model.

  Returns:
    Entries of DenseNet, FPN, saliency heads and pooling.
  """
  path = _CLASSIFICATION
  classes = range(num_classes)
  table = densenet_entries(f"{prefix}0.0.", (*path, "densenet"), block_sizes)
  for i in range(len(block_sizes)):
    name = f"{prefix}1.inner_blocks.{i}"
    table += conv(name, (*path, "fpn", f"lateral{i + 1}"), bias=True)
  for part in (1, 2):
    for k in classes:
      name = f"{prefix}1.conv.convs{part}.{k}"
      head = (*path, "saliency")
      table += norm(f"{name}.0", (*head, f"norm{part}"), slot=k)
      table += conv(f"{name}.2", (*head, f"conv{part}"), slot=k)
  beta = ("params", *path, "beta")
  return table + [
    Entry(f"{prefix}1.pool.pools.{k}.beta", beta, "scalar", k) for k in classes
  ]


def released_entries(
  *,
  num_classes: int = 14,
  block_sizes: Sequence[int] = (6, 12, 24, 16),
  crop_stages: Sequence[int] = (3, 4, 6, 3),
) -> list[Entry]:
  """List the entries of the full model, in the file's order.

  Args:
    num_classes: of the model.
    block_sizes: of the model.
    crop_stages: of the model.

  Returns:
    Entries; 1,332 of them with the defaults.
  """
  table = classification_entries(
    "backbone.", num_classes=num_classes, block_sizes=block_sizes
  )
  table += conv("head.int_layers.0.0", ("detection", "conv"), bias=True)
  table += linear("head.head.detection", ("detection", "score"), bias=False)
  table += linear("head.head.regression", ("detection", "delta"))
  table += resnet_entries(
    ("classifier.model.0.0", "classifier.model.0.1"),
    [f"classifier.model.0.{4 + i}" for i in range(len(crop_stages))],
    ("crop_classifier", "resnet"),
    crop_stages,
  )
  heads = ("crop_classifier", "heads")
  for k in range(num_classes):
    name = f"classifier.heads.{k}"
    table += norm(f"{name}.0", (*heads, "norm1"), slot=k)
    table += linear(f"{name}.2", (*heads, "linear1"), slot=k)
    table += norm(f"{name}.4", (*heads, "norm2"), slot=k)
    table += linear(f"{name}.6", (*heads, "linear2"), slot=k)
  return table


def is_classifier(state: Mapping[str, Any]) -> bool:
  """Return whether a state dict is the classifier's, by its names."""
  return any(name.startswith("0.0.") for name in state)


def load_released(
  state: Mapping[str, np.ndarray],
  like: Any,
  *,
  num_classes: int = 14,
  block_sizes: Sequence[int] = (6, 12, 24, 16),
  crop_stages: Sequence[int] = (3, 4, 6, 3),
  source: str = "the state dict",
) -> Merged:
  """Lay out the full model or the classifier as our variables.

  The names in the state dict decide which of the two it is.

  Args:
    state: name -> array.
    like: variables of a `ChexModel` with `released_options`, or their shapes.
    num_classes: of the model.
    block_sizes: of the model.
    crop_stages: of the model.
    source: what messages call the state dict.

  Returns:
    `Merged`; of the classifier's file the `classification` group only.

  Raises:
    WeightsError: some entries do not fit; lists all of them.
  """
  if is_classifier(state):
    covers: Sequence[Path] = [_CLASSIFICATION]
    table = classification_entries(
      num_classes=num_classes, block_sizes=block_sizes
    )
  else:
    covers = _ALL
    table = released_entries(
      num_classes=num_classes, block_sizes=block_sizes, crop_stages=crop_stages
    )
  return merge(state, table, like, covers=covers, source=source)


def save_released(
  variables: Any, *, counters: Mapping[str, int] | None = None
) -> dict[str, np.ndarray]:
  """Lay out variables of the full-size model under the released names.

  Args:
    variables: of a `ChexModel` with `released_options` and 14 classes. If
      there is only its `classification` group, the result is the classifier.
    counters: batch counters by name; 0 where not given.

  Returns:
    Name -> array in the file's order; float32, counters int64.
  """
  whole = "crop_classifier" in variables["params"]
  table = released_entries() if whole else classification_entries()
  return unmerge(variables, table, counters=counters)
