"""The one convolution that the modules call."""

import functools

import jax

from chexjax.models._cpu import plain, primitives, sealing
from chexjax.ops import _primitive
from chexjax.ops.checks import check_shape


def conv(x: jax.Array, kernel: jax.Array, *, strides: int = 1) -> jax.Array:
  """Convolve with PyTorch's symmetric padding of half the kernel.

  Args:
    x: `[B, H, W, C]`.
    kernel: `[S, S, C, F]`, S odd, of the same type.
    strides: step in both directions.

  Returns:
    `[B, H / strides, W / strides, F]`, rounded up. As
    `jax.lax.conv_general_dilated`, which it is on all backends but the CPU's.
  """
  check_shape("x", x, "[B, H, W, C]")
  check_shape("kernel", kernel, "[S, S, C, F]")
  one = kernel.shape[0] == 1
  if one:  # It reads no other pixels, and is a product of matrices.
    x = jax.lax.slice(x, (0,) * 4, x.shape, (1, strides, strides, 1))
    strides = 1
  if _primitive.is_portable():
    return plain.xla(x, kernel, strides)
  # A product does not need a call of its own: XLA fuses nothing large into it.
  if one or sealing.is_inside() or not sealing.is_for_cpu():
    return primitives.convolve(x, kernel, strides=strides)
  return _convolve_apart(strides)(x, kernel)


# Made once, so that JAX finds again what it has compiled.
@functools.cache
def _convolve_apart(strides):
  convolve = functools.partial(primitives.convolve, strides=strides)
  # The checkpoint's barrier keeps XLA from fusing the copies for the kernel's
  # gradient in yet another way, which would change the last bit.
  return sealing.apart(jax.checkpoint(convolve))
