"""Cases without a true box: the worst false alarms and misses."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax.evaluation.collected.scored_images import plain_names
from chexjax.evaluation.protocols.wrong_calls import (
  FALSE_ALARM,
  MISS,
  worst_calls,
)
from chexjax.report.case_answers import (
  Pictures,
  answer,
  cuts_of,
  film_of,
  map_picture,
)
from chexjax.report.run import Run


def wrong_rows(runs: Sequence[Run], pictures: Pictures) -> list[dict[str, Any]]:
  """Return a row for the worst wrong calls of any run without a true box.

  Args:
    runs: one or two, of the same images.
    pictures: gets the films and maps.

  Returns:
    Trees of JSON values, as of boxed pairs, with no true box.
  """
  named = [_by_key(run.record.images.image) for run in runs]
  wanted: dict[tuple[str, str], None] = {}
  for run, of in zip(runs, named):
    table, keys = run.record.table, {image: key for key, image in of.items()}
    boxed = {*zip(table.image.tolist(), table.finding.tolist())}
    calls = worst_calls(run.record.images, cuts_of(run), without=boxed)
    wanted |= {(keys[call.image], call.finding): None for call in calls}
  return [
    {
      "image": str(named[0][image]),
      "finding": finding,
      "film": pictures.add(*film_of(runs, *(of[image] for of in named))),
      "true": None,
      "more": [],
      "runs": [
        _wrong_answer(run, of[image], finding, pictures)
        for run, of in zip(runs, named)
      ],
    }
    for image, finding in wanted
  ]


def _by_key(images: np.ndarray) -> dict[str, str]:
  """Return what names an image in both runs -> its name in this one.

  It is the name without its ending, unless two files differ in that alone.
  """
  keys = plain_names(images).tolist()
  names = images.tolist()
  return dict(zip(names if len(set(keys)) < len(keys) else keys, names))


def _wrong_answer(
  run: Run, image: str, finding: str, pictures: Pictures
) -> dict[str, Any]:
  """Return what a run says of a pair without a true box."""
  images, cuts = run.record.images, cuts_of(run)
  k = images.names.index(finding)
  row = images.places([image])[0]
  score, cut = images.scores[row, k], cuts.get(finding)
  kind = ""
  if cut is not None:
    called, has = bool(score >= cut), bool(images.labels[row, k])
    kinds = {(True, False): FALSE_ALARM, (False, True): MISS}
    kind = kinds.get((called, has), "found" if has else "right")
  stored: dict[str, dict[str, Any]] = {}
  if run.cases is not None:
    stored = run.cases.wrong.get((image, finding), {})
  maps = {
    name: map_picture(run, of, pictures) | {"box": None, "iou": None}
    for name, of in stored.items()
  }
  return answer(score, kind, maps)
