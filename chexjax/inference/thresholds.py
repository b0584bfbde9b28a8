"""The threshold at which a finding's map is cut, for images without truth."""

import json
import pathlib
from typing import Any

from chexjax.types import FINDINGS

# The paper publishes no thresholds. A percentile q keeps the highest 1 - q of
# the map's pixels. The default keeps as large a share of the image as the
# finding's median box in BBox_List_2017.csv covers (width, height of 1024).
_MEDIAN_BOX = {
  "Atelectasis": (171, 118),
  "Cardiomegaly": (478, 382),
  "Effusion": (208, 277),
  "Infiltration": (228, 265),
  "Mass": (120, 141),
  "Nodule": (70, 68),
  "Pneumonia": (229, 275),
  "Pneumothorax": (201, 206),
}
_UNBOXED = 0.95
DEFAULT = {
  name: round(1 - w * h / 1024**2, 3) for name, (w, h) in _MEDIAN_BOX.items()
} | {name: _UNBOXED for name in FINDINGS if name not in _MEDIAN_BOX}


def read_thresholds(
  path: pathlib.Path | None, map_name: str
) -> tuple[dict[str, float], str]:
  """Return a percentile for every finding, and their origin as text.

  Args:
    path: JSON of `{finding: percentile}`, or a run's `results.json`, of which
      the median of each finding's cross-fitted thresholds is taken. A finding
      that is not in the file keeps the default. None gives the defaults.
    map_name: the map that is cut, "mix" or "sal".

  Returns:
    Finding -> share of the map's pixels below the cut, 0..1; and the origin.

  Raises:
    ValueError: the file is not as described; names it and the wrong values.
  """
  if path is None:
    return dict(DEFAULT), "default: area of the median NIH box of the finding"
  try:
    content = json.loads(path.read_text())
  except (json.JSONDecodeError, UnicodeDecodeError) as error:
    raise ValueError(f"{path} is no JSON: {error}") from error
  given = _of_results(path, content, map_name) if _is_run(content) else content
  if not isinstance(given, dict):
    raise ValueError(f"{path} must be {{finding: percentile}}")
  faults = [
    f"{name}: {value!r}"
    for name, value in given.items()
    if name not in DEFAULT
    or isinstance(value, bool)
    or not isinstance(value, int | float)
    or not 0 <= value <= 1
  ]
  if faults:
    raise ValueError(
      f"{path}: must map findings ({', '.join(FINDINGS)}) to 0..1, has "
      + ", ".join(faults)
    )
  missing = [name for name in FINDINGS if name not in given]
  origin = path.name
  if missing:
    origin += f"; default for {', '.join(missing)}"
  return DEFAULT | given, origin


def _is_run(content: Any) -> bool:
  return isinstance(content, dict) and "chosen" in content


def _of_results(
  path: pathlib.Path, content: dict[str, Any], map_name: str
) -> dict[str, float]:
  """Return the median of each finding's cross-fitted thresholds."""
  try:
    meaning = content["protocol"]["maps"][map_name]["threshold_means"]
    chosen = content["chosen"][map_name]["crossfit"]
  except (KeyError, TypeError) as error:
    raise ValueError(
      f"{path} holds no cross-fitted thresholds of the map {map_name}"
    ) from error
  if meaning != "percentile":
    raise ValueError(f"{path}: thresholds of {map_name} are {meaning}")
  return {k: sorted(v)[len(v) // 2] for k, v in chosen.items() if v}
