"""Initial weights from a traced function, without compiling it.

A full-size model draws from 164 keys. Compiled as one program, that is 164
generators, and XLA takes most of a minute for them. Here the function is only
traced; what its results do not depend on is dropped, and the rest is run
equation by equation. All large arrays come from a few generators, compiled
once for each of a few lengths.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np
from jax.extend import core
from jax.interpreters import partial_eval

# With partitionable keys a number depends on its key and place alone. So the
# first numbers of a longer vector are those of any shape. The names are those
# of JAX's own functions in a jaxpr; under another name they are left to JAX.
_LENGTHS = tuple(4**power for power in range(8, 16))
_GENERATORS: dict[str, Callable[..., jax.Array]] = {
  "_truncated_normal": lambda key, low, high, length: (
    jax.random.truncated_normal(key, low, high, (length,))
  ),
  "_normal": lambda key, length: jax.random.normal(key, (length,)),
}
_ELEMENTWISE = {
  "add": np.add, "mul": np.multiply, "div": np.divide, "sqrt": np.sqrt
}  # fmt: skip


def draw(function: Callable[[jax.Array], Any], key: jax.Array) -> Any:
  """Return what a function draws from a key, as numpy arrays.

  The values are those of `function(key)`, on every platform those of the
  host's CPU where JAX has one.

  Args:
    function: from a key to a tree of arrays; need not be jitted. It may do
      much that its results do not depend on.
    key: of `jax.random.key`.

  Returns:
    The tree of the results.
  """
  traced, out = jax.make_jaxpr(function, return_shape=True)(key)
  jaxpr, _ = partial_eval.dce_jaxpr(
    traced.jaxpr, [True] * len(traced.jaxpr.outvars), instantiate=True
  )
  with jax.default_device(_host()):
    # Data of the host has no device yet, the key may be on another one.
    data: Any = np.asarray(jax.random.key_data(key))
    key = jax.random.wrap_key_data(data, impl=jax.random.key_impl(key))
    leaves = _run(jaxpr, traced.consts, [key])
  return jax.tree.unflatten(jax.tree.structure(out), map(np.asarray, leaves))


def _host() -> jax.Device | None:
  """Return a CPU device, None where JAX was told to have none."""
  try:
    return jax.local_devices(backend="cpu")[0]
  except RuntimeError:
    return None


def _run(
  jaxpr: core.Jaxpr, consts: Sequence[Any], args: Sequence[Any]
) -> list[Any]:
  known = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*consts, *args)))

  def value(atom: Any) -> Any:
    return atom.val if isinstance(atom, core.Literal) else known[atom]

  for equation in jaxpr.eqns:
    results = _run_one(equation, [value(atom) for atom in equation.invars])
    known.update(zip(equation.outvars, results))
  return [value(atom) for atom in jaxpr.outvars]


def _run_one(equation: core.JaxprEqn, values: list[Any]) -> Sequence[Any]:
  """Run one equation, by numpy or by parts where that is quicker."""
  name, params = equation.primitive.name, equation.params
  out: Any = equation.outvars[0].aval
  if name == "jit" and params["name"] in _GENERATORS:
    drawn = _generate(params["name"], values, out)
    if drawn is not None:
      return [drawn]
  if name == "jit":
    return _run(params["jaxpr"].jaxpr, params["jaxpr"].consts, values)
  if name == "remat2":
    return _run(params["jaxpr"], (), values)
  if name == "scan":
    return _scan(params, values)
  if name == "broadcast_in_dim" and np.ndim(values[0]) == 0:
    return [np.full(out.shape, values[0], out.dtype)]
  if name in _ELEMENTWISE and all(v.dtype == np.float32 for v in values):
    return [_ELEMENTWISE[name](*values)]
  bound = equation.primitive.bind(
    *values, **equation.primitive.get_bind_params(params)
  )
  found = bound if equation.primitive.multiple_results else [bound]
  return [
    each
    if jax.dtypes.issubdtype(each.dtype, jax.dtypes.prng_key)
    else np.asarray(each)
    for each in found
  ]


def _generate(name: str, values: list[Any], out: Any) -> np.ndarray | None:
  """Draw an array for each key, None where that must be left to JAX."""
  keys, *bounds = values
  count, size = keys.size, out.size // keys.size
  if (
    not jax.config.values["jax_threefry_partitionable"]
    or jax.random.key_impl(keys) != "threefry2x32"
    or out.shape[: keys.ndim] != keys.shape
    or out.dtype != np.float32
    or size > _LENGTHS[-1]
  ):
    return None
  length = next(length for length in _LENGTHS if length >= size)
  result = np.empty((count, size), np.float32)
  for row, key in zip(result, keys.reshape(-1)):
    row[:] = np.asarray(_GENERATORS[name](key, *bounds, length=length))[:size]
  return result.reshape(out.shape)


def _scan(params: Any, values: list[Any]) -> list[Any]:
  """Run a loop's body as often as it is long, in Python."""
  consts, carried = params["num_consts"], params["num_carry"]
  fixed, carry = values[:consts], values[consts : consts + carried]
  rows = values[consts + carried :]
  body, found = params["jaxpr"], []
  order = range(params["length"])
  for i in reversed(order) if params["reverse"] else order:
    given = [*fixed, *carry, *(row[i] for row in rows)]
    result = _run(body.jaxpr, body.consts, given)
    carry = result[:carried]
    found.append(result[carried:])
  if params["reverse"]:
    found.reverse()
  return [*carry, *(np.stack(each) for each in zip(*found))]
