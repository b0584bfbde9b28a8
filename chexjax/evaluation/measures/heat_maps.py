"""Make a heat map ready to be scored: check, enlarge, scale and cut it.

What a threshold q means is one of `MEANINGS`:

- `percentile`: keep the pixels at or above the map's k-th smallest value,
  k = round(n q) of its n pixels, so about the highest 1 - q of them;
- `absolute`: keep the pixels >= q.

By default all maps have percentiles. They compare between maps and between
models, whatever a model's scale. The detection map, a confidence-weighted
average in 0..1, can have its peak far below 0.6, where absolute thresholds
start. The authors' released code has absolute thresholds for saliency,
percentiles for the detection map and the mix.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

MEANINGS = ("percentile", "absolute")
SCALES = ("none", "minmax", "released")
THRESHOLDS: tuple[float, ...] = tuple(i / 100 for i in range(60, 101))

# Height and width of the model's input image, in pixels.
Frame = tuple[int, int]


class MapRule(NamedTuple):
  """How one kind of map is read.

  Attributes:
    meaning: what a threshold means, one of `MEANINGS`.
    scale: how the map is scaled before cDice, one of `SCALES`, see `rescale`.
  """

  meaning: str = "percentile"
  scale: str = "none"


# Saliency is a sigmoid and lies in 0..1 as it is. The other two are not spread
# over 0..1: without scaling, their cDice would be near 0.
DEFAULT_MAPS = {
  "sal": MapRule("percentile", "none"),
  "det": MapRule("percentile", "minmax"),
  "mix": MapRule("percentile", "minmax"),
}
RELEASED_MAPS = {
  "sal": MapRule("absolute", "none"),
  "det": MapRule("percentile", "released"),
  "mix": MapRule("percentile", "released"),
}
# Control rows: the same map of the same model with fresh, untrained heads.
# They are read by the rule of the trained map.
_UNTRAINED = "_untrained"


def untrained_name(name: str) -> str:
  """Return the name of a map's control row.

  Args:
    name: of a trained map.

  Returns:
    `det_untrained` for `det`, and so on.
  """
  return name + _UNTRAINED


def trained_name(name: str) -> str:
  """Return the trained map that a control row belongs to.

  Args:
    name: of a map.

  Returns:
    `det` for `det_untrained`, and so on; any other name as it is.
  """
  return name.removesuffix(_UNTRAINED)


def without_untrained(names: Iterable[str]) -> list[str]:
  """Return the names that are no control rows; pictures show only these.

  Args:
    names: of maps.

  Returns:
    The names left, in their order.
  """
  return [name for name in names if trained_name(name) == name]


def check_map(heat: ArrayLike, name: str = "map") -> np.ndarray:
  """Return a map as float32, once it is checked.

  Args:
    heat: `[h, w]`, any real dtype.
    name: what an error calls the map.

  Returns:
    `[h, w]` float32.

  Raises:
    ValueError: if the map is not 2-D, has no pixel, or is not finite.
  """
  heat = np.asarray(heat)
  if heat.ndim != 2 or 0 in heat.shape:
    raise ValueError(f"{name}: want a map [h, w], got shape {heat.shape}")
  heat = heat.astype(np.float32, copy=False)
  bad = heat.size - int(np.count_nonzero(np.isfinite(heat)))
  if bad:
    raise ValueError(f"{name}: {bad} of {heat.size} pixels are not finite")
  return heat


@lru_cache(maxsize=32)
def _taps(size: int, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
  """Return the two neighbours of each new pixel and the second's weight."""
  place = (np.arange(target) + 0.5) * size / target - 0.5
  place = np.clip(place, 0, size - 1)
  low = np.floor(place).astype(int)
  return low, np.minimum(low + 1, size - 1), (place - low).astype(np.float32)


def upsample(heat: np.ndarray, frame: Frame) -> np.ndarray:
  """Enlarge a map bilinearly, half-pixel centres; a larger map stays as it is.

  A plateau stays exactly flat, and no value leaves the map's own range.

  Args:
    heat: `[h, w]` float32.
    frame: height and width of the model's input image, in pixels.

  Returns:
    `[max(h, height), max(w, width)]` float32. As
    `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`,
    except that nothing is made smaller.
  """
  height, width = np.maximum(heat.shape, frame)
  if heat.shape[0] < height:
    low, high, part = _taps(heat.shape[0], int(height))
    heat = heat[low] + (heat[high] - heat[low]) * part[:, None]
  if heat.shape[1] < width:
    low, high, part = _taps(heat.shape[1], int(width))
    first = heat[:, low]
    heat = first + (heat[:, high] - first) * part
  return heat


def rescale(heat: np.ndarray, scale: str) -> np.ndarray:
  """Bring a map to 0..1 before cDice; a flat map becomes 0.

  Args:
    heat: `[h, w]` float32.
    scale: `none` leaves the map as it is; `minmax` is (x - min) / (max - min);
      `released` is the authors' (x + min) / (max - min). That is a slip of
      sign in their code; it can leave 0..1, and serves only to reproduce
      their figures.

  Returns:
    `[h, w]` float32.

  Raises:
    ValueError: if `scale` is none of `SCALES`.
  """
  if scale not in SCALES:
    raise ValueError(f"scale must be one of {SCALES}, got {scale!r}")
  if scale == "none":
    return heat
  low, high = heat.min(), heat.max()
  if low == high:
    return np.zeros_like(heat)
  return (heat - low if scale == "minmax" else heat + low) / (high - low)


def cut_values(
  heat: np.ndarray, thresholds: ArrayLike, meaning: str
) -> np.ndarray:
  """Return the pixel values at which thresholds cut a map.

  Args:
    heat: `[h, w]` float32.
    thresholds: `[T]` in 0..1.
    meaning: one of `MEANINGS`.

  Returns:
    `[T]` float32; a pixel is kept where its value is >= the cut. A percentile
    is as `numpy.quantile(method="inverted_cdf")`, except that k is rounded,
    not rounded up.

  Raises:
    ValueError: if `meaning` is none of `MEANINGS`.
  """
  thresholds = np.asarray(thresholds, np.float64)
  if meaning == "absolute":
    return thresholds.astype(np.float32)
  if meaning != "percentile":
    raise ValueError(f"meaning must be one of {MEANINGS}, got {meaning!r}")
  rank = np.clip(np.rint(heat.size * thresholds), 1, heat.size).astype(int) - 1
  return np.partition(heat, rank, axis=None)[rank]
