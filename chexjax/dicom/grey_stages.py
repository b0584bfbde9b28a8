"""From stored values to 8-bit grey, in the standard's order (PS3.4 N.2).

Modality LUT or Rescale; then the first VOI LUT, or else the first window, or
else nothing for films of 8 bits, or else the range of the values that occur.
Each stage is scaled by the range that it can give, not by the film's own
extremes, so that two films of one machine stay comparable.
"""

from typing import Any

import numpy as np

from chexjax.dicom.fields import items_of, numbers_of, text_of, value_of
from chexjax.dicom.lookup_tables import LookupTable, read_table
from chexjax.dicom.pixel_module import PixelModule

_EIGHT = 8  # stored bits that are shown as they are


def grey_table(
  dataset: Any,
  module: PixelModule,
  *,
  used: tuple[int, int],
  little: bool,
) -> tuple[np.ndarray, list[str]]:
  """Return the grey of every value that a film's bits can have.

  Args:
    dataset: a pydicom data set.
    module: of the same film.
    used: smallest and largest value that occurs, padding left out.
    little: whether numbers in tables have their lowest byte first.

  Returns:
    `[2 ** stored]` uint8, from the module's lowest value to its highest, not
    inverted for MONOCHROME1; and what was chosen or wrong, as text.
  """
  stored = np.arange(module.lowest, module.highest + 1)
  values, bounds, notes = _modality(dataset, stored, module.signed, little)
  shown = _voi_table(dataset, values, bounds[0] < 0, little, notes)
  if shown is None:
    shown = _window(dataset, values, notes)
  if shown is None:
    if module.stored > _EIGHT and "ModalityLUTSequence" not in dataset:
      start = module.lowest
      bounds = tuple(sorted(float(values[u - start]) for u in used))
      notes.append(
        "no window and no VOI LUT in the header: shown from its darkest to its "
        "brightest value, so its contrast may differ from other films'"
      )
    low, high = bounds
    shown = (values - low) / max(high - low, 1e-9)
  grey = np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)
  return grey, notes


def padding_of(dataset: Any, module: PixelModule) -> tuple[int, int] | None:
  """Return the smallest and largest stored value that is padding, or None.

  Args:
    dataset: a pydicom data set.
    module: of the same film.
  """
  value = numbers_of(dataset, "PixelPaddingValue")
  if not value:
    return None
  limit = numbers_of(dataset, "PixelPaddingRangeLimit") or value
  ends = sorted(_as_stored(int(n[0]), module) for n in (value, limit))
  return ends[0], ends[1]


def _as_stored(value: int, module: PixelModule) -> int:
  """Return a value as the film's bits have it, signed or not."""
  if module.signed and value > module.highest:
    value -= 1 << 16
  elif not module.signed and value < 0:
    value += 1 << 16
  return value


def _modality(
  dataset: Any, stored: np.ndarray, signed: bool, little: bool
) -> tuple[np.ndarray, tuple[float, ...], list[str]]:
  """Return the modality's values, the range they can have, and notes."""
  for item in items_of(dataset, "ModalityLUTSequence")[:1]:
    table = read_table(item, signed=signed, little=little)
    if table is not None:
      return table(stored), (0, table.top), []
    return stored, _ends(stored), ["its Modality LUT is empty, not applied"]
  slope = numbers_of(dataset, "RescaleSlope") or [1.0]
  intercept = numbers_of(dataset, "RescaleIntercept") or [0.0]
  if not slope[0]:
    return stored, _ends(stored), ["Rescale Slope 0 is taken for 1"]
  values = stored * slope[0] + intercept[0]
  return values, _ends(values), []


def _ends(values: np.ndarray) -> tuple[float, float]:
  return float(values.min()), float(values.max())


def _voi_table(
  dataset: Any,
  values: np.ndarray,
  signed: bool,
  little: bool,
  notes: list[str],
) -> np.ndarray | None:
  """Return the first VOI LUT's output in 0..1, None if there is none."""
  items = items_of(dataset, "VOILUTSequence")
  if not items:
    return None
  table: LookupTable | None = read_table(items[0], signed=signed, little=little)
  if table is None:
    notes.append("its VOI LUT is empty, not applied")
    return None
  if len(items) > 1:
    notes.append(f"the first of its {len(items)} VOI LUTs is applied")
  return table(values) / table.top


def _window(
  dataset: Any, values: np.ndarray, notes: list[str]
) -> np.ndarray | None:
  """Return the first window's output in 0..1, None if there is none."""
  centres = numbers_of(dataset, "WindowCenter")
  widths = numbers_of(dataset, "WindowWidth")
  if not centres or not widths:
    if any(k in dataset for k in ("WindowCenter", "WindowWidth")) and (
      value_of(dataset, "WindowCenter") or value_of(dataset, "WindowWidth")
    ):
      notes.append("its window is damaged, not applied")
    return None
  kind = text_of(dataset, "VOILUTFunction") or "LINEAR"
  centre, width = centres[0], widths[0]
  if width <= 0 or (kind == "LINEAR" and width < 1):
    notes.append(f"its window has the width {width:g}, not applied")
    return None
  if len(centres) > 1:
    notes.append(
      f"the first of its {len(centres)} windows is applied, {centre:g} / "
      f"{width:g}"
    )
  if kind == "SIGMOID":
    # The exponent is bounded, because exp overflows at 710.
    return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -99, 99)))
  if kind == "LINEAR_EXACT":
    return (values - centre) / width + 0.5
  if kind != "LINEAR":
    notes.append("its VOI LUT Function is unknown, taken for LINEAR")
  if width == 1:
    return (values > centre - 0.5).astype(float)
  return (values - (centre - 0.5)) / (width - 1) + 0.5
