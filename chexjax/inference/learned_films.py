"""Films that a model is scored on although it has learned from them."""

import csv
import io
import pathlib

from chexjax import messages
from chexjax.data.sources import Source
from chexjax.inference.film_names import file_names

_LEARNED = ("train", "validation")


def learned_films(workdir: pathlib.Path, films: Source) -> list[str]:
  """Return the films of a split that a run has trained or was chosen on.

  Films are compared by file name, as the run's `splits.csv` has them: a film
  under another name is not found, and two sets may name different films alike.

  Args:
    workdir: of the run, or of weights without one.
    films: the split that is scored.

  Returns:
    Their file names, in the order of the split; none without a `splits.csv`.
  """
  path = workdir / "splits.csv"
  if not path.is_file():
    return []
  rows = csv.DictReader(io.StringIO(path.read_text("utf-8")))
  learned = {row["file"] for row in rows if row["split"] in _LEARNED}
  return [name for name in file_names(films) if name in learned]


def tell_learned(found: list[str], total: int, workdir: pathlib.Path) -> None:
  """Warn that a model is scored on films that it has learned from.

  Args:
    found: result of `learned_films`.
    total: films of the split.
    workdir: of the run.
  """
  if found:
    messages.tell(
      f"note: {len(found)} of the {total} test films, such as {found[0]}, have "
      f"the names of films that {workdir} was trained or chosen on (its "
      "splits.csv): figures on these are too good; leave them out with "
      "--images=LIST"
    )
