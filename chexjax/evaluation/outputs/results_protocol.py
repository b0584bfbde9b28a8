"""The keys `protocol` and `chosen` of `results.json`: how figures were made."""

from typing import Any

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures.heat_maps import THRESHOLDS
from chexjax.evaluation.measures.released_rules import released_rule
from chexjax.evaluation.protocols.baselines import BLIND, WHOLE
from chexjax.evaluation.protocols.bootstrap import LEVEL
from chexjax.evaluation.protocols.decisions import Decisions
from chexjax.evaluation.protocols.figure_trees import Tree
from chexjax.evaluation.protocols.localization import MeasuredRows
from chexjax.evaluation.protocols.patient_counts import LEAST


def chosen_tree(table: LocalizationTable, measures: MeasuredRows) -> Tree:
  """Return what each protocol chose.

  Args:
    table: one row per boxed pair.
    measures: of `measure_table`.

  Returns:
    Map or baseline -> protocol -> finding -> the thresholds in use; for
    `image_blind` the boxes, in 0..1 of the frame; None where nothing was
    chosen.
  """
  return {
    name: {
      protocol: {f: _chosen(table, name, f, m.chosen) for f, m in of.items()}
      for protocol, of in both.items()
    }
    for name, both in measures.items()
  }


def _chosen(
  table: LocalizationTable, name: str, finding: str, chosen: np.ndarray | None
) -> list[Any] | None:
  if chosen is None or name == WHOLE:
    return None
  if name == BLIND:
    height, width = table.frame
    of = table.regions(rows=table.finding == finding)
    boxes = of.every()[np.unique(chosen)]
    return (boxes / [width, height, width, height]).round(4).tolist()
  thresholds = table.thresholds if name in table.boxes else THRESHOLDS
  return np.asarray(thresholds)[np.unique(chosen)].tolist()


def protocol_record(
  table: LocalizationTable,
  component: str,
  *,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
) -> dict[str, Any]:
  """Return everything that the figures of the localisation depend on.

  Args:
    table: one row per boxed pair.
    component: the component rule of the main figures.
    folds: number of folds of patients, for `crossfit`.
    repeats: how many times patients are dealt into folds.
    seed: of folds and draws.

  Returns:
    The tree of `protocol`, without what `decision_record` returns.
  """
  return {
    "mean": "unweighted, over the findings where the figure is defined",
    "least_patients": LEAST,
    "choice": "per finding, the best mean IoU; the lowest of equals",
    "oracle": "chosen on the scored boxes, as the paper: it flatters",
    "crossfit": {
      "chosen_on": "the finding's boxes of other patients",
      "folds": folds,
      "repeats": repeats,
      "seed": seed,
    },
    "released": "the authors' rules, chosen on the scored boxes; `split` the "
    "box with the highest value, `union` all boxes at once",
    "image_blind": "one constant box per finding, a true box (medoid)",
    "whole_image": "the frame",
    "centre_prior": "a Gaussian in the centre, sd a quarter of each side",
    "component": component,
    "connectivity": 8,
    "frame": list(table.frame),
    "thresholds": table.thresholds.tolist(),
    "maps": {
      name: {
        "threshold_means": rule.meaning,
        "cdice_scale": rule.scale,
        "released_threshold_means": released_rule(name).meaning
        if name in table.released
        else None,
      }
      for name, rule in table.maps.items()
    },
  }


def decision_record(decisions: Decisions | None, draws: int) -> dict[str, Any]:
  """Return what the protocol `predicted` and the intervals depend on.

  Args:
    decisions: what is predicted, or None.
    draws: draws of patients for the intervals; 0 for none.

  Returns:
    The keys `predicted` and `interval` of `protocol`.
  """
  if decisions is None:
    return {"predicted": None, "interval": None}
  return {
    "predicted": {
      "rule": "crossfit, and 0 where the finding's score is below its "
      "threshold",
      "score_thresholds": decisions.rule,
      "thresholds": decisions.thresholds,
      "given": list(decisions.given),
    },
    "interval": draws
    and {
      "share": LEVEL,
      "draws": draws,
      "of": "patients, with replacement; thresholds stay as chosen",
    },
  }
