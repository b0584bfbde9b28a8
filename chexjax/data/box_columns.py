"""How a table writes boxes, and whether its numbers can mean that."""

from typing import NamedTuple

import numpy as np

from chexjax.data.columns import plain

# Pixels by which a box may reach beyond its image, because tables are rounded.
SLACK = 1.0
# The same for fractions.
_LITTLE = 0.01


class Form(NamedTuple):
  """One way to write a box in four columns.

  Attributes:
    said: what the form is called.
    columns: for each of the four numbers its names, in plain lower case.
    corners: whether the last two numbers are the other corner.
    centred: whether the first two numbers are the centre.
    fractions: whether numbers are fractions of the image, 0..1.
  """

  said: str
  columns: tuple[tuple[str, ...], ...]
  corners: bool = False
  centred: bool = False
  fractions: bool = False


FORMS = (
  Form(
    "x, y, width, height in pixels",
    (("x",), ("y",), ("w", "width"), ("h", "height")),
  ),
  Form(
    "the corners x1, y1, x2, y2 in pixels",
    (("x1", "xmin"), ("y1", "ymin"), ("x2", "xmax"), ("y2", "ymax")),
    corners=True,
  ),
  Form(
    "centre and size as fractions of the image",
    (
      ("xcenter", "xcentre"), ("ycenter", "ycentre"), ("w", "width"),
      ("h", "height"),
    ),
    centred=True,
    fractions=True,
  ),
)  # fmt: skip


def find_form(
  header: tuple[str, ...],
) -> tuple[Form, list[int]] | str:
  """Recognise the form of a table's boxes by its header.

  Args:
    header: names of the columns.

  Returns:
    The form and the places of its four columns, or what is wrong.
  """
  names = [plain(name) for name in header]
  found = []
  for form in FORMS:
    places = [
      [i for i, name in enumerate(names) if name in known]
      for known in form.columns
    ]
    if all(places):
      found.append((form, places))
  if not found:
    return (
      "the header lacks the numbers of a box: x,y,w,h or x1,y1,x2,y2 in "
      "pixels, or x_center,y_center,width,height in 0..1; it is "
      f"{list(header)}"
    )
  if len(found) > 1 or any(len(place) > 1 for place in found[0][1]):
    said = " and ".join(form.said for form, _ in found)
    return f"the header fits more than one box: {said}; keep one"
  form, places = found[0]
  return form, [place[0] for place in places]


def to_corners(
  numbers: np.ndarray, sizes: np.ndarray, form: Form
) -> np.ndarray:
  """Return boxes as corners in pixels.

  Args:
    numbers: `[N, 4]` as the table writes them.
    sizes: `[N, 2]` width and height of the films, in pixels.
    form: of the table.

  Returns:
    `[N, 4]` x1, y1, x2, y2 in pixels of the films.
  """
  start, end = numbers[:, :2], numbers[:, 2:]
  if form.centred:
    start = start - end / 2
  if not form.corners:
    end = start + end
  boxes = np.concatenate([start, end], 1)
  return boxes * np.tile(sizes, 2) if form.fractions else boxes


def frame_fault(numbers: np.ndarray, sizes: np.ndarray, form: Form) -> str:
  """Return why the numbers as a whole cannot mean what the header says.

  Args:
    numbers: `[N, 4]` finite, as the table writes them.
    sizes: `[N, 2]` width and height of the films, in pixels.
    form: of the table.

  Returns:
    A text, empty where nothing is wrong.
  """
  if not len(numbers):
    return ""
  if form.fractions:
    if numbers.max() > 1 + _LITTLE:
      return (
        f"the header says {form.said}, but the largest number is "
        f"{numbers.max():g}; for pixels name the columns x,y,w,h or x1,y1,x2,y2"
      )
    return ""
  if numbers.max() <= 1:
    return (
      f"the header says {form.said}, but no number is above 1; for fractions "
      "of the image name the columns x_center,y_center,width,height"
    )
  boxes = to_corners(numbers, sizes, form)
  outside = (boxes.min(1) < -SLACK) | (boxes[:, 2:] > sizes + SLACK).any(1)
  far = outside.sum() > 1 and outside.mean() > 0.5
  further = (numbers[:, 2:] > numbers[:, :2]).all(1).mean()
  if form.corners:
    if further < 0.5 and len(numbers) > 1:
      return (
        "x2, y2 are mostly not beyond x1, y1: they look like width and "
        "height; then name the columns x,y,w,h"
      )
  elif far and further == 1 and (numbers[:, 2:] <= sizes + SLACK).all():
    return (
      f"{outside.sum()} of {len(boxes)} boxes leave their image, and w, h look "
      "like the other corner; then name the columns x1,y1,x2,y2"
    )
  if far:
    return (
      f"boxes in another frame? {outside.sum()} of {len(boxes)} leave their "
      "image; they must be in pixels of the files as viewers show them"
    )
  return ""
