"""An image without what a box holds."""

import chex
import jax
import jax.numpy as jnp


def erase_region(
  image: jax.Array,
  box: jax.Array,
  *,
  cells: int = 8,
  softness: float = 1 / 64,
) -> jax.Array:
  """Replaces a box by the image's own low frequencies.

  A constant would put an edge into the image that a classifier may take for a
  finding; the blurred image has the brightness of the place, but no detail.

  Args:
    image: `[H, W, C]`.
    box: `[4]` x1, y1, x2, y2 in pixels.
    cells: along each side of the small image that the blurred one is enlarged
      from, both linearly.
    softness: width of the transition at the box's sides, centred on them, as a
      fraction of the image's sides.

  Returns:
    `[H, W, C]`, the image itself where the transition does not reach. A box
    without area changes at most its own line or point.
  """
  chex.assert_rank([image, box], [3, 1])
  height, width, channels = image.shape
  small = jax.image.resize(image, (cells, cells, channels), "linear")
  blurred = jax.image.resize(small, image.shape, "linear")
  x1, y1, x2, y2 = box
  rows = _inside(y1, y2, height, softness)[:, None, None]
  cols = _inside(x1, x2, width, softness)[None, :, None]
  return image + rows * cols * (blurred - image)


def _inside(start, end, length, softness):
  """Returns `[length]`: 1 inside of a span, 0 outside, linear at its ends."""
  width = softness * length
  centres = jnp.arange(length, dtype=start.dtype) + 0.5
  after = jnp.clip((centres - start) / width + 0.5, 0, 1)
  before = jnp.clip((end - centres) / width + 0.5, 0, 1)
  return after * before
