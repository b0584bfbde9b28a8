"""Drawn films as arrays, for a notebook or a test."""

from typing import NamedTuple

import numpy as np

from chexjax.data.phantom.draw import check_size, draw_film
from chexjax.data.phantom.sampling import plan_films
from chexjax.types import FINDINGS


class Phantom(NamedTuple):
  """Drawn films with their true labels and boxes.

  Attributes:
    images: `[N, S, S, 1]` uint8.
    labels: `[N, K]` float32, 1 where the finding was drawn.
    boxes: `[N, K, 4]` float32 x1, y1, x2, y2 in pixels, NaN where the finding
      was not drawn.
    findings: the K names.
    patients: `[N]` int32; films of one patient show the same chest.
  """

  images: np.ndarray
  labels: np.ndarray
  boxes: np.ndarray
  findings: tuple[str, ...]
  patients: np.ndarray


def phantom(num: int, size: int = 128, seed: int = 0) -> Phantom:
  """Draw films in this process; `write_phantom` uses all cores.

  Args:
    num: films, at least 1.
    size: side in pixels, a multiple of 32 between 64 and 1024.
    seed: the same seed gives the same films; the size changes only the
      sharpness.

  Returns:
    The films, with all labels true.

  Raises:
    ValueError: `num` or `size` is out of range.
  """
  if num < 1:
    raise ValueError(f"num must be at least 1, got {num}")
  check_size(size)
  films = plan_films(num, seed=seed)
  drawn = [draw_film(film, seed=seed, size=size) for film in films]
  boxes = np.full((num, len(FINDINGS), 4), np.nan, np.float32)
  for row, example in enumerate(drawn):
    for name, box in example.boxes.items():
      boxes[row, FINDINGS.index(name)] = box
  return Phantom(
    images=np.stack([example.image for example in drawn])[..., None],
    labels=np.stack([example.labels for example in drawn]),
    boxes=boxes,
    findings=FINDINGS,
    patients=np.array([film.patient for film in films], np.int32),
  )
