"""Several systems on the same films, each trained from several seeds.

A system's figure is the mean over its seeds, its interval that of this mean in
the draws of patients: what other patients would change, not other seeds, whose
lowest and highest figures stand beside it. All systems share the draws, so that
their differences are paired.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.protocols.baselines import BASELINES
from chexjax.evaluation.protocols.bootstrap import (
  DRAWS,
  Draws,
  draw_patients,
)
from chexjax.evaluation.protocols.comparison import check_same
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Figures,
  Samples,
  Tree,
  differences,
  intervals_of,
  set_at,
  with_mean,
)
from chexjax.evaluation.protocols.localization import (
  MeasuredRows,
  sample_means,
  value_tree,
)
from chexjax.evaluation.protocols.patient_counts import (
  boxed_patients,
  enough,
  positive_patients,
)
from chexjax.evaluation.protocols.ranking import classification_draws

PROTOCOLS = ("oracle", "crossfit")
T_IOU = (0.3, 0.5, 0.6)  # of the paper's Table 3
MEASURES = (("iou",), ("cdice",), *(("t_iou", str(t)) for t in T_IOU))


class Trained(NamedTuple):
  """One training of a system, scored.

  Attributes:
    model: its scores and boxes.
    measures: of `localization.measure_table`.
  """

  model: ScoredModel
  measures: MeasuredRows


class _Figure(NamedTuple):
  """A figure of several seeds: finding -> one value a seed, and samples."""

  values: list[Figures]
  samples: list[Samples]

  def record(self, counted: Counted) -> Tree:
    """Return finding or `mean` -> value, interval, lowest and highest seed."""
    means = _mean_figures(self.values)
    spans = intervals_of(_mean_samples(self.samples), counted=counted)
    every = [with_mean(of, counted=counted) for of in self.values]
    result: Tree = {}
    for name, value in with_mean(means, counted=counted).items():
      seeds = [of[name] for of in every]
      result[name] = {
        "value": value,
        "interval": spans.get(name),
        "seeds": seeds,
      }
    return result

  def against(self, reference: "_Figure", counted: Counted) -> Tree:
    """Return finding or `mean` -> this minus the reference, paired."""
    mine, theirs = (
      with_mean(_mean_figures(of.values), counted=counted)
      for of in (self, reference)
    )
    found = differences(
      theirs,
      mine,
      _mean_samples(reference.samples),
      _mean_samples(self.samples),
      counted=counted,
    )
    keys = ("difference", "interval", "p", "apart")
    return {
      name: {key: dict(of)[key] for key in keys} for name, of in found.items()
    }


_Figures = dict[tuple[str, ...], _Figure]


def side_by_side(
  systems: Mapping[str, Sequence[Trained]],
  *,
  reference: str,
  maps: Mapping[str, str],
  draws: int = DRAWS,
  seed: int = 0,
) -> Tree:
  """Put systems beside each other and against one of them.

  Args:
    systems: name -> its trainings, each from another seed; all scored on the
      same films.
    reference: name of the system that the others are compared with.
    maps: system -> the map that its boxes are cut from.
    draws: draws of patients.
    seed: of the draws.

  Returns:
    `systems.<name>` with `seeds`, `auc` and `localization.<map>.<protocol>.
    <measure>`, each finding or `mean` -> `value`, `interval`, `seeds`; and
    `against`, of the same places, this system minus the reference, the maps
    against the reference's main one. `baselines.<name>` as `localization`.

  Raises:
    ValueError: two models were not scored on the same films and boxes.
  """
  first = next(iter(systems.values()))[0].model
  for trainings in systems.values():
    for one in trainings:
      check_same(first, one.model)
  taken = draw_patients(first.images.patient, draws=draws, seed=seed)
  boxed = enough(
    boxed_patients(first.table, np.unique(first.table.finding).tolist())
  )
  scored = enough(positive_patients(first.images))
  aucs = {name: _auc(of, taken) for name, of in systems.items()}
  places = {name: _places(of, taken) for name, of in systems.items()}
  tree: Tree = {"systems": {}, "baselines": {}, "reference": reference}
  tree["draws"], tree["counted"] = draws, sorted(boxed)
  for name, trainings in systems.items():
    record: Tree = {"seeds": len(trainings), "auc": aucs[name].record(scored)}
    others: Tree = {}
    if name != reference:
      others["auc"] = aucs[name].against(aucs[reference], scored)
    for path, figure in places[name].items():
      map_name, *rest = path
      if map_name in BASELINES:
        set_at(tree["baselines"], path, figure.record(boxed))
        continue
      set_at(record, ("localization", *path), figure.record(boxed))
      main = places[reference][(maps[reference], *rest)]
      if (name, map_name) != (reference, maps[reference]):
        set_at(others, ("localization", *path), figure.against(main, boxed))
    tree["systems"][name] = record | {"against": others}
  return tree


def _auc(trainings: Sequence[Trained], draws: Draws) -> _Figure:
  values: list[Figures] = []
  samples: list[Samples] = []
  for one in trainings:
    images = one.model.images
    found = images.classification()
    auc, _ = classification_draws(
      images.label_values(), images.scores, images.patient, draws
    )
    drawn: Samples = dict(zip(images.names, auc.T))
    samples.append(drawn | dict.fromkeys(found.undefined))
    values.append(dict(found.auc))
  return _Figure(values, samples)


def _places(trainings: Sequence[Trained], draws: Draws) -> _Figures:
  """Return the figures of every map and baseline, by path."""
  found: dict[tuple[str, ...], _Figure] = {}
  for one in trainings:
    kept = {
      name: {protocol: of[protocol] for protocol in PROTOCOLS}
      for name, of in one.measures.items()
    }
    tree = value_tree(kept, t_iou=T_IOU)
    for of in sample_means(kept, one.model.table, draws, t_iou=T_IOU):
      if of.path not in MEASURES:
        continue
      values = tree[of.name][of.protocol]
      for key in of.path:
        values = values[key]
      path = (of.name, of.protocol, *of.path)
      figure = found.setdefault(path, _Figure([], []))
      figure.values.append({n: v for n, v in values.items() if n != "mean"})
      figure.samples.append(of.samples)
  return found


def _mean_figures(seeds: Sequence[Figures]) -> Figures:
  """Average each finding over seeds; None where one is undefined."""
  means: Figures = {}
  for name in seeds[0]:
    values = [of[name] for of in seeds]
    defined = [value for value in values if value is not None]
    means[name] = None
    if len(defined) == len(values):
      means[name] = float(np.mean(defined))
  return means


def _mean_samples(seeds: Sequence[Samples]) -> Samples:
  """Average each finding's draws over seeds; None where one is undefined."""
  means: Samples = {}
  for name in seeds[0]:
    values = [of[name] for of in seeds]
    defined = [value for value in values if value is not None]
    means[name] = None
    if len(defined) == len(values):
      means[name] = np.mean(defined, 0)
  return means


def spread(seeds: Sequence[float | None]) -> tuple[float, float] | None:
  """Return the lowest and the highest of the seeds' figures.

  Args:
    seeds: one figure a seed.

  Returns:
    The two; None with fewer than two defined figures.
  """
  defined = [value for value in seeds if value is not None]
  return (min(defined), max(defined)) if len(defined) > 1 else None
