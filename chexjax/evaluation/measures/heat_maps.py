"""A heat map made ready to be scored: checked, enlarged, scaled, cut.

What a threshold means is one of `MEANINGS`:

- `percentile`: q keeps the pixels at or above the map's k-th smallest value,
  k = round(n q) of its n pixels, so about the highest 1 - q of them;
- `absolute`: q keeps the pixels >= q.

Ours are percentiles for all maps: they compare between maps and between
models, whatever a model's scale, and the detection map, a confidence-weighted
average in 0..1, can peak far under 0.6, where absolute thresholds start. The
authors' released code has absolute ones for saliency, percentiles for the
detection map and the mix.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

MEANINGS = ("percentile", "absolute")
SCALES = ("none", "minmax", "released")
THRESHOLDS: tuple[float, ...] = tuple(i / 100 for i in range(60, 101))


class MapRule(NamedTuple):
  """How one kind of map is read.

  Attributes:
    meaning: what a threshold means, one of `MEANINGS`.
    scale: what is done before cDice, one of `SCALES` (see `rescale`).
  """

  meaning: str = "percentile"
  scale: str = "none"


# Saliency is a sigmoid, in 0..1 as it is. The two others are not spread over
# 0..1 and would have no cDice to speak of unscaled.
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
# Control rows: the same map of the same model with a fresh, untrained
# detection head. They are read by the trained one's rule.
UNTRAINED = {"det": "det_untrained", "mix": "mix_untrained"}
_TRAINED = {control: name for name, control in UNTRAINED.items()}


def trained_name(name):
  """Give the trained map of a control row; any other name as it is."""
  return _TRAINED.get(name, name)


def without_untrained(names):
  """List the names that are no control rows: pictures show these only."""
  return [name for name in names if name not in _TRAINED]


def check_map(heat, name="map"):
  """Give a map as float32 `[h, w]`; raise on another shape, NaN or infinity."""
  heat = np.asarray(heat)
  if heat.ndim != 2 or 0 in heat.shape:
    raise ValueError(f"{name}: want a map [h, w], got shape {heat.shape}")
  heat = heat.astype(np.float32, copy=False)
  bad = heat.size - int(np.count_nonzero(np.isfinite(heat)))
  if bad:
    raise ValueError(f"{name}: {bad} of {heat.size} pixels are not finite")
  return heat


@lru_cache(maxsize=32)
def _taps(size, target):
  place = (np.arange(target) + 0.5) * size / target - 0.5
  place = np.clip(place, 0, size - 1)
  low = np.floor(place).astype(int)
  return low, np.minimum(low + 1, size - 1), (place - low).astype(np.float32)


def upsample(heat, frame):
  """Enlarge a map bilinearly, half-pixel centres; a larger map is left as is.

  As `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`.
  A plateau stays exactly flat, and nothing exceeds the map's own range.

  Args:
    heat: `[h, w]` float32.
    frame: `(height, width)` of the model's input image.

  Returns:
    `[max(h, height), max(w, width)]` float32.
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


def rescale(heat, scale):
  """Bring a map to 0..1 before cDice; a flat map becomes 0.

  Args:
    heat: `[h, w]` float32.
    scale: `none` leaves it; `minmax` is (x - min) / (max - min); `released`
      is the authors' (x + min) / (max - min), a slip of sign that is kept
      only to reproduce their figures and can leave 0..1.
  """
  if scale not in SCALES:
    raise ValueError(f"scale must be one of {SCALES}, got {scale!r}")
  if scale == "none":
    return heat
  low, high = heat.min(), heat.max()
  if low == high:
    return np.zeros_like(heat)
  return (heat - low if scale == "minmax" else heat + low) / (high - low)


def cut_values(heat, thresholds, meaning):
  """Turn thresholds into the pixel values they cut a map at.

  Args:
    heat: `[h, w]` float32.
    thresholds: `[T]` in 0..1.
    meaning: one of `MEANINGS`.

  Returns:
    `[T]` float32; a pixel is kept when its value is >= the cut.
  """
  thresholds = np.asarray(thresholds, np.float64)
  if meaning == "absolute":
    return thresholds.astype(np.float32)
  if meaning != "percentile":
    raise ValueError(f"meaning must be one of {MEANINGS}, got {meaning!r}")
  rank = np.clip(np.rint(heat.size * thresholds), 1, heat.size).astype(int) - 1
  return np.partition(heat, rank, axis=None)[rank]
