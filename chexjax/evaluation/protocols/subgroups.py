"""The same figures on parts of the test set: view, sex, age, set, box size.

Thresholds stay those chosen on all rows: a subgroup shows how the one model
does on it and has no thresholds of its own. Its means are over the findings
that the means of the whole set are over.
"""

from typing import Any

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.measures.classification import NO_SCORES, classify
from chexjax.evaluation.measures.heat_maps import Frame
from chexjax.evaluation.measures.true_regions import TrueRegions
from chexjax.evaluation.protocols.bootstrap import Draws, mean_draws
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Figures,
  Samples,
  Tree,
  intervals_of,
  set_at,
  with_mean,
)
from chexjax.evaluation.protocols.localization import MeasuredRows
from chexjax.evaluation.protocols.patient_counts import PatientCounts
from chexjax.evaluation.protocols.ranking import classification_draws

AGE_BANDS = ((0, 17), (18, 39), (40, 59), (60, 79), (80, 120))
# Share of the image that the true box covers.
BOX_BANDS = (("small", 0.0, 0.02), ("medium", 0.02, 0.08), ("large", 0.08, 1.1))
_GROUP_IOU = (0.3, 0.5)

# `where`, `finding` and `reason` of a figure that is None.
Reason = dict[str, str]


def image_groups(images: ScoredImages) -> dict[str, dict[str, np.ndarray]]:
  """Return the subgroups of the images.

  Args:
    images: what is known of the patients.

  Returns:
    `view`, `sex`, `age` or, of joined sets, `set` -> group -> `[N]` bool of
    images; images that are in no group are in `unknown`.
  """
  age = images.age
  bands = {f"{a}-{b}": (age >= a) & (age <= b) for a, b in AGE_BANDS}
  # The 2017 list holds ages up to 414: they are errors.
  known = np.any(list(bands.values()), 0)
  kinds = {
    "view": {name: images.view == name for name in ("AP", "PA")},
    "sex": {name: images.sex == name for name in ("F", "M")},
    "age": bands,
  }
  for kind, unknown in (
    ("view", ~np.isin(images.view, ("AP", "PA"))),
    ("sex", ~np.isin(images.sex, ("F", "M"))),
    ("age", ~known),
  ):
    if unknown.any():
      kinds[kind]["unknown"] = unknown
  sets = sorted(set(images.data_set.tolist()) - {""})
  if sets:
    kinds["set"] = {name: images.data_set == name for name in sets}
  return kinds


def box_groups(true: TrueRegions, frame: Frame) -> dict[str, np.ndarray]:
  """Return the subgroups of the true boxes, by the share of the frame covered.

  Args:
    true: of P rows, in pixels of the frame.
    frame: height and width of the frame, in pixels.

  Returns:
    Band -> `[P]` bool of rows.
  """
  height, width = frame
  share = true.area() / (height * width)
  return {
    name: (share >= low) & (share < high) for name, low, high in BOX_BANDS
  }


def box_band_names() -> dict[str, str]:
  """Return what each band of box sizes means.

  Returns:
    Band -> its meaning in words.
  """
  return {
    name: f"box covers {low:.0%} to {min(high, 1):.0%} of the image"
    for name, low, high in BOX_BANDS
  }


def _measure_figures(
  measures: MeasuredRows,
  table: LocalizationTable,
  group: np.ndarray,
  draws: Draws,
  counted: Counted,
) -> Tree:
  """Return the figures and intervals of the rows of a group."""
  values: Tree = {}
  intervals: Tree = {}
  for name, by_protocol in measures.items():
    for protocol, per_finding in by_protocol.items():
      rows = {f: m.rows(_GROUP_IOU) for f, m in per_finding.items()}
      for path in (("iou",), *(("t_iou", str(t)) for t in _GROUP_IOU)):
        of = {f: by_path[path] for f, by_path in rows.items()}
        means, samples = _group_means(of, table, group, draws)
        at = (name, protocol, *path)
        set_at(values, at, with_mean(means, counted=counted))
        set_at(intervals, at, intervals_of(samples, counted=counted))
  return {"localization": values, "localization_interval": intervals}


def _group_means(
  rows: Samples, table: LocalizationTable, group: np.ndarray, draws: Draws
) -> tuple[Figures, Samples]:
  """Average each finding's `[P]` rows that are in the group."""
  values: Figures = {}
  samples: Samples = {}
  for finding, of in rows.items():
    mine = table.finding == finding
    here = group[mine]
    if of is None or not here.any():
      values[finding] = samples[finding] = None
      continue
    values[finding] = float(of[here].mean())
    patients = table.patient[mine][here]
    samples[finding] = mean_draws(of[here], draws.weights(patients))
  return values, samples


def _group_localization(
  measures: MeasuredRows,
  table: LocalizationTable,
  group: np.ndarray,
  draws: Draws,
  counted: Counted,
) -> Tree:
  """Return figures, number of boxes and what is undefined of a group."""
  findings = next(iter(next(iter(measures.values())).values()))
  count = table.box_count() * group
  boxes = {f: int(count[table.finding == f].sum()) for f in findings}
  undefined: list[Reason] = [
    {"where": "localization", "finding": f, "reason": "no true box"}
    for f, count in boxes.items()
    if not count
  ]
  tree = _measure_figures(measures, table, group, draws, counted)
  return {**tree, "boxes": boxes, "undefined": undefined}


def _group_classification(
  images: ScoredImages, group: np.ndarray, draws: Draws, counted: Counted
) -> tuple[dict[str, Any], list[Reason]]:
  """Return the AUC of a group of images, and what is undefined."""
  labels, scores = images.label_values()[group], images.scores[group]
  missing = dict.fromkeys(images.unscored(), NO_SCORES)
  found = classify(labels, scores, images.names, missing=missing)
  auc, _ = classification_draws(labels, scores, images.patient[group], draws)
  return {
    "images": int(group.sum()),
    "patients": int(np.unique(images.patient[group]).size),
    "positives": found.positives,
    "auc": with_mean(found.auc, counted=counted),
    "auc_interval": intervals_of(
      dict(zip(images.names, auc.T)), counted=counted
    ),
  }, [
    {"where": "auc", "finding": f, "reason": reason}
    for f, reason in found.undefined.items()
  ]


def subgroup_tree(
  images: ScoredImages,
  table: LocalizationTable,
  measures: MeasuredRows,
  draws: Draws,
  *,
  patients: PatientCounts,
) -> Tree:
  """Return the figures of all subgroups.

  Args:
    images: labels, scores, and what is known of the patients.
    table: one row per boxed pair.
    measures: of `localization.measure_table`.
    draws: of `bootstrap.draw_patients`.
    patients: of the whole set; say which findings the means are over.

  Returns:
    `view`, `sex`, `age` or `box_size` -> group -> figures, their intervals,
    counts and `undefined`.
  """
  places = images.places(table.image) if len(table.image) else None
  boxed = patients.in_localization
  tree: Tree = {}
  for kind, groups in image_groups(images).items():
    for name, group in groups.items():
      found, reasons = _group_classification(
        images, group, draws, patients.in_auc
      )
      rows = group[places] if places is not None else np.zeros(0, bool)
      found |= _group_localization(measures, table, rows, draws, boxed)
      found["undefined"] = reasons + found["undefined"]
      set_at(tree, (kind, name), found)
  for name, rows in box_groups(table.regions(), table.frame).items():
    found = _group_localization(measures, table, rows, draws, boxed)
    found["means"] = box_band_names()[name]
    set_at(tree, ("box_size", name), found)
  return tree
