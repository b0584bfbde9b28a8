"""Whose films an evaluation scored: drawn or real, and how many."""

import numpy as np

from chexjax.report.run import Run
from chexjax.types import PHANTOM

OFFICIAL = "ChestX-ray14"


def _dataset(run: Run) -> str:
  """Return what the films are called, without what is said of the training."""
  return str(run.results["dataset"]).partition(" (boxes of ")[0]


def film_count(run: Run) -> str:
  """Return how many films of how many patients were scored, as text."""
  films = len(run.record.images.image)
  patients = np.unique(run.record.images.patient).size
  drawn = "drawn " if _dataset(run) == PHANTOM else ""
  return f"{films:,} {drawn}test films of {patients:,} {drawn}patients"


def whose_films(run: Run) -> str:
  """Return whose films were scored in a sentence for the top of a page."""
  name, count = _dataset(run), film_count(run)
  if name == PHANTOM:
    return (
      f"The films are drawn by a program, they show nobody: {count} (phantom). "
      "These figures say nothing about real films."
    )
  if name == OFFICIAL:
    return f"The films are real: {count} of {name}."
  return f"The films are {count} of {name}, taken to be real."
