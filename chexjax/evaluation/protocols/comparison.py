"""Two models on the same images: differences with paired intervals."""

from chexjax.evaluation.measures.classification import classify
from chexjax.evaluation.protocols.bootstrap import (
  classification_draws,
  draw_patients,
)
from chexjax.evaluation.protocols.figure_trees import (
  differences,
  put,
  value_tree,
  with_mean,
)
from chexjax.evaluation.protocols.measurement import sample_means


def check_same(a, b):
  """Raise unless two `Record`s hold the same images, labels and boxes.

  Raises:
    ValueError: says what differs.
  """
  faults = []
  for what, mine, theirs in (
    ("images", set(a.images.image), set(b.images.image)),
    ("findings", set(a.images.names), set(b.images.names)),
    (
      "boxed pairs",
      {*zip(a.table.image, a.table.finding)},
      {*zip(b.table.image, b.table.finding)},
    ),
  ):
    if mine != theirs:
      faults.append(
        f"{what}: {len(mine - theirs)} only in the first, "
        f"{len(theirs - mine)} only in the second"
      )
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


def _compare_auc(a, b, draws):
  values, samples = [], []
  for images in (a, b):
    found = classify(images.labels, images.scores, images.names)
    auc, _ = classification_draws(
      images.labels, images.scores, images.patient, draws
    )
    values.append(with_mean(found.auc))
    drawn = dict(zip(images.names, auc.T))
    undefined = dict.fromkeys(found.undefined)
    samples.append({**drawn, **undefined})
  return differences(*values, *samples)


def compare(a, b, measures_a, measures_b, *, draws=1000, seed=0):
  """Compare two models: b minus a, every figure in the same draws of patients.

  Args:
    a: a `Record`.
    b: another of the same images.
    measures_a: of `measuring.measure_table`.
    measures_b: the same of `b`.
    draws: number of draws.
    seed: int.

  Returns:
    `auc.<finding|mean>` and `localization.<map>.<protocol>.<measure>.
    <finding|mean>`, each `{a, b, difference, interval}`; the maps and
    protocols that both have.

  Raises:
    ValueError: they were not scored on the same images and boxes.
  """
  check_same(a, b)
  taken = draw_patients(a.images.patient, draws=draws, seed=seed)
  tree = {"auc": _compare_auc(a.images, b.images, taken), "localization": {}}
  values = [value_tree(m) for m in (measures_a, measures_b)]
  theirs = {
    (name, protocol, path): samples
    for name, protocol, path, samples in sample_means(
      measures_b, b.table, taken
    )
  }
  for name, protocol, path, samples in sample_means(measures_a, a.table, taken):
    if (name, protocol, path) not in theirs:
      continue
    sides = [value[name][protocol] for value in values]
    for key in path:
      sides = [side[key] for side in sides]
    other = theirs[name, protocol, path]
    found = differences(*sides, samples, other)
    put(tree["localization"], (name, protocol, *path), found)
  return tree
