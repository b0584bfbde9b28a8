"""Goes through a jaxpr and writes it to a graph."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core

from chexjax.export._onnx import elementwise, layout, products
from chexjax.export._onnx.graph import Graph, Tensor, constant

# What gives on what it gets.
_SAME = ("name", "stop_gradient", "copy", "optimization_barrier")
# Calls, and the parameter that holds what is called.
_CALLS = {
  "jit": "jaxpr",
  "remat2": "jaxpr",
  "custom_jvp_call": "call_jaxpr",
  "custom_vjp_call": "call_jaxpr",
}
_WRITERS = elementwise.WRITERS | layout.WRITERS | products.WRITERS


def write(graph: Graph, jaxpr: Any, given: Sequence[Tensor]) -> list[Tensor]:
  """Write what a jaxpr computes.

  Args:
    graph: to append to.
    jaxpr: closed, or open without constants.
    given: its arguments.

  Returns:
    Its results.

  Raises:
    ValueError: an operation has no counterpart here; names it.
  """
  consts = [constant(value) for value in getattr(jaxpr, "consts", ())]
  jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
  known: dict[Any, Tensor] = dict(zip(jaxpr.constvars, consts))
  known |= dict(zip(jaxpr.invars, given))

  def read(atom: Any) -> Tensor:
    if not isinstance(atom, core.Literal):
      return known[atom]
    kind: Any = atom.aval
    return constant(np.asarray(atom.val, kind.dtype))

  for eqn in jaxpr.eqns:
    results = _write_one(graph, eqn, [read(atom) for atom in eqn.invars])
    known |= dict(zip(eqn.outvars, results))
  return [read(atom) for atom in jaxpr.outvars]


def _write_one(graph, eqn, operands):
  name = eqn.primitive.name
  if name in _SAME:
    return operands
  if name in _CALLS:
    return write(graph, eqn.params[_CALLS[name]], operands)
  if name == "scan":
    return _unroll(graph, eqn, operands)
  folded = _fold(eqn, operands)
  if folded is not None:
    return folded
  if name not in _WRITERS:
    raise ValueError(f"no ONNX form of {name} is known here")
  return [_WRITERS[name](graph, eqn, operands)]


def _fold(eqn, operands):
  """Compute what depends on constants alone; None for anything else."""
  shapes = [atom.aval.shape for atom in (*eqn.invars, *eqn.outvars)]
  if any(x.value is None for x in operands) or not all(
    isinstance(size, int) for shape in shapes for size in shape
  ):
    return None
  # A view costs nothing, and ONNX repeats by itself.
  if eqn.primitive.name == "broadcast_in_dim":
    return None
  values = [
    jax.numpy.asarray(np.broadcast_to(x.value, atom.aval.shape))
    for x, atom in zip(operands, eqn.invars)
  ]
  results = eqn.primitive.bind(*values, **eqn.params)
  many = eqn.primitive.multiple_results
  return [constant(x) for x in (results if many else [results])]


def _unroll(graph, eqn, operands):
  """Write a scan's body once for each of its steps."""
  params = eqn.params
  first, carried = params["num_consts"], params["num_carry"]
  consts, carry = operands[:first], operands[first : first + carried]
  rows = [
    graph.full(x, atom.aval.shape) for x, atom in zip(operands, eqn.invars)
  ][first + carried :]
  steps = list(range(params["length"]))
  stacks: list[list[Tensor]] = []
  for step in reversed(steps) if params["reverse"] else steps:
    given = [layout.row(graph, x, step) for x in rows]
    results = write(graph, params["jaxpr"], [*consts, *carry, *given])
    carry = results[:carried]
    body = params["jaxpr"].jaxpr.outvars
    stacks.append(
      [
        graph.full(x, atom.aval.shape)
        for x, atom in zip(results[carried:], body[carried:])
      ]
    )
  if params["reverse"]:
    stacks.reverse()
  return [*carry, *(layout.stack(graph, parts) for parts in zip(*stacks))]
