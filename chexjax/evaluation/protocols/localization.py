"""Every map and every baseline: its figures per finding and protocol."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.collected.localization_table import LocalizationTable
from chexjax.evaluation.measures.released_rules import RELEASED_RULES
from chexjax.evaluation.measures.true_regions import TrueRegions
from chexjax.evaluation.protocols import baselines
from chexjax.evaluation.protocols.baselines import (
  BASELINES,
  BLIND,
  CENTRE,
  WHOLE,
)
from chexjax.evaluation.protocols.bootstrap import Draws, mean_draws
from chexjax.evaluation.protocols.candidates import (
  Candidates,
  measure_candidates,
  under_choice,
)
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Samples,
  Tree,
  intervals_of,
  set_at,
  with_mean,
)
from chexjax.evaluation.protocols.row_values import (
  T_IOU,
  UNDEFINED,
  MeasurePath,
  RowValues,
)
from chexjax.evaluation.protocols.threshold_choice import oracle

RELEASED_PROTOCOLS = tuple(f"released_{rule}" for rule in RELEASED_RULES)

# Map or baseline -> protocol -> finding -> values.
MeasuredRows = dict[str, dict[str, dict[str, RowValues]]]


def _candidates(
  table: LocalizationTable, name: str, finding: str, component: str
) -> Candidates:
  """Return the candidates of a map or baseline on the rows of one finding."""
  rows = table.finding == finding
  true = table.regions(rows=rows)
  if name == BLIND:
    return baselines.image_blind(true, table.patient[rows])
  if name == WHOLE:
    return baselines.whole_image(true, table.frame)
  if name == CENTRE:
    return baselines.centre_prior(true, table.frame)
  return _thresholds(table, name, component, rows, true)


def _thresholds(
  table: LocalizationTable,
  name: str,
  component: str,
  rows: np.ndarray,
  true: TrueRegions,
) -> Candidates:
  """Return the candidates of a map: its thresholds."""

  def some(values: np.ndarray | None) -> np.ndarray | None:
    return None if values is None else values[rows]

  boxes = table.boxes[name][component][rows]
  peak = some(table.peak.get(name))
  return Candidates(
    iou=true.iou(boxes),
    cdice=some(table.cdice.get(name)),
    iobb=true.iobb(boxes),
    pointing=None if peak is None else true.contains(peak[:, None])[:, 0],
    best_iou=some(table.best_iou.get(name)),
    any_iou=true.any_iou(boxes) if true.row.size else None,
  )


def _under_released(
  table: LocalizationTable, name: str, rows: np.ndarray
) -> dict[str, RowValues]:
  """Return a map's values under the authors' rules, thresholds as theirs."""
  found = {}
  for rule, protocol in zip(RELEASED_RULES, RELEASED_PROTOCOLS):
    of = {m: values[rule][rows] for m, values in table.released[name].items()}
    given = Candidates(iou=of["iou"], cdice=of["cdice"], iobb=of["iobb"])
    found[protocol] = (
      under_choice(oracle(given.iou), given) if rows.any() else UNDEFINED
    )
  return found


def measure_table(
  table: LocalizationTable,
  findings: Sequence[str],
  *,
  component: str = "largest",
  predicted: np.ndarray | None = None,
  unscored: Collection[str] = (),
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
) -> MeasuredRows:
  """Score every map and every baseline, per finding and protocol.

  Args:
    table: the predicted boxes of every true box, P rows.
    findings: names of the findings, with or without boxes.
    component: which component is boxed, one of `components.RULES`, or
      `given` for a model that gives boxes.
    predicted: `[R or 1, P]` bool, whether the finding is predicted of the
      row's image, for the protocol `predicted`; None leaves it out.
    unscored: findings without scores: they have no value under `predicted`.
    folds: number of folds of patients, for `crossfit`.
    repeats: how many times patients are dealt into folds.
    seed: of the random deals.

  Returns:
    Map or baseline -> protocol -> finding -> `RowValues`.
  """
  measures: MeasuredRows = {}
  for name in (*table.boxes, *BASELINES):
    # Also where there is no finding, as in a set without boxes.
    of = measures[name] = {"oracle": {}, "crossfit": {}}
    for finding in findings:
      rows = table.finding == finding
      found = measure_candidates(
        _candidates(table, name, finding, component),
        table.patient[rows],
        predicted=None if predicted is None else predicted[:, rows],
        folds=folds,
        repeats=repeats,
        seed=seed,
      )
      if predicted is not None and finding in unscored:
        found["predicted"] = UNDEFINED
      if name in table.released:
        found |= _under_released(table, name, rows)
      for protocol, measured in found.items():
        of.setdefault(protocol, {})[finding] = measured
  return measures


def value_tree(
  measures: MeasuredRows,
  *,
  t_iou: Sequence[float] = T_IOU,
  counted: Counted = None,
) -> Tree:
  """Return the figures of all maps and baselines.

  Args:
    measures: of `measure_table`.
    t_iou: the IoUs of T(IoU).
    counted: the findings that the means are over; None for all.

  Returns:
    `<map or baseline>.<protocol>.<measure>.<finding|mean>`.
  """
  tree: Tree = {}
  for name, by_protocol in measures.items():
    for protocol, per_finding in by_protocol.items():
      means = {f: m.means(t_iou) for f, m in per_finding.items()}
      for path in UNDEFINED.rows(t_iou):
        values = with_mean(
          {f: mean[path] for f, mean in means.items()}, counted=counted
        )
        set_at(tree, (name, protocol, *path), values)
  return tree


class MeasureSamples(NamedTuple):
  """One measure of one map or baseline in every draw of patients.

  Attributes:
    name: the map or baseline.
    protocol: who chose the threshold.
    path: keys of the measure.
    samples: finding -> `[B]` samples or None.
  """

  name: str
  protocol: str
  path: MeasurePath
  samples: Samples


def sample_means(
  measures: MeasuredRows,
  table: LocalizationTable,
  draws: Draws,
  *,
  t_iou: Sequence[float] = T_IOU,
) -> Iterator[MeasureSamples]:
  """Average the rows of every figure in every draw of patients.

  Thresholds stay those chosen once on all rows: an interval is of the figure
  under these choices.

  Args:
    measures: of `measure_table`.
    table: its table.
    draws: of `bootstrap.draw_patients`.
    t_iou: the IoUs of T(IoU).

  Yields:
    The samples of each measure.
  """
  weights = {
    finding: draws.weights(table.patient[table.finding == finding])
    for finding in np.unique(table.finding)
  }
  for name, by_protocol in measures.items():
    for protocol, per_finding in by_protocol.items():
      rows = {f: m.rows(t_iou) for f, m in per_finding.items()}
      for path in UNDEFINED.rows(t_iou):
        samples: Samples = {}
        for f, by_path in rows.items():
          of = by_path[path]
          samples[f] = None if of is None else mean_draws(of, weights[f])
        yield MeasureSamples(name, protocol, path, samples)


def interval_tree(
  measures: MeasuredRows,
  table: LocalizationTable,
  draws: Draws,
  *,
  t_iou: Sequence[float] = T_IOU,
  counted: Counted = None,
) -> Tree:
  """Return the interval of every figure of `value_tree`, in the same places.

  Args:
    measures: of `measure_table`.
    table: its table.
    draws: of `bootstrap.draw_patients`.
    t_iou: the IoUs of T(IoU).
    counted: the findings that the means are over; None for all.

  Returns:
    `<map or baseline>.<protocol>.<measure>.<finding|mean>`, `[low, high]` or
    None.
  """
  tree: Tree = {}
  for of in sample_means(measures, table, draws, t_iou=t_iou):
    spans = intervals_of(of.samples, counted=counted)
    set_at(tree, (of.name, of.protocol, *of.path), spans)
  return tree
