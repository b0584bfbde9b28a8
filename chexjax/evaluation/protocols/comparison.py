"""Two models on the same images: differences with paired intervals."""

import functools
import operator

from chexjax.evaluation.collected.scored_images import ScoredImages
from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.measures.classification import classify
from chexjax.evaluation.protocols.bootstrap import DRAWS, Draws, draw_patients
from chexjax.evaluation.protocols.figure_trees import (
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
from chexjax.evaluation.protocols.ranking import classification_draws


def check_same(a: ScoredModel, b: ScoredModel) -> None:
  """Check that two models were scored on the same images, labels and boxes.

  Args:
    a: a model.
    b: the other model.

  Raises:
    ValueError: if they were not; it says what differs.
  """
  faults = [
    f"{what}: {len(mine - theirs)} only in the first, "
    f"{len(theirs - mine)} only in the second"
    for what, mine, theirs in (
      ("images", set(a.images.image), set(b.images.image)),
      ("findings", set(a.images.names), set(b.images.names)),
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
    columns = b.images.columns(a.images.names)
    apart = (a.images.labels != b.images.labels[places][:, columns]).sum()
    if apart:
      faults.append(f"labels: {apart} differ")
  if faults:
    raise ValueError(
      "the two runs were not scored on the same data, so that no paired "
      "interval can be given; " + "; ".join(faults)
    )


def _auc(images: ScoredImages, draws: Draws) -> tuple[Figures, Samples]:
  """Return the AUC of every finding, and its samples."""
  found = classify(images.labels, images.scores, images.names)
  auc, _ = classification_draws(
    images.labels, images.scores, images.patient, draws
  )
  samples: Samples = dict(zip(images.names, auc.T))
  samples.update(dict.fromkeys(found.undefined))
  return with_mean(found.auc), samples


def _compare_auc(
  a: ScoredImages, b: ScoredImages, draws: Draws
) -> dict[str, Difference]:
  (values_a, samples_a), (values_b, samples_b) = _auc(a, draws), _auc(b, draws)
  return differences(values_a, values_b, samples_a, samples_b)


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
  values_a, values_b = value_tree(measures_a), value_tree(measures_b)
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
      found = differences(figures_a, figures_b, of.samples, theirs[path])
      set_at(tree, path, found)
  return {
    "auc": _compare_auc(a.images, b.images, taken),
    "localization": tree,
  }
