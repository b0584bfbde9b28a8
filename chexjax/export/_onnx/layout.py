"""Operations that put the same numbers into another order or shape.

Each writer takes the graph, an equation of the jaxpr and its operands.
"""

from collections.abc import Sequence

import numpy as np

from chexjax.export._onnx.graph import Graph, Tensor, constant


def _broadcast(graph, eqn, operands):
  """Insert axes of size 1; they are repeated where that is needed."""
  (x,), shape = operands[:1], eqn.params["shape"]
  held = [1] * len(shape)
  for axis, place in enumerate(eqn.params["broadcast_dimensions"]):
    held[int(place)] = x.held[axis]
  return graph.reshape(x, tuple(held))


def _reshape(graph, eqn, operands):
  x = graph.full(operands[0], eqn.invars[0].aval.shape)
  return graph.reshape(x, eqn.params["new_sizes"])


def _without(graph, x, axes):
  axes = {int(axis) for axis in axes}
  held = tuple(size for i, size in enumerate(x.held) if i not in axes)
  return graph.reshape(x, held)


def _squeeze(graph, eqn, operands):
  return _without(graph, operands[0], eqn.params["dimensions"])


def _expand_dims(graph, eqn, operands):
  places = {int(place) for place in eqn.params["dimensions"]}
  sizes = iter(operands[0].held)
  rank = len(operands[0].held) + len(places)
  held = tuple(1 if i in places else next(sizes) for i in range(rank))
  return graph.reshape(operands[0], held)


def _transpose(graph, eqn, operands):
  return graph.transpose(operands[0], eqn.params["permutation"])


def _cut(graph, x, starts, ends, steps):
  """Keep a part of each axis; an axis that is whole, or held once, stays."""
  axes = [
    i
    for i, size in enumerate(x.held)
    if size != 1 and not (starts[i] == 0 and ends[i] == size and steps[i] == 1)
  ]
  if not axes:
    return x
  limits = [
    constant(np.array([int(values[i]) for i in axes], np.int64))
    for values in (starts, ends, range(len(x.held)), steps)
  ]
  held = list(x.held)
  for i in axes:
    held[i] = -(-(int(ends[i]) - int(starts[i])) // int(steps[i]))
  return graph.add("Slice", [x, *limits], tuple(held), x.dtype)


def _slice(graph, eqn, operands):
  starts, ends = eqn.params["start_indices"], eqn.params["limit_indices"]
  steps = eqn.params["strides"] or (1,) * len(starts)
  return _cut(graph, operands[0], starts, ends, steps)


def _gather(graph, eqn, operands):
  """Write the gather that an index such as `x[..., 0]` becomes."""
  x, indices = operands
  numbers, sizes = eqn.params["dimension_numbers"], eqn.params["slice_sizes"]
  if (
    indices.value is None
    or indices.value.ndim != 1
    or numbers.operand_batching_dims
  ):
    raise ValueError("an index must be a number that is known")
  shape = eqn.invars[0].aval.shape
  starts = [0] * len(shape)
  for axis, start in zip(numbers.start_index_map, indices.value):
    axis = int(axis)
    most = shape[axis] - sizes[axis]
    starts[axis] = int(np.clip(start, 0, most))
  ends = [
    start + size if isinstance(size, int) else size
    for start, size in zip(starts, sizes)
  ]
  part = _cut(graph, x, starts, ends, (1,) * len(shape))
  return _without(graph, part, numbers.collapsed_slice_dims)


def _concatenate(graph, eqn, operands):
  axis = int(eqn.params["dimension"])
  parts = [
    graph.full(x, atom.aval.shape) for x, atom in zip(operands, eqn.invars)
  ]
  return graph.add(
    "Concat", parts, eqn.outvars[0].aval.shape, parts[0].dtype, axis=axis
  )


def row(graph: Graph, x: Tensor, number: int) -> Tensor:
  """Return a row of a value.

  Args:
    graph: to append to.
    x: held in full.
    number: of the row.
  """
  if x.value is not None:
    return constant(x.value[number])
  rank = len(x.held)
  starts, ends = (number, *(0,) * (rank - 1)), (number + 1, *x.held[1:])
  part = _cut(graph, x, starts, ends, (1,) * rank)
  return _without(graph, part, (0,))


def stack(graph: Graph, parts: Sequence[Tensor]) -> Tensor:
  """Return values as the rows of a new first axis.

  Args:
    graph: to append to.
    parts: of one shape, held in full.
  """
  shape = parts[0].held
  rows = [graph.reshape(x, (1, *shape)) for x in parts]
  held = (len(parts), *shape)
  return graph.add("Concat", rows, held, parts[0].dtype, axis=0)


WRITERS = {
  "broadcast_in_dim": _broadcast,
  "concatenate": _concatenate,
  "expand_dims": _expand_dims,
  "gather": _gather,
  "reshape": _reshape,
  "slice": _slice,
  "squeeze": _squeeze,
  "transpose": _transpose,
}
