"""The threshold at which a finding's map is cut, for images without truth."""

import pathlib
from collections.abc import Mapping

from chexjax.io import read_json
from chexjax.weights import run_results
from chexjax.weights.model_info import ModelInfo

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
# In words, for the record of the predictions.
_DEFAULT_ORIGIN = (
  "default (area of the finding's median box in ChestX-ray14, 5 % without any)"
)


def default_percentile(finding: str) -> float:
  """Return where a finding's map is cut if nobody has chosen a threshold.

  Args:
    finding: any name; one that ChestX-ray14 has no boxes of keeps 5 % of the
      map's pixels.

  Returns:
    The share of the map's pixels below the cut, 0..1.
  """
  if finding not in _MEDIAN_BOX:
    return _UNBOXED
  width, height = _MEDIAN_BOX[finding]
  return round(1 - width * height / 1024**2, 3)


def percentiles_of(info: ModelInfo) -> tuple[dict[str, float], str]:
  """Return the percentile of each finding of a model, and their origin.

  Args:
    info: of the model; its own percentiles come first.

  Returns:
    Finding -> share of the map's pixels below the cut, 0..1; and the origin as
    text.
  """
  found = {name: default_percentile(name) for name in info.findings}
  own = {k: v for k, v in info.percentiles.items() if k in found}
  return found | own, _origin(info, {}, "")


def read_thresholds(
  path: pathlib.Path, info: ModelInfo
) -> tuple[dict[str, float], str]:
  """Return the percentiles that a file gives, and their origin as text.

  Args:
    path: JSON of `{finding: percentile}`, or a run's `results.json`, of which
      the median of each finding's cross-fitted thresholds is taken. A finding
      that is not in the file keeps that of `percentiles_of`.
    info: of the model whose maps are cut.

  Returns:
    As `percentiles_of`.

  Raises:
    ValueError: the file is not as described; names it and the wrong values.
  """
  content = read_json(path)
  if isinstance(content, dict) and "chosen" in content:
    chosen = run_results.percentiles_of(content, info.box_map, path=path)
    given = {k: v for k, v in chosen.items() if k in info.findings}
    if not given:
      raise ValueError(
        f"{path} has thresholds of {', '.join(chosen) or 'no finding'}, the "
        f"model is of {', '.join(info.findings)}"
      )
  else:
    given = content
  if not isinstance(given, dict):
    raise ValueError(f"{path} must be {{finding: percentile}}")
  faults = [
    f"{name}: {value!r}"
    for name, value in given.items()
    if name not in info.findings
    or isinstance(value, bool)
    or not isinstance(value, int | float)
    or not 0 <= value <= 1
  ]
  if faults:
    raise ValueError(
      f"{path}: must map findings ({', '.join(info.findings)}) to 0..1, has "
      + ", ".join(faults)
    )
  before, _ = percentiles_of(info)
  return before | given, _origin(info, given, path.name)


def _origin(info: ModelInfo, given: Mapping[str, float], source: str) -> str:
  """Say in words where the percentile of every finding is from."""
  names = {source: [n for n in info.findings if n in given]}
  rest = [name for name in info.findings if name not in given]
  own = [name for name in rest if name in info.percentiles]
  names[f"chosen by {info.source}"] = own
  names[_DEFAULT_ORIGIN] = [name for name in rest if name not in own]
  used = {text: of for text, of in names.items() if of}
  if len(used) == 1:
    return next(iter(used))
  return "; ".join(f"{text}: {', '.join(of)}" for text, of in used.items())
