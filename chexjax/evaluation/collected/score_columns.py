"""From the scores of single maps to the columns of a `LocalizationTable`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from chexjax.evaluation.measures.components import RULES
from chexjax.evaluation.measures.map_score import MapScore
from chexjax.evaluation.measures.released_rules import RELEASED_RULES
from chexjax.evaluation.measures.wang_rule import LEVELS


def stack(values: Sequence[ArrayLike], *shape: int) -> np.ndarray:
  """Return rows as one array, also where there is no row.

  Args:
    values: P arrays, each `[*shape]`.
    *shape: of one row.

  Returns:
    `[P, *shape]`.
  """
  return np.array(values).reshape(-1, *shape)


def box_columns(
  scores: Sequence[MapScore], num_thresholds: int
) -> dict[str, np.ndarray]:
  """Return the boxes of one map in all rows.

  Args:
    scores: P scores of the map.
    num_thresholds: number of thresholds, T.

  Returns:
    Component rule -> `[P, T, 4]`.
  """
  return {
    rule: stack([s.boxes[rule] for s in scores], num_thresholds, 4)
    for rule in RULES
  }


def released_columns(
  scores: Sequence[MapScore], num_thresholds: int
) -> dict[str, dict[str, np.ndarray]]:
  """Return the scores of one map under the authors' rules, in all rows.

  Args:
    scores: P scores of the map, with their `released`.
    num_thresholds: number of thresholds, T.

  Returns:
    `iou` or `iobb` -> `split` or `union` -> `[P, T]`; `cdice` -> either ->
    `[P]`.
  """
  theirs = [s.released for s in scores if s.released is not None]
  cdice = stack([s.cdice for s in theirs])
  return {
    "iou": {
      rule: stack([s.iou[rule] for s in theirs], num_thresholds)
      for rule in RELEASED_RULES
    },
    "iobb": {
      rule: stack([s.iobb[rule] for s in theirs], num_thresholds)
      for rule in RELEASED_RULES
    },
    "cdice": dict.fromkeys(RELEASED_RULES, cdice),
  }


def wang_columns(
  scores: Sequence[MapScore],
) -> dict[str, dict[str, np.ndarray]]:
  """Return the scores of one map under the rule of Wang et al., in all rows.

  Args:
    scores: P scores of the map.

  Returns:
    `iou` or `iobb` -> `found` or `false` -> `[P, L]`, L levels of overlap.
  """
  return {
    measure: {
      "found": stack([s.wang.found[measure] for s in scores], len(levels)),
      "false": stack([s.wang.false[measure] for s in scores], len(levels)),
    }
    for measure, levels in LEVELS.items()
  }
