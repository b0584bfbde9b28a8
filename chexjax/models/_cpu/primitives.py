"""The convolution and its two gradients as a closed family of primitives.

Each of the three is linear in both of its operands, and the two transposes of
one are the other two. So every derivative, of any order, forwards or
backwards, is again a member of the family and has its quick form.
"""

import functools

import jax
import jax.numpy as jnp
from jax.extend import core
from jax.interpreters import ad, batching

from chexjax.models._cpu import plain, quick
from chexjax.ops import _primitive


def convolve(x: jax.Array, kernel: jax.Array, *, strides: int) -> jax.Array:
  """Convolve `[B, H, W, C]` with `[S, S, C, F]`, in the platform's form."""
  batch, height, width, _ = x.shape
  shape = (batch, -(-height // strides), -(-width // strides), kernel.shape[3])
  return _bind(_output, x, kernel, shape, strides)


def _bind(primitive, left, right, shape, strides):
  """Bind one of the three to its operands; `shape` is that of the result.

  The jaxpr of the plain form is a parameter, too. So whoever reads a program,
  such as the counter of its operations, finds XLA's convolution there.
  """
  # `jit` keeps what it has traced, so that equal calls share a jaxpr and JAX
  # finds what it has lowered before.
  traced = _PLAIN[primitive].trace(left, right, shape=shape, strides=strides)
  return primitive.bind(
    left, right, jaxpr=traced.jaxpr, shape=shape, strides=strides
  )


def _run_plain(left, right, *, jaxpr, shape, strides):
  del shape, strides  # The jaxpr contains them.
  return core.jaxpr_as_fun(jaxpr)(left, right)[0]


def _define(name, form):
  def run(left, right, *, jaxpr, shape, strides):
    del jaxpr
    return form(left, right, shape=shape, strides=strides)

  static = ("jaxpr", "shape", "strides")
  primitive = _primitive.define(name, plain=_run_plain, cpu=run, static=static)
  batching.primitive_batchers[primitive] = functools.partial(_batch, primitive)
  return primitive


def _batch(primitive, operands, axes, *, jaxpr, shape, strides):
  """Join maps that share a kernel to one larger batch.

  Anything else is left to XLA's own convolution.
  """
  left, right = operands
  if primitive is _kernel_gradient or axes[1] is not None:
    run = jax.vmap(core.jaxpr_as_fun(jaxpr), in_axes=axes)
    return run(left, right)[0], 0
  left = jnp.moveaxis(left, axes[0], 0)
  count, batch = left.shape[:2]
  joined = left.reshape(-1, *left.shape[2:])
  result = _bind(primitive, joined, right, (count * batch, *shape[1:]), strides)
  return result.reshape(count, *shape), 0


_output = _define("convolution", quick.output)
_input_gradient = _define("convolution_input_gradient", quick.input_gradient)
_kernel_gradient = _define("convolution_kernel_gradient", quick.kernel_gradient)
_PLAIN = {
  primitive: jax.jit(form, static_argnames=("shape", "strides"))
  for primitive, form in (
    (_output, plain.output),
    (_input_gradient, plain.input_gradient),
    (_kernel_gradient, plain.kernel_gradient),
  )
}

# For each, the gradient to the left and to the right operand. `t` is the
# cotangent of the result; of the operand asked for, only the shape is known.
ad.defbilinear(
  _output,
  lambda t, x, kernel, *, jaxpr, shape, strides: _bind(
    _input_gradient, t, kernel, x.aval.shape, strides
  ),
  lambda t, x, kernel, *, jaxpr, shape, strides: _bind(
    _kernel_gradient, x, t, kernel.aval.shape, strides
  ),
)
ad.defbilinear(
  _input_gradient,
  lambda t, g, kernel, *, jaxpr, shape, strides: _bind(
    _output, t, kernel, g.aval.shape, strides
  ),
  lambda t, g, kernel, *, jaxpr, shape, strides: _bind(
    _kernel_gradient, t, g, kernel.aval.shape, strides
  ),
)
ad.defbilinear(
  _kernel_gradient,
  lambda t, x, g, *, jaxpr, shape, strides: _bind(
    _input_gradient, g, t, x.aval.shape, strides
  ),
  lambda t, x, g, *, jaxpr, shape, strides: _bind(
    _output, x, t, g.aval.shape, strides
  ),
)
