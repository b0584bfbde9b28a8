"""An image without what a box holds."""

import jax
import jax.numpy as jnp

from chexjax.ops.checks import check_count, check_positive, check_shape


def erase_region(
  image: jax.Array,
  box: jax.Array,
  *,
  cells: int = 8,
  softness: float = 1 / 64,
) -> jax.Array:
  """Replace a box by the image's own low frequencies.

  A constant would put an edge into the image that a classifier may take for a
  finding; the blurred image has the brightness of the place, but no detail.

  Args:
    image: `[H, W, C]` float, of any range.
    box: `[4]` x1, y1, x2, y2 in pixels.
    cells: along each side of the small image that the blurred one is enlarged
      from, both linearly.
    softness: width of the transition at the box's sides, centred on them, as a
      fraction of the image's sides; positive.

  Returns:
    `[H, W, C]`, the image itself where the transition does not reach. A box
    without area changes at most its own line or point. As the blur of Fong
    and Vedaldi 2017 ("Interpretable explanations of black boxes by meaningful
    perturbation"), except that the mask is a box and the blur a small image.

  Raises:
    ValueError: if an argument has another shape, such as a batch of images,
      `cells` is not a positive integer, or `softness` is a number that is not
      positive; a `jax.Array`, traced or not, is not read.
  """
  check_shape("image", image, "[H, W, C]")
  check_shape("box", box, "[4]")
  check_count("cells", cells)
  check_positive("softness", softness)
  height, width, channels = image.shape
  small = jax.image.resize(image, (cells, cells, channels), "linear")
  blurred = jax.image.resize(small, image.shape, "linear")
  x1, y1, x2, y2 = box
  rows = _inside(y1, y2, height, softness)[:, None, None]
  cols = _inside(x1, x2, width, softness)[None, :, None]
  return image + rows * cols * (blurred - image)


def _inside(start, end, length, softness):
  """Return `[length]`: 1 inside of a span, 0 outside, linear at its ends."""
  width = softness * length
  centres = jnp.arange(length, dtype=start.dtype) + 0.5
  after = jnp.clip((centres - start) / width + 0.5, 0, 1)
  before = jnp.clip((end - centres) / width + 0.5, 0, 1)
  return after * before
