"""What `predict` leaves of each film: a picture, arrays and a record."""

import collections
import pathlib
from typing import Any

import numpy as np

from chexjax import messages
from chexjax.data.images import Film
from chexjax.data.likeness import doubt
from chexjax.evaluation.outputs.results import DISCLAIMER
from chexjax.inference.boxes import cut_box
from chexjax.inference.image_files import Job
from chexjax.inference.predictor import Predictor
from chexjax.io import replacing, write_json
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
    """Start with nothing written.

    Args:
      folder: made when the first film is written.
      predictor: whose predictions they are.
      percentiles: of each finding, the share of the map's pixels below the cut.
      raw: whether logits and saliency are written too, as `.npz`.

    Raises:
      FileExistsError: the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
      raise FileExistsError(f"--out={folder} is no folder")
    self._folder, self._predictor = folder, predictor
    self._percentiles, self._raw = percentiles, raw
    self._doubted: dict[pathlib.Path, list[str]] = {}

  def write_film(self, job: Job, film: Film, found: dict[str, Any]) -> dict:
    """Write a film's overlay and arrays; return its record.

    Args:
      job: the file and the stem of what is written.
      film: what was read.
      found: what `make_forward` gives of it, on the host.
    """
    self._folder.mkdir(parents=True, exist_ok=True)
    names, box_map = self._predictor.findings, self._predictor.box_map
    heat = found["maps"][box_map]
    if self._raw:
      arrays = {k: v for k, v in found.items() if k != "maps"}
      path = self._folder / f"{job.stem}.npz"
      # A file and not its name, to which numpy would append `.npz`.
      with replacing(path) as scratch, scratch.open("wb") as file:
        np.savez(file, **arrays, findings=np.array(names))
    logits = found["full_logits"].astype(np.float64)
    findings = {
      name: {"probability": float(1 / (1 + np.exp(-logits[k])))}
      | cut_box(
        heat[k],
        self._percentiles[name],
        size=self._predictor.info.image_size,
        original=film.original.shape,
      )
      | {"map": box_map}
      for k, name in enumerate(names)
    }
    marked = []
    for k in np.argsort(-logits)[:_SHOWN]:
      of = findings[names[k]]
      title = f"{names[k]} {of['probability']:.2f}"
      marked.append(Marked(title, heat[k], of["box"]))
    overlay = f"{job.stem}_overlay.png"
    with replacing(self._folder / overlay) as scratch:
      # The default level takes three times as long, for a seventh less.
      draw_overlay(film.original, marked).save(scratch, "PNG", compress_level=1)
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

  def _doubts(self, job: Job, film: Film) -> list[str]:
    for note in film.notes:
      messages.warn(f"note: {job.path}: {note}")
    doubted = doubt(film.original)
    if not doubted:
      return []
    self._doubted.setdefault(job.path.parent, []).append(doubted)
    return [doubted]

  def warn(self) -> None:
    """Say for every folder how many images look like mistakes."""
    for folder, doubts in sorted(self._doubted.items()):
      kinds = collections.Counter(doubts).most_common()
      said = "; ".join(f"{count} {kind}" for kind, count in kinds)
      messages.warn(
        f"warning: {folder}: {said}. Predictions are for upright frontal films "
        "with dark air; the images were taken as they are, see notes in "
        "predictions.json"
      )

  def write_record(
    self, done: list[dict], failed: list[dict], thresholds_from: str
  ) -> None:
    """Write `predictions.json`.

    Args:
      done: the record of every film.
      failed: `file` and `reason` of those that could not be read.
      thresholds_from: where the percentiles are from, in words.
    """
    info = self._predictor.info
    record: dict[str, Any] = {
      "schema_version": 1,
      "disclaimer": DISCLAIMER,
      "weights": info.source,
      "preset": info.preset,
      "image_size": info.image_size,
      "conventions": {
        "probability": "sigmoid of the full image's logit",
        "box": "x1, y1, x2, y2 in pixels of the original image, exclusive end",
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
