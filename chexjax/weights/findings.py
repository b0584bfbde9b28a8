"""Variables of some findings, put into a model of others by their names."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from flax import traverse_util

from chexjax.systems import Model
from chexjax.weights.merge import WeightsError
from chexjax.weights.shapes import shapes_of

Path = tuple[str, ...]


class Transfer(NamedTuple):
  """Variables that were put into others.

  Attributes:
    variables: the new tree.
    kept: findings whose heads were taken over, in our order.
    fresh: findings whose heads stay as they were.
  """

  variables: Any
  kept: tuple[str, ...]
  fresh: tuple[str, ...]


def finding_axes(
  model: Model, *, stage: int | None = None
) -> dict[Path, int | None]:
  """Find the leaves that hold one slice for each finding.

  Args:
    model: whose variables they are.
    stage: see `ChexModel`; 1 leaves out detection and crop classifier.

  Returns:
    Path of every leaf -> its axis of findings, None where all findings share
    the leaf.
  """
  more = model.clone(num_classes=model.num_classes + 1)
  ours, theirs = (
    traverse_util.flatten_dict(shapes_of(m, stage=stage)) for m in (model, more)
  )
  return {
    path: next(
      (i for i, pair in enumerate(zip(x.shape, theirs[path].shape))
       if pair[0] != pair[1]),
      None,
    )
    for path, x in ours.items()
  }  # fmt: skip


def transfer(
  model: Model,
  fresh: Any,
  findings: Sequence[str],
  variables: Any,
  their_findings: Sequence[str],
  *,
  stage: int | None = None,
) -> Transfer:
  """Put a model's variables into another's, heads by the findings' names.

  Args:
    model: ours; all but the number of findings is that of theirs.
    fresh: our variables; not changed.
    findings: our K names.
    variables: theirs, as far as `stage` says.
    their_findings: their names.
    stage: 1 if theirs are of the classification module alone, else 3.

  Returns:
    Our variables: leaves that all findings share are theirs, and so are the
    heads of the findings that both have.

  Raises:
    WeightsError: a leaf is missing or of another shape; lists all of them.
  """
  common = [name for name in findings if name in their_findings]
  mine = np.array([findings.index(name) for name in common], int)
  yours = np.array([their_findings.index(name) for name in common], int)
  flat = dict(traverse_util.flatten_dict(fresh))
  given = traverse_util.flatten_dict(variables)
  faults = []
  for path, axis in finding_axes(model, stage=stage).items():
    name, value = "/".join(path), given.get(path)
    want = list(flat[path].shape)
    # Of a class beside the findings, such as "no finding"; it comes last.
    more = np.arange(0 if axis is None else want[axis] - len(findings))
    if axis is not None:
      want[axis] = len(their_findings) + len(more)
    if value is None or list(value.shape) != want:
      found = "absent" if value is None else list(value.shape)
      faults.append(f"{name} is {found} there, must be {want}")
    elif axis is None:
      flat[path] = value
    else:
      ours = jnp.moveaxis(jnp.asarray(flat[path]), axis, 0)
      theirs = jnp.moveaxis(jnp.asarray(value), axis, 0)
      here = np.concatenate([mine, len(findings) + more])
      there = np.concatenate([yours, len(their_findings) + more])
      flat[path] = jnp.moveaxis(ours.at[here].set(theirs[there]), 0, axis)
  if faults:
    lines = "\n  ".join(faults)
    raise WeightsError(f"{len(faults)} leaves differ\n  {lines}")
  rest = tuple(name for name in findings if name not in common)
  return Transfer(traverse_util.unflatten_dict(flat), tuple(common), rest)
