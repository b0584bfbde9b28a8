"""Augmentation of an image's grey values, and of a patch of them."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_positive, check_shape


def vary_grey(
  key: jax.Array,
  image: jax.Array,
  *,
  contrast: float = 0.0,
  gamma: float = 0.0,
  noise: float = 0.0,
) -> jax.Array:
  """Draw a gamma, a contrast, a brightness and noise, and apply them.

  They stand for exposure, the tube's voltage and the window at which a film
  was stored, which tell the machine and not the finding.

  Args:
    key: of the draw.
    image: `[H, W, 1]` float grey, 0..255.
    contrast: largest natural logarithm, either way, of the factor on the
      distance from the mean; the mean moves by up to a quarter of the range
      times this.
    gamma: largest natural logarithm of the exponent, either way.
    noise: largest standard deviation of the normal noise, in grey values; each
      image has one of its own, from 0 on.

  Returns:
    `[H, W, 1]` float32, clipped to 0..255. As torchvision's `ColorJitter` for
    grey images, except that factors are drawn evenly in their logarithm.

  Raises:
    ValueError: if `image` has another shape, or an option is negative.
  """
  check_shape("image", image, "[H, W, 1]")
  check_positive("contrast", contrast, or_zero=True)
  check_positive("gamma", gamma, or_zero=True)
  check_positive("noise", noise, or_zero=True)
  keys = jax.random.split(key, 5)

  def either_way(key: jax.Array, most: float) -> jax.Array:
    return jax.random.uniform(key, minval=-most, maxval=most)

  image = image.astype(jnp.float32)
  if gamma:
    # Not from 0, where the power has no gradient and a negative one no value.
    image = 255 * (jnp.clip(image, 0.5, 255) / 255) ** jnp.exp(
      either_way(keys[0], gamma)
    )
  if contrast:
    mean = image.mean()
    factor = jnp.exp(either_way(keys[1], contrast))
    brighter = 64 * either_way(keys[2], contrast)
    image = (image - mean) * factor + mean + brighter
  if noise:
    deviation = noise * jax.random.uniform(keys[3])
    image = image + deviation * jax.random.normal(keys[4], image.shape)
  return jnp.clip(image, 0, 255)


def cut_out(key: jax.Array, image: jax.Array, *, side: float) -> jax.Array:
  """Draw a rectangle and give it the image's mean, in half of the draws.

  Args:
    key: of the draw.
    image: `[H, W, 1]` float grey, 0..255.
    side: largest side of the rectangle as a fraction of the image's, up to 1;
      the smallest is a twentieth.

  Returns:
    `[H, W, 1]`. As Cutout (DeVries and Taylor 2017), except that the patch is
      a rectangle of any proportion and half of the images stay whole.

  Raises:
    ValueError: if `image` has another shape, or `side` is not in 0..1.
  """
  check_shape("image", image, "[H, W, 1]")
  check_positive("side", side, or_zero=True)
  if side > 1:
    raise ValueError(f"side must be at most 1, got {side}")
  height, width, _ = image.shape
  place_key, side_key, share_key = jax.random.split(key, 3)
  centre_y, centre_x = jax.random.uniform(place_key, (2,))
  high, wide = jax.random.uniform(
    side_key, (2,), minval=min(0.05, side), maxval=side
  )
  rows = jnp.abs((jnp.arange(height) + 0.5) / height - centre_y) < high / 2
  columns = jnp.abs((jnp.arange(width) + 0.5) / width - centre_x) < wide / 2
  patch = rows[:, None, None] & columns[None, :, None]
  patch &= jax.random.bernoulli(share_key)
  return jnp.where(patch, image.mean(), image)
