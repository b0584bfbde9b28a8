"""The quick forms of a convolution equal XLA's own, gradients included."""

import jax
import numpy as np
import pytest

from chexjax.models.convolution import convolve


def plain(x, kernel, strides):
  pad = kernel.shape[0] // 2
  return jax.lax.conv_general_dilated(
    x, kernel, (strides, strides), [(pad, pad)] * 2,
    dimension_numbers=("NHWC", "HWIO", "NHWC"),
  )  # fmt: skip


@pytest.mark.parametrize(
  ("height", "width", "size", "strides"),
  [(1, 1, 3, 1), (2, 3, 3, 1), (3, 3, 5, 1), (6, 5, 3, 1), (9, 8, 7, 1),
   (17, 16, 3, 1), (8, 8, 3, 2), (2, 2, 3, 2), (4, 4, 3, 2),
   (9, 10, 7, 2), (9, 11, 3, 3)],
)  # fmt: skip
def test_convolve_equals_xla(height, width, size, strides):
  with jax.enable_x64(True):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, height, width, 3))
    kernel = rng.normal(size=(size, size, 3, 4))

    def of(function):
      def loss(x, kernel):
        y = function(x, kernel, strides=strides)
        return (y * np.cos(np.arange(y.size)).reshape(y.shape)).sum(), y

      return jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(x, kernel)

    jax.tree.map(
      lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-12),
      of(convolve),
      of(plain),
    )
