"""What a PyTorch user has: a DataLoader that decodes and resizes with Pillow.

In a file of its own, because its worker processes import it.
"""

import numpy as np
import torch
from PIL import Image


class PillowFiles(torch.utils.data.Dataset):
  """Image files as `[1, size, size]` uint8 tensors."""

  def __init__(self, paths: list[str], size: int, resample: str):
    """Reads `paths`; `resample` is one of Pillow's filters by name."""
    self._paths, self._size = paths, size
    self._filter = Image.Resampling[resample]

  def __len__(self) -> int:
    """Returns the number of images."""
    return len(self._paths)

  def __getitem__(self, index: int) -> torch.Tensor:
    """Returns an image."""
    with Image.open(self._paths[index]) as image:
      grey = image.convert("L")
    if grey.size != (self._size, self._size):
      grey = grey.resize((self._size, self._size), self._filter)
    return torch.from_numpy(np.array(grey))[None]


def loader(
  paths: list[str], *, size: int, resample: str, batch_size: int, workers: int
) -> torch.utils.data.DataLoader:
  """Returns a shuffled loader whose workers stay alive."""
  return torch.utils.data.DataLoader(
    PillowFiles(paths, size, resample),
    batch_size=batch_size,
    shuffle=True,
    drop_last=True,
    num_workers=workers,
    persistent_workers=True,
    # JAX and grain run threads in this process; a fork could hang.
    multiprocessing_context="spawn",
  )
