"""Anybody's predictions: a folder with scores, heat maps or boxes.

`scores.csv`: column `file` and one per finding, for all findings or for some,
probabilities, any order. And either `*.npz` (in the folder or in `maps/`), one
per boxed image, named after it, with `findings` `[K]` and maps `[K, h, w]`:
`sal`, `det`, `mix`, or a single one of any name; or `boxes.json`, a list of
objects with `file`, `finding`, `x`, `y`, `w`, `h` (1024 frame; in a set of
one's own the file's own pixels), `score`. `thresholds.json` (finding -> score)
may say from which score on a finding counts as predicted. One of scores, maps
and boxes is enough.
"""

import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation.collected.localization_collector import PairMaps
from chexjax.evaluation.measures.detections import Detections
from chexjax.evaluation.submissions import map_files
from chexjax.evaluation.submissions.faults import Faults
from chexjax.evaluation.submissions.json_files import (
  Entry,
  read_boxes,
  read_thresholds,
)
from chexjax.evaluation.submissions.scores_csv import read_scores
from chexjax.evaluation.submissions.true_films import FRAME, TrueFilms
from chexjax.progress import Progress

# A run's folder holds both scores and this, which is no map.
_NO_MAP = "evaluation.npz"


class Submission(NamedTuple):
  """What a folder holds, checked.

  Attributes:
    folder: where it is.
    truth: the films that it answers.
    scores: finding -> `[N]` float64, in the order of `truth.keys`; findings
      without scores are absent.
    thresholds: finding -> score, or None.
    maps: key of each boxed image -> its `.npz`; empty without maps.
    map_names: names of the maps.
    boxes: entries of `boxes.json` on images to score; None without the file.
    unused: number of map files, or boxes, of images without true boxes.
  """

  folder: pathlib.Path
  truth: TrueFilms
  scores: dict[str, np.ndarray]
  thresholds: dict[str, float] | None
  maps: dict[str, pathlib.Path]
  map_names: tuple[str, ...]
  boxes: list[Entry] | None
  unused: int

  def maps_or_boxes(self) -> Detections | Iterator[PairMaps] | None:
    """Return what `evaluate` takes.

    Returns:
      The boxes, or a stream of the maps; None where there are neither.
    """
    if self.maps:
      return self._stream()
    if self.boxes is None:
      return None
    xywh = np.array([[row[k] for k in "xywh"] for row in self.boxes], float)
    xywh = xywh.reshape(-1, 4)
    corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
    keys = [self.truth.key(str(row["file"])) for row in self.boxes]
    sizes = np.array([self.truth.size(key) for key in keys], float)
    corners *= np.tile(FRAME / sizes.reshape(-1, 2), 2)
    return Detections(
      np.array(keys, str),
      np.array([row["finding"] for row in self.boxes], str),
      np.clip(corners, 0, FRAME),
      np.array([row["score"] for row in self.boxes], float),
    )

  def _stream(self) -> Iterator[PairMaps]:
    """Yield the maps, and tell how far the work is."""
    with Progress("scoring maps of films", total=len(self.maps)) as progress:
      for key, path in self.maps.items():
        for finding, maps in map_files.load(path):
          yield key, finding, maps
        progress.add()


def read_submission(
  folder: pathlib.Path, truth: TrueFilms, faults: Faults
) -> Submission:
  """Read and check a folder of predictions.

  Args:
    folder: of the predictions.
    truth: the images to score.
    faults: gets what is wrong; where there is a fault, nothing may be scored.

  Returns:
    The `Submission`.
  """
  scores = read_scores(folder / "scores.csv", truth, faults)
  thresholds = read_thresholds(
    folder / "thresholds.json", truth.findings, faults
  )
  files = _find_maps(folder)
  if (folder / "boxes.json").exists():
    if files:
      faults.add("both boxes.json and *.npz: give one of them")
    boxes, unused = read_boxes(folder / "boxes.json", truth, faults)
    rest: tuple[Any, ...] = ({}, (), boxes, unused)
    return Submission(folder, truth, scores, thresholds, *rest)
  if not files and not (folder / "scores.csv").exists():
    said = "neither scores.csv, nor maps (*.npz), nor boxes.json"
    if (folder / "predictions.json").exists():
      said += (
        "; a folder of `chexjax predict` is no submission: score its model "
        "with `chexjax evaluate --weights=DIR --data_dir=DIR --out=DIR`"
      )
    faults.add(said)
  names: tuple[str, ...] = ()
  unused = 0
  if files:
    files, unused = map_files.match(files, truth, faults)
    names = map_files.check_all(files, truth, faults)
  rest = (files, names, None, unused)
  return Submission(folder, truth, scores, thresholds, *rest)


def _find_maps(folder: pathlib.Path) -> dict[str, pathlib.Path]:
  """Return the map files by the name of their image, without an ending.

  A file of `maps/` may lie in folders of its own, as its image does.
  """
  inner = folder / "maps"
  files = {p.stem: p for p in folder.glob("*.npz") if p.name != _NO_MAP}
  for path in sorted(inner.rglob("*.npz")):
    files[path.relative_to(inner).with_suffix("").as_posix()] = path
  return dict(sorted(files.items()))
