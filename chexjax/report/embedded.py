"""Pictures as data URIs, with the size at which a page keeps their place."""

import base64
import io
from typing import NamedTuple


class Figure(NamedTuple):
  """A figure of the page.

  Attributes:
    caption: stands over it.
    uri: the picture as a data URI.
    width: in pixels.
    height: in pixels.
    group: heading that it is folded under.
    alt: what it shows, for those who do not see it.
  """

  caption: str
  uri: str
  width: int
  height: int
  group: str
  alt: str


def embed(
  data: bytes, caption: str, *, group: str = "", alt: str = ""
) -> Figure:
  """Return a PNG or JPEG as a figure.

  Args:
    data: bytes of the file.
    caption: stands over it.
    group: heading that it is folded under.
    alt: what it shows; the caption by default.

  Returns:
    The figure, with the picture's own size.
  """
  from PIL import Image

  picture = Image.open(io.BytesIO(data))
  kind = (picture.format or "png").lower()
  uri = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
  return Figure(caption, uri, *picture.size, group, alt or caption)


def grouped(figures: list[Figure]) -> list[tuple[str, list[Figure]]]:
  """Return figures by group, groups in the order in which they come.

  Args:
    figures: of a run.
  """
  groups: dict[str, list[Figure]] = {}
  for figure in figures:
    groups.setdefault(figure.group, []).append(figure)
  return list(groups.items())
