"""The report that a run writes itself, after its results."""

import pathlib

from chexjax import messages
from chexjax.progress import Progress

NAME = "report.html"


def try_report(folder: pathlib.Path) -> bool:
  """Write a folder's `report.html`.

  A report that fails costs itself alone: then there is a warning, and the
  results stay.

  Args:
    folder: of results.

  Returns:
    Whether it was written.
  """
  path = folder / NAME
  try:
    # Here, so that a package that is absent is a failure of the report too.
    from chexjax.report import build

    with Progress(f"writing {path}"):
      build.write([folder], path)
  except Exception as error:  # Of any kind: fonts, templates, a full disk, ...
    messages.warn(f"warning: no {path}: {error}")
    return False
  return True
