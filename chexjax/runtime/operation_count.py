"""A lower bound on the work of a function: its products, from the jaxpr.

XLA's own cost analysis counts the body of a loop once, however often it runs.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from jax.extend import core


class Work(NamedTuple):
  """FLOPs and bytes of all matrix products and convolutions.

  Elementwise operations count as free.

  Attributes:
    flops: two for each multiply-add.
    bytes: size of the operands and results, each moved once.
  """

  flops: float
  bytes: float


def count(jaxpr: Any, *, constant_products: bool = False) -> Work:
  """Count the work of a jaxpr; a loop counts as often as it runs.

  Of a condition only the most expensive branch counts, of forms for several
  platforms the one for all others. A loop of unknown length counts once.

  Args:
    jaxpr: a `Jaxpr`; of a `ClosedJaxpr` give its `jaxpr`.
    constant_products: whether products with a constant sparse matrix count,
      which a CPU reads instead (`ops/_constant_product.py`).

  Returns:
    The total, nested jaxprs included.
  """
  flops, moved = 0.0, 0.0
  for equation in jaxpr.eqns:
    found = _own(equation)
    if constant_products and equation.primitive.name == "constant_product":
      found = _constant_product(equation)
    if equation.primitive.name == "pallas_call":
      found = _kernel(equation)
    inner = [
      count(body, constant_products=constant_products)
      for body in _bodies(equation)
      if equation.primitive.name != "pallas_call"
    ]
    if inner and equation.primitive.name == "cond":
      platforms = equation.params.get("branches_platforms")
      inner = [inner[platforms.index(None)] if platforms else max(inner)]
    times = equation.params.get("length", 1) if inner else 1
    flops += found.flops + times * sum(work.flops for work in inner)
    moved += found.bytes + times * sum(work.bytes for work in inner)
  return Work(flops, moved)


def _own(equation: Any) -> Work:
  """Return the work of one equation, without the jaxprs inside it."""
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
    # The gradient of a strided convolution puts zeros between the inputs; a
    # product with a zero is no work.
    terms /= math.prod(params["lhs_dilation"])
  moved = sum(v.dtype.itemsize * math.prod(v.shape) for v in (left, right, out))
  return Work(2.0 * math.prod(out.shape) * terms, float(moved))


def _constant_product(equation: Any) -> Work:
  """Return the work of a product with a constant matrix along one axis."""
  (x,), (out,) = equation.invars, equation.outvars
  matrix = equation.params["matrix"].values
  terms = x.aval.shape[equation.params["axis"]]
  sizes = [math.prod(v.aval.shape) for v in (x, out)]
  moved = x.aval.dtype.itemsize * (sum(sizes) + matrix.size)
  return Work(2.0 * sizes[1] * terms, float(moved))


def _kernel(equation: Any) -> Work:
  """Return the work of a Pallas kernel, each operand and result moved once."""
  params = equation.params
  moved = sum(
    value.aval.dtype.itemsize * math.prod(value.aval.shape)
    for value in (*equation.invars, *equation.outvars)
  )
  programs = math.prod(params["grid_mapping"].grid)
  return Work(programs * count(params["jaxpr"]).flops, float(moved))


def _bodies(equation: Any) -> Iterator[core.Jaxpr]:
  """Yield the jaxprs among an equation's parameters."""
  for value in equation.params.values():
    for each in value if isinstance(value, tuple | list) else (value,):
      if isinstance(each, core.ClosedJaxpr):
        yield each.jaxpr
      elif isinstance(each, core.Jaxpr):
        yield each
