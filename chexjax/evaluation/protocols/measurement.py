"""Every map and every baseline, measured per finding under every protocol."""

import numpy as np

from chexjax.evaluation.measures.released_rules import RELEASED_RULES
from chexjax.evaluation.protocols import baselines, threshold_choice
from chexjax.evaluation.protocols.baselines import (
  BASELINES,
  BLIND,
  CENTRE,
  WHOLE,
)
from chexjax.evaluation.protocols.bootstrap import mean_draws
from chexjax.evaluation.protocols.threshold_choice import Candidates

RELEASED_PROTOCOLS = tuple(f"released_{rule}" for rule in RELEASED_RULES)


def _of_map(table, name, component, rows):
  """Give the candidates of a map: its thresholds."""

  def some(values):
    return None if values is None else values[rows]

  return Candidates(
    iou=table.iou(name, component)[rows],
    cdice=some(table.cdice.get(name)),
    iobb=table.iobb(name, component)[rows],
    pointing=table.pointing(name)[rows] if name in table.peak else None,
    best_iou=some(table.best_iou.get(name)),
  )


def candidates_of(table, name, finding, component="largest"):
  """Give a map's or a baseline's candidates on the rows of one finding."""
  rows = table.finding == finding
  true_box = table.true_box[rows]
  if name == BLIND:
    return baselines.image_blind(true_box, table.patient[rows])
  if name == WHOLE:
    return baselines.whole_image(true_box, table.frame)
  if name == CENTRE:
    return baselines.centre_prior(true_box, table.frame)
  return _of_map(table, name, component, rows)


def _under_released(table, name, rows):
  """Give a map's measures under the authors' rules, thresholds as theirs."""
  found = {}
  for rule, protocol in zip(RELEASED_RULES, RELEASED_PROTOCOLS):
    of = {m: values[rule][rows] for m, values in table.released[name].items()}
    found[protocol] = (
      threshold_choice.under_choice(
        threshold_choice.oracle(of["iou"]),
        of["iou"],
        of["cdice"],
        iobb=of["iobb"],
      )
      if rows.any()
      else threshold_choice.NOTHING
    )
  return found


def measure_table(
  table, findings, component="largest", *, predicted=None, **options
):
  """Measure every map, and the baselines, per finding.

  Args:
    table: a `LocalizationTable`.
    findings: names to measure, whether they have boxes or not.
    component: one of `components.RULES`.
    predicted: `[R or 1, P]` bool for the protocol `predicted`, or None.
    **options: `folds`, `repeats`, `seed` of `threshold_choice.crossfit`.

  Returns:
    map or baseline -> protocol -> finding -> `threshold_choice.Measures`.
  """
  measures = {}
  for name in (*table.boxes, *BASELINES):
    # Also where there is no finding, as in a set without boxes.
    of = measures[name] = {"oracle": {}, "crossfit": {}}
    for finding in findings:
      rows = table.finding == finding
      found = threshold_choice.measure_candidates(
        candidates_of(table, name, finding, component),
        table.patient[rows],
        predicted=None if predicted is None else predicted[:, rows],
        **options,
      )
      if name in table.released:
        found |= _under_released(table, name, rows)
      for protocol, measured in found.items():
        of.setdefault(protocol, {})[finding] = measured
  return measures


def chosen_boxes(table, measures, name, protocol, component="largest"):
  """Give the predicted box of every row under a protocol's own thresholds.

  Args:
    table: a `LocalizationTable`.
    measures: of `measure_table`, same `component`.
    name: a map, or `image_blind`.
    protocol: `oracle`, or `crossfit` (its first repeat).
    component: one of `components.RULES`.

  Returns:
    `[P, 4]` float32; all zero where the threshold keeps no pixel, NaN where
    no threshold could be chosen.
  """
  boxes = np.full((len(table.finding), 4), np.nan, np.float32)
  for finding, measured in measures[name][protocol].items():
    if measured.chosen is None:
      continue
    rows = np.flatnonzero(table.finding == finding)
    chosen = measured.chosen[0]
    if name == BLIND:
      boxes[rows] = table.true_box[rows][chosen]
    else:
      boxes[rows] = table.boxes[name][component][rows, chosen]
  return boxes


def sample_means(measures, table, draws, t_iou=threshold_choice.T_IOU):
  """Average the rows of every figure in every draw of patients.

  The thresholds stay those chosen once on all rows: the intervals are of the
  figure under these choices.

  Args:
    measures: of `measure_table`.
    table: its `LocalizationTable`.
    draws: of `bootstrap.draw_patients`.
    t_iou: the IoUs of T(IoU).

  Yields:
    name, protocol, path of keys, finding -> `[B]` samples or None.
  """
  weights = {
    finding: draws.weights(table.patient[table.finding == finding])
    for finding in np.unique(table.finding)
  }
  for name, by_protocol in measures.items():
    for protocol, per_finding in by_protocol.items():
      rows = {f: m.rows(t_iou) for f, m in per_finding.items()}
      for path in threshold_choice.NOTHING.rows(t_iou):
        samples = {
          f: None if of[path] is None else mean_draws(of[path], weights[f])
          for f, of in rows.items()
        }
        yield name, protocol, path, samples
