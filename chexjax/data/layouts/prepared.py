"""What the readers of published layouts return."""

import collections
import dataclasses
import pathlib
from typing import NamedTuple

PRESENT, ABSENT, UNCERTAIN, UNKNOWN = "1", "0", "-1", ""
PIXELS = ("x", "y", "w", "h")
CORNERS = ("x1", "y1", "x2", "y2")
FRACTIONS = ("x_center", "y_center", "width", "height")


class PreparedFilm(NamedTuple):
  """A film of a published set.

  Attributes:
    file: path within the folder of the images.
    labels: finding -> `PRESENT`, `ABSENT`, `UNCERTAIN` or `UNKNOWN`.
    patient: name, empty if the set has none.
    split: train, validation or test, empty if the set has none.
  """

  file: str
  labels: dict[str, str]
  patient: str = ""
  split: str = ""


class PreparedBox(NamedTuple):
  """A box of a published set.

  Attributes:
    file: path within the folder of the images.
    finding: name.
    numbers: four, in the columns of `Prepared.columns`.
    reader: who drew it, empty if the set does not say.
  """

  file: str
  finding: str
  numbers: tuple[float, float, float, float]
  reader: str = ""


@dataclasses.dataclass(frozen=True)
class Prepared:
  """A published set, ready to be written.

  Attributes:
    images: folder that the files' paths start from.
    findings: names of the classes, sorted.
    films: those whose image is there.
    boxes: of these films.
    columns: how boxes are written: `PIXELS`, `CORNERS` or `FRACTIONS`.
    notes: what was counted, changed or left out, as text.
  """

  images: pathlib.Path
  findings: tuple[str, ...]
  films: list[PreparedFilm]
  boxes: list[PreparedBox]
  columns: tuple[str, ...] = PIXELS
  notes: list[str] = dataclasses.field(default_factory=list)

  def counts(self) -> str:
    """Return how many films, positives and boxes there are, as text."""
    positives = collections.Counter(
      name
      for film in self.films
      for name, label in film.labels.items()
      if label == PRESENT
    )
    each = ", ".join(f"{name} {positives[name]}" for name in self.findings)
    return f"{len(self.films)} films, {len(self.boxes)} boxes; positive: {each}"


def labels_of(
  present: collections.abc.Collection[str], findings: tuple[str, ...]
) -> dict[str, str]:
  """Return the labels of a film of which everything is known.

  Args:
    present: its findings.
    findings: all names.
  """
  return {n: PRESENT if n in present else ABSENT for n in findings}


def clean_names(names: collections.abc.Iterable[str]) -> dict[str, str]:
  """Return names without the marks that separate findings in our tables.

  Args:
    names: as published.

  Returns:
    Published name -> ours.
  """
  table = str.maketrans({"|": "/", ",": " ", ";": " ", "\t": " "})
  return {name: " ".join(name.translate(table).split()) for name in names}
