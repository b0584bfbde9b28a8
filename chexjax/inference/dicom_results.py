"""Predictions of a DICOM film as DICOM objects."""

import functools
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from PIL import Image

from chexjax.data.images import Film
from chexjax.dicom.datasets import open_dataset
from chexjax.dicom.faults import FilmFault
from chexjax.dicom.placement import Placement
from chexjax.extras import require
from chexjax.inference.film_findings import (
  SHOWN,
  FilmFindings,
  Findings,
  drawn,
  most_probable,
)
from chexjax.io import check_folder, replacing
from chexjax.report.overlay import draw_overlay
from chexjax.runtime import provenance
from chexjax.weights.digest import digest_of

_DAMAGED = (
  ArithmeticError,
  AttributeError,
  LookupError,
  NotImplementedError,
  TypeError,
  ValueError,
)
Writer = Callable[[pathlib.Path], None]


class DicomResults:
  """Makes the DICOM objects of films that are DICOM files."""

  def __init__(
    self,
    of_films: FilmFindings,
    *,
    thresholds_from: str,
    segmentation: bool = False,
  ):
    """Name the algorithm: weights, preset and thresholds.

    Args:
      of_films: makes findings of the model's output.
      thresholds_from: origin of the percentiles, as text.
      segmentation: whether to make a segmentation of the maps too.

    Raises:
      ImportError: pydicom or highdicom is absent; names the extra.
    """
    require("dicom", "pydicom", "highdicom")
    from chexjax.dicom.objects.result import Algorithm

    predictor = of_films.predictor
    info = predictor.info
    self._of_films, self._segmentation = of_films, segmentation
    thresholds = [of_films.percentiles, info.score_cuts]
    self._algorithm = Algorithm(
      version=provenance.version_of("chexjax"),
      weights=info.source,
      weights_sha256=digest_of(predictor.variables),
      settings=(
        f"Preset: {info.preset}; boxes are cut from the map {info.box_map}",
        f"Thresholds of the boxes: {thresholds_from}",
      ),
      thresholds=repr([sorted(of.items()) for of in thresholds]),
    )

  def writers(
    self,
    path: pathlib.Path,
    film: Film,
    found: Mapping[str, Any],
    findings: Findings,
  ) -> dict[str, Writer]:
    """Make a film's objects.

    Args:
      path: of the film, a DICOM file.
      film: content of the file.
      found: result of `make_forward` for this film, on the host.
      findings: of `FilmFindings`, with boxes on the film as shown.

    Returns:
      What ends the file's name, such as `sr.dcm` -> what writes it.

    Raises:
      ValueError: the film lacks what the objects refer to, or is itself a
        result of chexjax; names the file, but no patient.
    """
    from chexjax.dicom.quiet import quiet

    with quiet():
      try:
        made = self._objects(path, film, found, findings)
      except FilmFault as error:
        raise ValueError(f"{path}: no DICOM results: {error}") from error
      # What other packages say may quote the header, and with it a patient.
      except _DAMAGED as error:
        raise ValueError(
          f"{path}: no DICOM results: damaged header ({type(error).__name__})"
        ) from error
    return {
      f"{kind}.dcm": functools.partial(_save, dataset)
      for kind, dataset in made.items()
    }

  def _objects(
    self,
    path: pathlib.Path,
    film: Film,
    found: Mapping[str, Any],
    findings: Findings,
  ) -> dict[str, Any]:
    from chexjax.dicom.objects.display import needs_pixels
    from chexjax.dicom.objects.presentation_state import presentation_state
    from chexjax.dicom.objects.secondary_capture import secondary_capture
    from chexjax.dicom.objects.segmentation import segmentation
    from chexjax.dicom.objects.structured_report import structured_report

    header = open_dataset(path)
    if needs_pixels(header):
      header = open_dataset(path, pixels=True)
    if _is_own(header):
      raise FilmFault("is itself a picture that chexjax has made")
    placement = film.placement
    if placement is None:
      raise FilmFault("is no DICOM file")
    names = drawn(findings)
    results = [
      self._result(name, findings[name], placement, name in names)
      for name in findings
    ]
    shown = names or most_probable(findings)[:SHOWN]
    marked = self._of_films.marked(film, found, findings, shown)
    side = int(np.ceil(np.sqrt(1 + len(marked))))
    picture = np.asarray(draw_overlay(film.original, marked, columns=side))
    made = {
      "sr": structured_report(header, results, self._algorithm),
      "sc": secondary_capture(header, picture, self._algorithm),
    }
    if header.get("SamplesPerPixel", 1) == 1:
      made["gsps"] = presentation_state(header, results, self._algorithm)
    if self._segmentation:
      maps = [
        (name, stored_map(self._of_films.heat(film, found, name), placement))
        for name in shown
      ]
      made["seg"] = segmentation(header, maps, self._algorithm)
    return made

  def _result(
    self,
    name: str,
    of: Mapping[str, Any],
    placement: Placement,
    is_drawn: bool,
  ) -> Any:
    """Return what the objects say of a finding."""
    from chexjax.dicom.objects.result import Finding

    box = None
    if of["box"] is not None and of["predicted"] is not False:
      edges = placement.to_original(np.asarray(of["box"], np.float64))
      most = [placement.columns, placement.rows] * 2
      x1, y1, x2, y2 = np.clip(edges, 0, most).tolist()
      box = x1, y1, x2, y2
    settings = [f"Share of the map below the box's cut: {of['threshold']:g}"]
    if of["score_cut"] is not None:
      settings.append(f"Present from this score on: {of['score_cut']:.6g}")
    return Finding(
      name=name,
      probability=of["probability"],
      predicted=of["predicted"],
      box=box,
      drawn=is_drawn,
      settings=tuple(settings),
    )


