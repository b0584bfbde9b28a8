"""Tables of the two backbones, under any prefix."""

from collections.abc import Sequence

from chexjax.weights.entries import Entry, Path, conv, norm


def densenet_entries(
  prefix: str,
  path: Path,
  block_sizes: Sequence[int],
  *,
  dotted: bool = False,
) -> list[Entry]:
  """List a DenseNet's entries with torchvision's names, in its order.

  Args:
    prefix: comes before every name and ends with a dot: `features.`.
    path: of the DenseNet in `params`.
    block_sizes: dense layers per block.
    dotted: whether a layer is called `norm.1`, as in torchvision's files of
      2017, instead of `norm1`.

  Returns:
    The entries.
  """
  dot = "." if dotted else ""
  table = conv(f"{prefix}conv0", (*path, "conv0"))
  table += norm(f"{prefix}norm0", (*path, "norm0"))
  for block, size in enumerate(block_sizes, 1):
    for layer in range(1, size + 1):
      name = f"{prefix}denseblock{block}.denselayer{layer}"
      at = (*path, f"block{block}_layer{layer}")
      for part in (1, 2):
        table += norm(f"{name}.norm{dot}{part}", (*at, f"norm{part}"))
        table += conv(f"{name}.conv{dot}{part}", (*at, f"conv{part}"))
    if block < len(block_sizes):
      name = f"{prefix}transition{block}"
      table += norm(f"{name}.norm", (*path, f"norm_block{block}"))
      table += conv(f"{name}.conv", (*path, f"transition{block}"))
  # torchvision counts norms from the stem's norm0: after 4 blocks it is norm5.
  last = len(block_sizes)
  table += norm(f"{prefix}norm{last + 1}", (*path, f"norm_block{last}"))
  return table


def resnet_entries(
  stem: tuple[str, str],
  stages: Sequence[str],
  path: Path,
  stage_sizes: Sequence[int],
) -> list[Entry]:
  """List the entries of a ResNet of basic blocks, in torchvision's order.

  Args:
    stem: names of the first convolution and norm.
    stages: name of every stage.
    path: of the ResNet in `params`.
    stage_sizes: blocks per stage.

  Returns:
    The entries.
  """
  table = conv(stem[0], (*path, "conv0")) + norm(stem[1], (*path, "norm0"))
  for stage, size in enumerate(stage_sizes, 1):
    for block in range(1, size + 1):
      name = f"{stages[stage - 1]}.{block - 1}"
      at = (*path, f"stage{stage}_block{block}")
      for part in (1, 2):
        table += conv(f"{name}.conv{part}", (*at, f"conv{part}"))
        table += norm(f"{name}.bn{part}", (*at, f"norm{part}"))
      if stage > 1 and block == 1:
        table += conv(f"{name}.downsample.0", (*at, "proj"))
        table += norm(f"{name}.downsample.1", (*at, "norm_proj"))
  return table
