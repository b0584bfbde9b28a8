"""Products with a constant sparse matrix, which a CPU reads instead.

A row of a pooling matrix has at most four numbers that are not 0, a column
mostly two. A CPU is quicker to read and add these than to multiply. A TPU makes
one large product, a GPU many small ones.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from jax.interpreters import ad, batching

from chexjax.ops import _precision, _primitive


@dataclasses.dataclass(frozen=True, eq=False)
class Matrix:
  """A constant matrix, hashed by its identity, as JAX's parameters must be."""

  values: np.ndarray

  def __len__(self) -> int:
    """Return the number of rows."""
    return len(self.values)


def multiply(matrix: Matrix, x: jax.Array, *, axis: int) -> jax.Array:
  """Multiply an array by a constant matrix along an axis."""
  # A primitive is lowered later, where the context is another one.
  precision = _precision.for_type(x.dtype) or _precision.current()
  form = _dense if _primitive.is_portable() else _product.bind
  return form(x, matrix=matrix, axis=axis, turned=False, precision=precision)


def _dense(x, *, matrix, axis, turned, precision):
  values = matrix.values.T if turned else matrix.values
  product = jnp.tensordot(
    values.astype(x.dtype), x, (1, axis), precision=precision
  )
  return jnp.moveaxis(product, 0, axis)


def _batched(x, *, matrix, axis, turned, precision):
  """Multiply for all places on the axes before it, where `x` lies as it is.

  A GPU would transpose `x` for the one large product, and its result again.
  """
  values = matrix.values.T if turned else matrix.values
  places = tuple(range(axis))
  each = jnp.broadcast_to(
    values.astype(x.dtype), (*x.shape[:axis], *values.shape)
  )
  contracted = (axis + 1,), (axis,)
  return jax.lax.dot_general(
    each, x, (contracted, (places, places)), precision=precision
  )


def _read(x, *, matrix, axis, turned, precision):
  """Add what the matrix does not multiply by 0, in float32 at least."""
  del precision
  values = matrix.values.T if turned else matrix.values
  count = (values != 0).sum(1).max()
  places = np.argsort(values == 0, 1, kind="stable")[:, :count]
  weights = np.take_along_axis(values, places, 1)
  wide = jnp.promote_types(x.dtype, jnp.float32)
  shape = [-1 if i == axis else 1 for i in range(x.ndim)]
  total = jnp.zeros((), wide)
  for place, weight in zip(places.T, weights.T):
    read = jnp.take(x, place, axis, mode="clip").astype(wide)
    total = total + read * weight.reshape(shape).astype(wide)
  return total.astype(x.dtype)


_product = _primitive.define(
  "constant_product",
  plain=_dense,
  static=("matrix", "axis", "turned", "precision"),
  cpu=_read,
  cuda=_batched,
)


# The gradient reads, too. JAX's own gradient of a read would add to one place
# at a time.
def _transpose(cotangent, x, *, turned, **parameters):
  del x
  return (_product.bind(cotangent, turned=not turned, **parameters),)


def _batch(operands, axes, *, axis, **parameters):
  x = jnp.moveaxis(operands[0], axes[0], 0)
  return _product.bind(x, axis=axis + 1, **parameters), 0


ad.deflinear2(_product, _transpose)
batching.primitive_batchers[_product] = _batch
