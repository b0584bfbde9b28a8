"""The files that `predict` writes: a picture and arrays per film, a record."""

import collections
import csv
import io
import pathlib
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data.images import Film
from chexjax.data.likeness import doubt
from chexjax.evaluation.measures.heat_maps import upsample
from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.inference.boxes import cut_box, of_film
from chexjax.inference.image_files import Job
from chexjax.inference.predictor import Predictor
from chexjax.io import check_folder, replacing, write_json, write_text
from chexjax.report.overlay import Marked, draw_overlay
from chexjax.runtime import provenance

_SHOWN = 3  # findings in an overlay


class PredictionFiles:
  """Writes the predictions of films to a folder."""

  def __init__(
    self,
    folder: pathlib.Path,
    predictor: Predictor,
    percentiles: dict[str, float],
    *,
    raw: bool = False,
  ):
    """Check the folder; write nothing yet.

    Args:
      folder: created when the first film is written.
      predictor: made the predictions.
      percentiles: finding -> share of the map's pixels below the cut, 0..1.
      raw: whether to write logits and intermediates too, as `.npz`.

    Raises:
      OSError: the folder cannot be made or written to.
    """
    check_folder(folder)
    self._folder, self._predictor = folder, predictor
    self._percentiles, self._raw = percentiles, raw
    self._doubted: dict[pathlib.Path, list[str]] = {}

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
    findings = self._findings(film, found)
    overlay = self._write_overlay(job, film, found, findings)
    notes = [*film.notes, *self._doubts(job, film)]
    height, width = film.original.shape
    return {
      "file": str(job.path),
      "width": width,
      "height": height,
      "notes": notes,
      "overlay": overlay,
      "raw": f"{job.stem}.npz" if self._raw else None,
      "findings": findings,
    }

  def _write_arrays(self, job: Job, found: dict[str, Any]) -> None:
    arrays = {k: v for k, v in found.items() if k != "maps"}
    path = self._folder / f"{job.stem}.npz"
    # An open file, because numpy would append `.npz` to the scratch name.
    with replacing(path) as scratch, scratch.open("wb") as file:
      np.savez(file, **arrays, findings=np.array(self._predictor.findings))

  def _findings(
    self, film: Film, found: dict[str, Any]
  ) -> dict[str, dict[str, Any]]:
    """Return probability, decision and box of every finding."""
    box_map = self._predictor.box_map
    logits = found["full_logits"].astype(np.float64)
    return {
      name: self._decision(name, float(1 / (1 + np.exp(-logits[k]))))
      | cut_box(
        found["maps"][box_map][k],
        self._percentiles[name],
        size=self._predictor.info.image_size,
        original=film.original.shape,
        shape=self._predictor.info.shape,
      )
      | {"map": box_map}
      for k, name in enumerate(self._predictor.findings)
    }

  def _decision(self, name: str, probability: float) -> dict[str, Any]:
    cut = self._predictor.info.score_cuts.get(name)
    return {
      "probability": probability,
      "score_cut": cut,
      "predicted": None if cut is None else probability >= cut,
    }

  def _write_overlay(
    self,
    job: Job,
    film: Film,
    found: dict[str, Any],
    findings: dict[str, dict[str, Any]],
  ) -> str:
    """Draw the most probable findings; return the picture's name.

    A finding that is not predicted has its map but no box.
    """
    names, heat = self._predictor.findings, found["maps"]
    marked = []
    for k in np.argsort(-found["full_logits"].astype(np.float64))[:_SHOWN]:
      of = findings[names[k]]
      title = f"{names[k]} {of['probability']:.2f}"
      box = of["box"]
      if of["predicted"] is False:
        title, box = f"{title}, not predicted", None
      marked.append(Marked(title, self._on_film(heat[of["map"]][k], film), box))
    overlay = f"{job.stem}_overlay.png"
    with replacing(self._folder / overlay) as scratch:
      # PNG's default level takes three times as long to save a seventh.
      draw_overlay(film.original, marked).save(scratch, "PNG", compress_level=1)
    return overlay

  def _on_film(self, heat: np.ndarray, film: Film) -> np.ndarray:
    """Return the part of a map that lies on the film."""
    info = self._predictor.info
    if info.shape == "squeeze":
      return heat
    full = upsample(heat, (info.image_size, info.image_size))
    return of_film(full, film.original.shape, info.shape)

  def _doubts(self, job: Job, film: Film) -> list[str]:
    """Return what makes a film look like a mistake; warn of its notes."""
    for note in film.notes:
      messages.warn(f"note: {job.path}: {note}")
    doubted = doubt(film.original)
    if not doubted:
      return []
    self._doubted.setdefault(job.path.parent, []).append(doubted)
    return [doubted]

  def warn(self) -> None:
    """Warn how many images of every folder look like mistakes."""
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
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(
      ["file", "finding", "probability", "predicted", "x1", "y1", "x2", "y2"]
    )
    for film in done:
      for name, of in film["findings"].items():
        shown = of["predicted"] is not False and of["box"] is not None
        said = "" if of["predicted"] is None else int(of["predicted"])
        box = of["box"] if shown else [""] * 4
        rows.writerow(
          [film["file"], name, f"{of['probability']:.4f}", said, *box]
        )
    write_text(self._folder / "predictions.csv", text.getvalue())

  def write_record(
    self, done: list[dict], failed: list[dict], thresholds_from: str
  ) -> None:
    """Write `predictions.json`.

    Args:
      done: records of the films that were read.
      failed: `file` and `reason` of those that could not be read.
      thresholds_from: origin of the percentiles, as text.
    """
    info = self._predictor.info
    record: dict[str, Any] = {
      "schema_version": 1,
      "disclaimer": DISCLAIMER,
      "weights": info.source,
      "models": self._predictor.sources,
      "preset": info.preset,
      "image_size": info.image_size,
      "findings": list(info.findings),
      "conventions": {
        "probability": "sigmoid of the full image's logit",
        "predicted": "whether the probability reaches score_cut, the median of "
        "the cuts that the run chose on other patients; null without any",
        "box": "x1, y1, x2, y2 in pixels of the original image, exclusive end; "
        "where the finding would be, predicted or not",
        "threshold": "percentile: share of the map's pixels below the cut",
        "box_score": "highest value of the map inside the box",
        "component": "largest, 8-connected",
        "thresholds_from": thresholds_from,
      },
      "images": done,
      "failed": failed,
      "provenance": provenance.collect(),
    }
    write_json(self._folder / "predictions.json", record)
