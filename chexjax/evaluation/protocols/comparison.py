"""Two models on the same images: differences with paired intervals."""

import functools
import operator

import numpy as np

from chexjax.evaluation.collected.scored_images import (
  ScoredImages,
  plain_names,
)
from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.protocols.bootstrap import DRAWS, Draws, draw_patients
from chexjax.evaluation.protocols.figure_trees import (
  Counted,
  Difference,
  Figures,
  Samples,
  Tree,
  differences,
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


def _labelled(model: ScoredModel) -> list[str]:
  """Return the findings that any image has a label of."""
  images = model.images
  return [n for n, of in zip(images.names, images.unknown.T) if not of.all()]


def _plainly_named(model: ScoredModel) -> ScoredModel:
  """Name the images without the endings of their files.

  A run names them by their files, a submission may leave the ending out.
  """
  names = plain_names(model.images.image)
  if np.unique(names).size < names.size:  # Two files differ in it alone.
    return model
  return model._replace(
    images=model.images._replace(image=names),
    table=model.table._replace(image=plain_names(model.table.image)),
  )


def check_same(a: ScoredModel, b: ScoredModel) -> None:
  """Check that two models were scored on the same images, labels and boxes.

  Args:
    a: a model.
    b: the other model.

  Raises:
    ValueError: if they were not; it says what differs.
  """
  a, b = _plainly_named(a), _plainly_named(b)
  faults = [
    f"{what}: {len(mine - theirs)} only in the first, "
    f"{len(theirs - mine)} only in the second"
    for what, mine, theirs in (
      ("images", set(a.images.image), set(b.images.image)),
      ("findings", set(_labelled(a)), set(_labelled(b))),
      (
        "boxed pairs",
        {*zip(a.table.image, a.table.finding)},
        {*zip(b.table.image, b.table.finding)},
      ),
    )
    if mine != theirs
  ]
  if not faults:
    places = b.images.places(a.images.image)
    names = _labelled(a)
    mine = a.images.label_values()[:, a.images.columns(names)]
    theirs = b.images.label_values()[places][:, b.images.columns(names)]
    apart = (~np.isclose(mine, theirs, equal_nan=True)).sum()
    if apart:
      faults.append(f"labels: {apart} differ")
  if faults:
    raise ValueError(
      "the two runs were not scored on the same data, so that no paired "
      "interval can be given; " + "; ".join(faults)
    )


def _auc(
  images: ScoredImages, draws: Draws, counted: Counted
) -> tuple[Figures, Samples]:
  """Return the AUC of every finding, and its samples."""
  found = images.classification()
  auc, _ = classification_draws(
    images.label_values(), images.scores, images.patient, draws
  )
  samples: Samples = dict(zip(images.names, auc.T))
  samples.update(dict.fromkeys(found.undefined))
  return with_mean(found.auc, counted=counted), samples


def _compare_auc(
  a: ScoredImages, b: ScoredImages, draws: Draws
) -> dict[str, Difference]:
  counted = enough(positive_patients(a))
  values_a, samples_a = _auc(a, draws, counted)
  values_b, samples_b = _auc(b, draws, counted)
  return differences(values_a, values_b, samples_a, samples_b, counted=counted)


def compare(
  a: ScoredModel,
  b: ScoredModel,
  measures_a: MeasuredRows,
  measures_b: MeasuredRows,
  *,
  draws: int = DRAWS,
  seed: int = 0,
) -> Tree:
  """Compare two models: b minus a, every figure in the same draws of patients.

  Args:
    a: a model.
    b: another one, of the same images.
    measures_a: of `localization.measure_table`, of `a`.
    measures_b: the same of `b`.
    draws: number of draws.
    seed: of the draws.

  Returns:
    `auc.<finding|mean>` and `localization.<map>.<protocol>.<measure>.
    <finding|mean>`, each a `Difference`, of the maps and protocols that both
    have.

  Raises:
    ValueError: if they were not scored on the same images and boxes.
  """
  check_same(a, b)
  taken = draw_patients(a.images.patient, draws=draws, seed=seed)
  # Both have the same true boxes.
  names = np.unique(a.table.finding).tolist()
  counted = enough(boxed_patients(a.table, names))
  values_a, values_b = (
    value_tree(measures, counted=counted)
    for measures in (measures_a, measures_b)
  )
  theirs = {
    (of.name, of.protocol, *of.path): of.samples
    for of in sample_means(measures_b, b.table, taken)
  }
  tree: Tree = {}
  for of in sample_means(measures_a, a.table, taken):
    path = (of.name, of.protocol, *of.path)
    if path in theirs:
      figures_a, figures_b = (
        functools.reduce(operator.getitem, path, values)
        for values in (values_a, values_b)
      )
      found = differences(
        figures_a, figures_b, of.samples, theirs[path], counted=counted
      )
      set_at(tree, path, found)
  return {
    "auc": _compare_auc(a.images, b.images, taken),
    "localization": tree,
  }
