"""From somebody's maps or boxes to the localisation table."""

import os
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from chexjax import evaluation
from chexjax.data.images import read_original
from chexjax.evaluation.detection import Detections
from chexjax.evaluation.given import GIVEN, no_boxes, table_of_boxes
from chexjax.report.cases import NAME, CaseWriter
from experiments import heat_files
from experiments.predictions import Predictions
from experiments.truth import FRAME, Truth
from tfds_chestxray14.findings import BOXED_FINDINGS
from tfds_chestxray14.folder import find_images, stem


def locate(
  truth: Truth,
  found: Predictions,
  data_dir: pathlib.Path,
  out: pathlib.Path,
  *,
  side: int,
  rules: dict[str, evaluation.MapRule],
) -> tuple[Any, dict[str, Any]]:
  """Scores every true box; pictures for the report go to `out`.

  Args:
    truth: the true boxes.
    found: checked predictions, maps or boxes.
    data_dir: its films, if it holds any, are stored for the report.
    out: folder of the results.
    side: of the frame that maps are brought to, in pixels.
    rules: of every map.

  Returns:
    The table, and what `evaluation.assemble` needs beside it.
  """
  with CaseWriter(out / NAME) as cases:
    films = _Films(data_dir)
    if not found.maps:
      table, boxes = _score_boxes(truth, found)
      for image, finding in zip(table.image, table.finding):
        films.store(image, cases)
        cases.case(image, finding, {})
      extra = {"boxes": boxes, "components": (GIVEN,)}
    else:
      collector = _score_maps(truth, found, cases, films, side, rules)
      table, extra = collector.table(), {"others": collector.others()}
  print(f"{films.count} films for the report, from {data_dir}")
  return table, extra


def _score_maps(truth, found, cases, films, side, rules):
  """Streams the maps of the boxed images through a collector."""
  with ThreadPoolExecutor(os.cpu_count()) as executor:
    collector = evaluation.LocalizationCollector(
      (side, side), maps=rules, executor=executor
    )
    for number, (key, path) in enumerate(found.maps.items(), 1):
      patient = truth.lists.entries[key].patient_id
      boxes = truth.boxes(key, side)
      films.store(key, cases)
      for finding, maps in heat_files.load(path):
        if finding not in BOXED_FINDINGS:
          continue
        mine = boxes.get(finding, np.zeros((0, 4)))
        collector.add(
          image=key, patient=patient, finding=finding, boxes=mine, maps=maps
        )
        if len(mine):
          cases.case(key, finding, maps, rows=len(mine))
      last = number == len(found.maps)
      if last or number % 20 == 0:
        said = f"\rscored {number}/{len(found.maps)} images"
        print(said, end="\n" if last else "", flush=True)
    collector.table()
  return collector


def _score_boxes(truth: Truth, found: Predictions):
  """Gives the table and all boxes of a model that gives boxes."""
  rows = found.boxes or []
  xywh = np.array([[r[k] for k in "xywh"] for r in rows], float).reshape(-1, 4)
  corners = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], 1)
  boxes = Detections(
    np.array([stem(r["file"]) for r in rows], str),
    np.array([r["finding"] for r in rows], str),
    np.clip(corners, 0, FRAME),
    np.array([r["score"] for r in rows], float),
  )
  true = [
    (key, str(truth.lists.entries[key].patient_id), finding, box)
    for key in truth.boxed()
    for finding, of in sorted(truth.boxes(key, FRAME).items())
    for box in of
  ]
  table = table_of_boxes(true, boxes, (FRAME, FRAME))
  if found.boxes is None:
    print("neither maps nor boxes: baselines only")
    return no_boxes(table), None
  missing = int((table.boxes["box"]["given"].sum((1, 2)) == 0).sum())
  print(f"{missing} of {len(true)} true boxes without a predicted one: IoU 0")
  return table, boxes


class _Films:
  """The films of a folder, when it holds any, for the report's pictures."""

  def __init__(self, folder: pathlib.Path):
    self.count, self._seen = 0, set[str]()
    try:
      self._paths: dict[str, str] = find_images(folder).paths
    except FileNotFoundError:
      self._paths = {}

  def store(self, key: str, cases: CaseWriter) -> None:
    """Stores an image's film in the cases, once."""
    if key in self._seen or key not in self._paths:
      return
    self._seen.add(key)
    try:
      film = read_original(self._paths[key])
    except ValueError as error:
      print(f"note: no film for the report: {error}", file=sys.stderr)
      return
    self.count += 1
    cases.image(key, film)