class DicomFolder:
  """A folder of DICOM objects, some for every film."""

  def __init__(self, folder: pathlib.Path, results: DicomResults):
    """Check the folder; write nothing yet.

    Args:
      folder: created when the first film is written.
      results: makes the objects.

    Raises:
      OSError: the folder cannot be made or written to.
    """
    check_folder(folder)
    self._folder, self._results = folder, results

  def write_film(
    self,
    path: pathlib.Path,
    stem: str,
    film: Film,
    found: Mapping[str, Any],
    findings: Findings,
  ) -> list[str]:
    """Write a film's objects; see `DicomResults.writers`.

    Args:
      path: of the film.
      stem: with which the names of its objects begin.
      film: content of the file.
      found: see `DicomResults.writers`.
      findings: see `DicomResults.writers`.

    Returns:
      The names of the files.
    """
    self._folder.mkdir(parents=True, exist_ok=True)
    writers = self._results.writers(path, film, found, findings)
    for end, write in writers.items():
      with replacing(self._folder / f"{stem}_{end}") as scratch:
        write(scratch)
    return [f"{stem}_{end}" for end in writers]


def stored_map(heat: np.ndarray, placement: Placement) -> np.ndarray:
  """Return a map of the film as shown in the film's stored pixels.

  Args:
    heat: `[h, w]` finite, over the film as shown, of any size.
    placement: of the film.

  Returns:
    `[rows, columns]` float32; bilinear between the map's values.
  """
  size = placement.columns, placement.rows
  turned = np.asarray(heat, np.float32)
  if placement.mirrored_y:
    turned = turned[::-1]
  if placement.mirrored_x:
    turned = turned[:, ::-1]
  if placement.transposed:
    turned = turned.T
  image = Image.fromarray(np.ascontiguousarray(turned))
  return np.asarray(image.resize(size, Image.Resampling.BILINEAR))


def _is_own(header: Any) -> bool:
  """Return whether a film is one of our Secondary Captures.

  An archive may send what it gets on to us, which would go on for ever.
  """
  from chexjax.dicom.objects.equipment import NAME

  return str(header.get("Manufacturer") or "") == NAME


def _save(dataset: Any, path: pathlib.Path) -> None:
  from chexjax.dicom.quiet import quiet

  with quiet():
    dataset.save_as(path, enforce_file_format=True)
