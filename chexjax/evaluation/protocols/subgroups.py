"""The same figures on parts of the test set: view, sex, age, size of the box.

Thresholds stay those chosen on all rows: a subgroup shows how the one model
does on it, it gets no thresholds of its own.
"""

import numpy as np

AGE_BANDS = ((0, 17), (18, 39), (40, 59), (60, 79), (80, 120))
# Share of the image that the true box covers.
BOX_BANDS = (("small", 0.0, 0.02), ("medium", 0.02, 0.08), ("large", 0.08, 1.1))


def image_groups(images):
  """Give kind -> group -> `[N]` bool of images; unknown ones are named."""
  age = images.age
  bands = {f"{a}-{b}": (age >= a) & (age <= b) for a, b in AGE_BANDS}
  # The 2017 list holds ages up to 414: errors, not people.
  known = np.any(list(bands.values()), 0)
  kinds = {
    "view": {name: images.view == name for name in ("AP", "PA")},
    "sex": {name: images.sex == name for name in ("F", "M")},
    "age": bands,
  }
  for kind, unknown in (
    ("view", ~np.isin(images.view, ("AP", "PA"))),
    ("sex", ~np.isin(images.sex, ("F", "M"))),
    ("age", ~known),
  ):
    if unknown.any():
      kinds[kind]["unknown"] = unknown
  return kinds


def box_groups(true_box, frame):
  """Give band -> `[P]` bool of rows, by the share of the frame covered."""
  height, width = frame
  share = np.prod(true_box[:, 2:] - true_box[:, :2], 1) / (height * width)
  return {
    name: (share >= low) & (share < high) for name, low, high in BOX_BANDS
  }


def box_band_names():
  """Give band -> what it means, in words."""
  return {
    name: f"box covers {low:.0%} to {min(high, 1):.0%} of the image"
    for name, low, high in BOX_BANDS
  }
