"""The least that a function has to do: its products, counted from the jaxpr.

XLA's own count takes the body of a loop once, however often it runs.
"""

import math
from typing import Any, NamedTuple

from jax.extend import core


class Work(NamedTuple):
  """Operations and bytes of all matrix products and convolutions.

  Attributes:
    flops: two for each multiply-add.
    bytes: of their operands and results, each moved once; all that is done
      element by element is taken to cost nothing.
  """

  flops: float
  bytes: float


def count(jaxpr: Any) -> Work:
  """Counts a jaxpr, loops as often as they run.

  Of the branches of a condition the largest counts, and a loop of unknown
  length once.
  """
  flops, moved = 0.0, 0.0
  for equation in jaxpr.eqns:
    found = _own(equation)
    inner = [count(body) for body in _bodies(equation)]
    if inner and equation.primitive.name == "cond":
      inner = [max(inner)]
    times = equation.params.get("length", 1) if inner else 1
    flops += found.flops + times * sum(work.flops for work in inner)
    moved += found.bytes + times * sum(work.bytes for work in inner)
  return Work(flops, moved)


def _own(equation) -> Work:
  name, params = equation.primitive.name, equation.params
  if name not in ("dot_general", "conv_general_dilated"):
    return Work(0.0, 0.0)
  left, right = (value.aval for value in equation.invars[:2])
  out = equation.outvars[0].aval
  if name == "dot_general":
    (contracted, _), _ = params["dimension_numbers"]
    terms = math.prod(left.shape[axis] for axis in contracted)
  else:
    features = right.shape[params["dimension_numbers"].rhs_spec[0]]
    terms = math.prod(right.shape) // features
    # Zeros between the inputs of a strided convolution's gradient.
    terms /= math.prod(params["lhs_dilation"])
  moved = sum(v.dtype.itemsize * math.prod(v.shape) for v in (left, right, out))
  return Work(2.0 * math.prod(out.shape) * terms, float(moved))


def _bodies(equation):
  for value in equation.params.values():
    for each in value if isinstance(value, tuple | list) else (value,):
      if isinstance(each, core.ClosedJaxpr):
        yield each.jaxpr
      elif isinstance(each, core.Jaxpr):
        yield each
