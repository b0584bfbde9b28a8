"""The data of the page's case browser: rows of cases, and their pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from chexjax.evaluation import without_untrained
from chexjax.evaluation.collected.scored_images import plain_names
from chexjax.evaluation.outputs.table_cells import main_map, map_label
from chexjax.evaluation.protocols.wrong_calls import (
  MISS,
  PER_FINDING,
  call_counts,
)
from chexjax.report.case_answers import (
  Pictures,
  answer,
  cuts_of,
  film_of,
  map_picture,
  share,
)
from chexjax.report.run import Run, predicted_boxes
from chexjax.report.wrong_cases import wrong_rows


def case_data(runs: Sequence[Run]) -> tuple[dict[str, Any], list[str]]:
  """Return the data of the case browser, and its pictures.

  Args:
    runs: one or two; two must have the same true boxes. The first gives the
      order of the cases.

  Returns:
    A tree of JSON values, in which pictures are numbers, and the pictures by
    number as base64 JPEGs.
  """
  pictures = Pictures()
  rows = [*_boxed_rows(runs, pictures), *wrong_rows(runs, pictures)]
  about = {
    "said": said(runs, rows),
    "findings": sorted({row["finding"] for row in rows}),
    "runs": [
      {
        "label": run.label,
        "main": main_map(run.results),
        "maps": [
          {"name": n, "title": map_label(n)}
          for n in without_untrained(run.record.table.boxes)
        ],
        "calls": {
          name: of._asdict()
          for name, of in call_counts(run.record.images, cuts_of(run)).items()
        },
      }
      for run in runs
    ],
    "rows": rows,
  }
  return about, pictures.data


def said(runs: Sequence[Run], rows: Sequence[dict[str, Any]]) -> str:
  """Return what cases are shown, in words.

  Args:
    runs: one or two.
    rows: the cases, of `case_data`.
  """
  boxed = sum(row["true"] is not None for row in rows)
  parts = [f"{boxed:,} pairs of film and finding with a true box"]
  if any(cuts_of(run) for run in runs):
    parts.append(
      f"of each finding the {PER_FINDING} false alarms with the highest and "
      f"the {PER_FINDING} misses with the lowest score among all "
      f"{'other ' if boxed else ''}pairs. A finding is called where its score "
      "reaches its threshold, the median of those chosen on other patients"
    )
  if boxed:
    return f"{', and '.join(parts)}. Boxes of the cross-fitted thresholds."
  return ". Shown are ".join(["No test film has a true box", *parts[1:]]) + "."


def _boxed_rows(
  runs: Sequence[Run], pictures: Pictures
) -> list[dict[str, Any]]:
  """Return a row for every pair with a true box."""
  sides = [_box_answers(run, pictures) for run in runs]
  keys = _keys(runs[0])
  places = [{key: p for p, key in enumerate(_keys(run))} for run in runs]
  table = runs[0].record.table
  regions = table.regions()
  return [
    {
      "image": str(image),
      "finding": str(finding),
      "film": pictures.add(*film_of(runs, image)),
      "true": share(table.true_box[p], table.frame),
      "more": [share(box, table.frame) for box in regions.of(p)[1:]],
      "runs": [
        side[place.get(keys[p], place[(*keys[p][:2], 0)])]
        for side, place in zip(sides, places)
      ],
    }
    for p, (image, finding) in enumerate(zip(table.image, table.finding))
  ]


def _box_answers(run: Run, pictures: Pictures) -> list[dict[str, Any]]:
  """Return what one run predicts for every true box, in its table's order."""
  table, images = run.record.table, run.record.images
  boxes, cuts = predicted_boxes(run), cuts_of(run)
  if not len(table.image):
    return []
  score = images.scores_of(table.image, table.finding)
  regions = table.regions()
  ious = {
    name: regions.iou(np.nan_to_num(of)[:, None])[:, 0]
    for name, of in boxes.items()
  }
  rows = []
  for p, finding in enumerate(table.finding.tolist()):
    stored = run.cases.rows[p]["maps"] if run.cases is not None else {}
    maps = {
      name: map_picture(run, stored.get(name, {}), pictures)
      | {
        "box": share(of[p], table.frame),
        "iou": round(float(ious[name][p]), 4),
      }
      for name, of in boxes.items()
    }
    kind = "found" if score[p] >= cuts.get(finding, np.inf) else MISS
    rows.append(answer(score[p], kind if finding in cuts else "", maps))
  return rows


def _keys(run: Run) -> list[tuple[str, str, int]]:
  """Return what identifies every row in both runs.

  It is the image, without its ending, the finding, and the number of the row
  among those of the pair: older results have a row for each of several boxes.
  """
  table = run.record.table
  seen: dict[tuple[str, str], int] = {}
  keys = []
  for pair in zip(plain_names(table.image).tolist(), table.finding.tolist()):
    keys.append((*pair, seen.get(pair, 0)))
    seen[pair] = seen.get(pair, 0) + 1
  return keys
