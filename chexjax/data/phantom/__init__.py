"""Drawn chest X-rays with the 14 findings of ChestX-ray14; no download.

- `arrays`: `phantom`, films as arrays
- `draw`: `draw_example`, one film with its labels and boxes
- `write`: `write_phantom` and `ensure_phantom`, a data set in NIH's layout
- `tables`, `drawing`, `worker`: its lists, its images, its child processes
- `sampling`: who has which findings, on which list
- `anatomy`, `chest`, `canvas`: a chest without findings
- `findings`: names -> `focal`, `diffuse` and `pleural`, by `placing`
- `distractors`, `exposure`: wires and markers; density to grey
"""

from chexjax.data.phantom.arrays import Phantom, phantom
from chexjax.data.phantom.draw import PhantomExample, draw_example
from chexjax.data.phantom.sampling import Film, plan_films
from chexjax.data.phantom.write import (
  VERSION,
  ensure_phantom,
  train_val_boxes,
  write_phantom,
)

__all__ = [
  "VERSION",
  "Film",
  "Phantom",
  "PhantomExample",
  "draw_example",
  "ensure_phantom",
  "phantom",
  "plan_films",
  "train_val_boxes",
  "write_phantom",
]
