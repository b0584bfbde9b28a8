"""Which files of a folder are DICOM films, and which are other objects."""

import collections
import pathlib
from collections.abc import Sequence
from typing import NamedTuple

from chexjax.dicom.classes import class_name, is_film
from chexjax.dicom.datasets import open_dataset
from chexjax.dicom.quiet import quiet
from chexjax.dicom.recognition import is_dicom


class Sorted(NamedTuple):
  """The DICOM files among others.

  Attributes:
    films: what may be a film, or is too damaged to tell.
    others: file -> name of its class, for what holds no film.
  """

  films: set[pathlib.Path]
  others: dict[pathlib.Path, str]

  def counts(self) -> str:
    """Return how many others are of which class, as text."""
    each = collections.Counter(self.others.values()).most_common()
    return ", ".join(f"{count} {name}" for name, count in each)


def sort_dicom(files: Sequence[pathlib.Path]) -> Sorted:
  """Find the DICOM films among files, by what they begin with.

  Of each DICOM file the header is read. Without pydicom all count as films,
  and reading them says what to install.

  Args:
    files: of any kind.

  Returns:
    The DICOM files; files of other kinds are in neither part.
  """
  found = Sorted(set(), {})
  for path in files:
    if not is_dicom(path):
      continue
    try:
      dataset = open_dataset(path)
      with quiet():
        film, name = is_film(dataset), class_name(dataset)
    except ImportError:
      found.films.add(path)
    except (OSError, ValueError) as error:
      # A file that only begins like a data set is some other file.
      if "is no DICOM file" not in str(error):
        found.films.add(path)
    else:
      if film:
        found.films.add(path)
      else:
        found.others[path] = name
  return found
