"""Figures as nested dicts: measure -> finding or mean -> figure or interval."""

import numpy as np

from chexjax.evaluation.measures.classification import classify, mean_defined
from chexjax.evaluation.protocols import threshold_choice
from chexjax.evaluation.protocols.bootstrap import (
  classification_draws,
  interval,
  mean_draws,
  nan_mean,
)
from chexjax.evaluation.protocols.measurement import sample_means
from chexjax.evaluation.protocols.subgroups import (
  box_band_names,
  box_groups,
  image_groups,
)

_GROUP_IOU = (0.3, 0.5)


def with_mean(values):
  """Add `mean`, the plain average over the findings that are not None."""
  return {**values, "mean": mean_defined(values.values())[0]}


def put(tree, path, value):
  """Set `tree[a][b]... = value`, making what is missing on the way."""
  for key in path[:-1]:
    tree = tree.setdefault(key, {})
  tree[path[-1]] = value


def value_tree(measures, t_iou=threshold_choice.T_IOU):
  """Turn `Measures` into name -> protocol -> measure -> finding -> figure.

  Args:
    measures: of `measuring.measure_table`.
    t_iou: the IoUs of T(IoU).
  """
  tree = {}
  for name, by_protocol in measures.items():
    for protocol, per_finding in by_protocol.items():
      means = {f: m.means(t_iou) for f, m in per_finding.items()}
      for path in threshold_choice.NOTHING.rows(t_iou):
        values = with_mean({f: mean[path] for f, mean in means.items()})
        put(tree, (name, protocol, *path), values)
  return tree


def with_mean_samples(samples):
  """Add `mean`, the average in every draw over the findings not None."""
  some = [s for s in samples.values() if s is not None]
  return {**samples, "mean": nan_mean(np.stack(some, 1)) if some else None}


def intervals_of(samples):
  """Turn finding -> samples into finding or mean -> interval or None."""
  return {
    finding: None if s is None else interval(s)
    for finding, s in with_mean_samples(samples).items()
  }


def differences(a, b, samples_a, samples_b):
  """Compare two sides in the same draws: b minus a.

  Args:
    a: finding or mean -> figure or None.
    b: the same of the other side; findings that it lacks are undefined.
    samples_a: finding -> `[B]` samples or None, without the mean.
    samples_b: the same of the other side.

  Returns:
    Finding or mean -> `{a, b, difference, interval}`.
  """
  ours, theirs = with_mean_samples(samples_a), with_mean_samples(samples_b)
  found = {}
  for name in a:
    pair, both = (a[name], b.get(name)), (ours[name], theirs.get(name))
    defined = None not in pair and not any(s is None for s in both)
    found[name] = {
      "a": pair[0],
      "b": pair[1],
      "difference": pair[1] - pair[0] if defined else None,
      "interval": interval(both[1] - both[0]) if defined else None,
    }
  return found


def interval_tree(measures, table, draws, t_iou=threshold_choice.T_IOU):
  """Give `[low, high]` for every figure of `value_tree`, in the same places."""
  tree = {}
  for name, protocol, path, samples in sample_means(
    measures, table, draws, t_iou
  ):
    put(tree, (name, protocol, *path), intervals_of(samples))
  return tree


def classification_intervals(images, draws):
  """Give `auc_interval` and `average_precision_interval` by finding, mean."""
  both = classification_draws(
    images.labels, images.scores, images.patient, draws
  )
  return {
    f"{kind}_interval": intervals_of(dict(zip(images.names, samples.T)))
    for kind, samples in zip(("auc", "average_precision"), both)
  }


def _group_localization(measures, table, group, draws):
  """Measure the rows of a group: name -> protocol -> measure -> finding."""
  tree = {"localization": {}, "localization_interval": {}}
  for name, by_protocol in measures.items():
    for protocol, per_finding in by_protocol.items():
      for path in (("iou",), *(("t_iou", str(t)) for t in _GROUP_IOU)):
        values, samples = {}, {}
        for finding, measured in per_finding.items():
          rows = measured.rows(_GROUP_IOU)[path]
          of = table.finding == finding
          here = group[of]
          if rows is None or not here.any():
            values[finding] = samples[finding] = None
            continue
          values[finding] = float(rows[here].mean())
          patients = table.patient[of][here]
          samples[finding] = mean_draws(rows[here], draws.weights(patients))
        at = (name, protocol, *path)
        put(tree["localization"], at, with_mean(values))
        put(tree["localization_interval"], at, intervals_of(samples))
  boxes = {
    f: int(group[table.finding == f].sum())
    for f in next(iter(next(iter(measures.values())).values()))
  }
  tree["boxes"] = boxes
  tree["undefined"] = [
    {"where": "localization", "finding": f, "reason": "no true box"}
    for f, count in boxes.items()
    if not count
  ]
  return tree


def _group_classification(images, group, draws):
  labels, scores = images.labels[group], images.scores[group]
  found = classify(labels, scores, images.names)
  auc, _ = classification_draws(labels, scores, images.patient[group], draws)
  return {
    "images": int(group.sum()),
    "patients": int(np.unique(images.patient[group]).size),
    "positives": found.positives,
    "auc": with_mean(found.auc),
    "auc_interval": intervals_of(dict(zip(images.names, auc.T))),
  }, [
    {"where": "auc", "finding": f, "reason": reason}
    for f, reason in found.undefined.items()
  ]


def subgroup_tree(images, table, measures, draws):
  """Give kind -> group -> figures, for view, sex, age and box size.

  Args:
    images: an `Images`.
    table: a `LocalizationTable`.
    measures: of `measuring.measure_table`.
    draws: of `bootstrap.draw_patients`.
  """
  places = images.places(table.image) if len(table.image) else []
  tree = {}
  for kind, groups in image_groups(images).items():
    for name, group in groups.items():
      found, reasons = _group_classification(images, group, draws)
      rows = group[places] if len(places) else np.zeros(0, bool)
      found |= _group_localization(measures, table, rows, draws)
      found["undefined"] = reasons + found["undefined"]
      put(tree, (kind, name), found)
  for name, rows in box_groups(table.true_box, table.frame).items():
    found = _group_localization(measures, table, rows, draws)
    found["means"] = box_band_names()[name]
    put(tree, ("box_size", name), found)
  return tree
