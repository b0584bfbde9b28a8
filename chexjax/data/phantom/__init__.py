"""Drawn chest X-rays with the 14 findings of ChestX-ray14, nothing to download.

`write_phantom` writes a data set in the official layout, `ensure_phantom`
does so once, `phantom` gives films as arrays, and `draw_example` draws one
image with its labels and boxes.
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
