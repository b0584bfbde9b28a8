"""The files that `predict` writes: a picture and arrays per film, a record."""

import collections
import pathlib
import re
import threading
from typing import Any, NamedTuple

import numpy as np

from chexjax import messages
from chexjax.data.images import Film
from chexjax.data.likeness import doubt
from chexjax.dicom import identity_of, is_dicom
from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.inference.dicom_results import DicomFolder
from chexjax.inference.film_findings import (
  SHOWN,
  FilmFindings,
  Findings,
  most_probable,
)
from chexjax.inference.image_files import Job
from chexjax.inference.prediction_tables import csv_table
from chexjax.io import check_folder, replacing, write_json, write_text
from chexjax.report.overlay import draw_overlay
from chexjax.runtime import provenance


class _Noted(NamedTuple):
  """A note, how many films have it, and one of them."""

  films: int
  path: pathlib.Path
  note: str


class PredictionFiles:
  """Writes the predictions of films to a folder.

  Attributes:
    without_objects: `file` and `reason` of the DICOM films whose objects could
      not be made.
  """

  def __init__(
    self,
    folder: pathlib.Path,
    of_films: FilmFindings,
    *,
    raw: bool = False,
    keep_ids: bool = False,
    dicom: DicomFolder | None = None,
    overlays: bool = True,
  ):
    """Check the folder; write nothing yet.

    Args:
      folder: created when the first film is written.
      of_films: makes findings of the model's output.
      raw: whether to write logits and intermediates too, as `.npz`.
      keep_ids: whether a DICOM film's record has its patient's name and ID.
      dicom: where the objects of DICOM films go, if anywhere.
      overlays: whether to draw a picture of each film.

    Raises:
      OSError: the folder cannot be made or written to.
    """
    check_folder(folder)
    self._folder, self._predictor = folder, of_films.predictor
    self._of_films, self._raw, self._dicom = of_films, raw, dicom
    self._keep_ids, self._overlays = keep_ids, overlays
    self.without_objects: list[dict[str, str]] = []
    self._doubted: dict[pathlib.Path, list[str]] = {}
    self._noted: dict[str, _Noted] = {}
    self._noting = threading.Lock()  # films are written by several threads

  def write_film(
    self, job: Job, film: Film, found: dict[str, Any]
  ) -> dict[str, Any]:
    """Write a film's overlay and arrays.

    Args:
      job: the file and the stem of its results.
      film: content of the file.
      found: result of `make_forward` for this film, on the host.

    Returns:
      The film's record for `predictions.json`.
    """
    self._folder.mkdir(parents=True, exist_ok=True)
    if self._raw:
      self._write_arrays(job, found)
    findings = self._of_films.findings(film, found)
    overlay = None
    if self._overlays:
      overlay = self._write_overlay(job, film, found, findings)
    objects = self._write_objects(job, film, found, findings)
    notes = [*film.notes, *self._doubts(job, film)]
    width, height = film.frame
    for of in findings.values():
      if of["box"] is not None:
        of["box"] = film.told_box(of["box"])
    record = {
      "file": str(job.path),
      "width": width,
      "height": height,
      "notes": notes,
      "overlay": overlay,
      "raw": f"{job.stem}.npz" if self._raw else None,
      "dicom": objects,
      "findings": findings,
    }
    if self._keep_ids and is_dicom(job.path):
      record["identity"] = identity_of(job.path)
    return record

  def _write_arrays(self, job: Job, found: dict[str, Any]) -> None:
    arrays = {k: v for k, v in found.items() if k != "maps"}
    path = self._folder / f"{job.stem}.npz"
    # An open file, because numpy would append `.npz` to the scratch name.
    with replacing(path) as scratch, scratch.open("wb") as file:
      np.savez(file, **arrays, findings=np.array(self._predictor.findings))

  def _write_overlay(
    self,
    job: Job,
    film: Film,
    found: dict[str, Any],
    findings: Findings,
  ) -> str:
    """Draw the most probable findings; return the picture's name."""
    names = most_probable(findings)[:SHOWN]
    marked = self._of_films.marked(film, found, findings, names)
    overlay = f"{job.stem}_overlay.png"
    with replacing(self._folder / overlay) as scratch:
      # PNG's default level takes three times as long to save a seventh.
      draw_overlay(film.original, marked).save(scratch, "PNG", compress_level=1)
    return overlay

  def _write_objects(
    self,
    job: Job,
    film: Film,
    found: dict[str, Any],
    findings: Findings,
  ) -> list[str]:
    """Write the DICOM objects of a DICOM film; return their files' names."""
    if self._dicom is None or film.placement is None:
      return []
    try:
      return self._dicom.write_film(job.path, job.stem, film, found, findings)
    except ValueError as error:
      messages.warn(f"error: {error}")
      reason = str(error).removeprefix(f"{job.path}: ")
      self.without_objects.append({"file": str(job.path), "reason": reason})
      return []

  def _doubts(self, job: Job, film: Film) -> list[str]:
    """Return what makes a film look like a mistake; keep its notes."""
    for note in film.notes:
      kind = re.sub(r"\d+", "#", note)
      with self._noting:
        before = self._noted.get(kind, _Noted(0, job.path, note))
        self._noted[kind] = before._replace(films=before.films + 1)
    doubted = doubt(film.original)
    if not doubted:
      return []
    self._doubted.setdefault(job.path.parent, []).append(doubted)
    return [doubted]

  def warn(self) -> None:
    """Say each note once, and how many images of a folder look like mistakes.

    Notes that differ in their numbers alone are the same; a film stands for
    all that have it.
    """
    for noted in self._noted.values():
      of = f"{noted.films} films, such as " if noted.films > 1 else ""
      messages.warn(f"note: {of}{noted.path}: {noted.note}")
    for folder, doubts in sorted(self._doubted.items()):
      kinds = collections.Counter(doubts).most_common()
      said = "; ".join(f"{count} {kind}" for kind, count in kinds)
      messages.warn(
        f"warning: {folder}: {said}. Predictions are for upright frontal films "
        "with dark air; the images were taken as they are, see notes in "
        "predictions.json"
      )

  def write_table(self, done: list[dict]) -> None:
    """Write `predictions.csv`: a line for every film and finding.

    A box is given where the finding is predicted, and where nobody has chosen
    a score from which on it is.

    Args:
      done: records of the films that were read.
    """
    write_text(self._folder / "predictions.csv", csv_table(done))

  def about(self, thresholds_from: str) -> dict[str, Any]:
    """Return what holds for all films alike.

    Args:
      thresholds_from: origin of the percentiles, as text.
    """
    info = self._predictor.info
    return {
      "schema_version": 1,
      "disclaimer": DISCLAIMER,
      "weights": info.source,
      "trained_on": "drawn films alone" if info.drawn else "films",
      "models": self._predictor.sources,
      "preset": info.preset,
      "image_size": info.image_size,
      "findings": list(info.findings),
      "conventions": {
        "probability": "sigmoid of the full image's logit",
        "predicted": "whether the probability reaches score_cut, the median of "
        "the cuts that the run chose on other patients; null without any",
        "box": "x1, y1, x2, y2 in pixels of the original image (of a DICOM "
        "file the stored pixels), exclusive end; where the finding would be, "
        "predicted or not",
        "threshold": "percentile: share of the map's pixels below the cut",
        "box_score": "highest value of the map inside the box",
        "component": "largest, 8-connected",
        "thresholds_from": thresholds_from,
      },
    }

  def write_record(
    self, done: list[dict], failed: list[dict], thresholds_from: str
  ) -> None:
    """Write `predictions.json`.

    Args:
      done: records of the films that were read.
      failed: `file` and `reason` of those that could not be read.
      thresholds_from: origin of the percentiles, as text.
    """
    record = self.about(thresholds_from) | {
      "images": done,
      "failed": failed,
      "provenance": provenance.collect(),
    }
    write_json(self._folder / "predictions.json", record)
