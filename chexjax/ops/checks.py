"""Checks of arguments that name what is wrong; no part of the public API.

Shapes are known while JAX traces, so that checking them costs nothing at run
time. Values are read only where they are Python or numpy numbers: a traced
value has none yet, and to read a `jax.Array` would wait for its device.
"""

import functools
import numbers
import operator
from typing import Any

import jax.numpy as jnp
import numpy as np


@functools.cache
def _parse(want: str) -> tuple[bool, tuple[str, ...]]:
  """Return whether axes may lead, and the named ones, of `"[..., N, 4]"`."""
  axes = [axis.strip() for axis in want[1:-1].split(",") if axis.strip()]
  leading = axes[:1] == ["..."]
  return leading, tuple(axes[leading:])


def check_shape(name: str, x: Any, want: str, **sizes: int) -> None:
  """Raise unless an array has the shape that its argument should have.

  Args:
    name: of the argument, as the caller wrote it.
    x: the array, concrete or traced; a number has the shape `[]`.
    want: the shape as docstrings write it, such as `"[N, 4]"` or
      `"[..., H, W, 1]"`. A number must match; a letter stands for any length
      unless `sizes` gives it; `...` comes first and stands for any axes.
    **sizes: lengths that letters of `want` stand for, such as `N=7`.

  Raises:
    TypeError: if `x` is no array.
    ValueError: if its shape is another: "boxes must be [N, 4], got (7, 5)".
  """
  if not (hasattr(x, "shape") or isinstance(x, numbers.Number)):
    raise TypeError(f"{name} must be an array {want}, got {type(x).__name__}")
  shape = np.shape(x)
  leading, axes = _parse(want)
  start = len(shape) - len(axes)
  lengths = [int(a) if a.isdigit() else sizes.get(a) for a in axes]
  if (start >= 0 if leading else start == 0) and all(
    length in (None, got) for length, got in zip(lengths, shape[start:])
  ):
    return
  known = ", ".join(f"{axis} = {n}" for axis, n in sizes.items())
  raise ValueError(
    f"{name} must be {want}{f' with {known}' if known else ''}, got {shape}"
  )


def check_same_shape(name: str, x: Any, other_name: str, other: Any) -> None:
  """Raise unless two arrays have one shape.

  Broadcasting would turn `[B, 1]` beside `[B]` into `[B, B]` without a word.

  Args:
    name: of the argument that is checked.
    x: its array.
    other_name: of the argument whose shape it must have.
    other: that array.

  Raises:
    ValueError: if their shapes differ.
  """
  if np.shape(x) != np.shape(other):
    raise ValueError(
      f"{name} must have the shape of {other_name}, {np.shape(other)}, "
      f"got {np.shape(x)}"
    )


def check_broadcast(name: str, x: Any, other_name: str, other: Any) -> None:
  """Raise unless the shapes of two arrays broadcast.

  Args:
    name: of the one argument.
    x: its array.
    other_name: of the other argument.
    other: its array.

  Raises:
    ValueError: if they do not.
  """
  try:
    jnp.broadcast_shapes(np.shape(x), np.shape(other))
  except ValueError:
    raise ValueError(
      f"{name} and {other_name} must broadcast, "
      f"got {np.shape(x)} and {np.shape(other)}"
    ) from None


def check_positive(name: str, value: Any, *, or_zero: bool = False) -> None:
  """Raise if a number that can be read here is not above 0.

  Args:
    name: of the argument.
    value: a number or an array. A `jax.Array`, traced or not, is not read.
    or_zero: whether 0 is right, too.

  Raises:
    ValueError: if a Python or numpy number is 0, negative or NaN.
  """
  if not isinstance(value, numbers.Real | np.ndarray | np.generic):
    return
  values = np.asarray(value)
  if not np.all(values >= 0 if or_zero else values > 0):
    wanted = "0 or more" if or_zero else "positive"
    raise ValueError(f"{name} must be {wanted}, got {value}")


def check_finite(name: str, value: Any) -> None:
  """Raise if an array that can be read here holds NaN or an infinity.

  Args:
    name: of the argument.
    value: an array. A `jax.Array`, traced or not, is not read.

  Raises:
    ValueError: if a numpy array holds one; says where the first is.
  """
  if not isinstance(value, np.ndarray | np.generic):
    return
  values = np.asarray(value)
  wrong = np.argwhere(~np.isfinite(values))
  if len(wrong):
    place = tuple(map(int, wrong[0]))
    raise ValueError(f"{name} must be finite, got {values[place]} at {place}")


def check_count(name: str, value: Any, *, least: int = 1) -> None:
  """Raise unless a value is a whole number that is large enough.

  Args:
    name: of the argument.
    value: what shapes depend on, so that it is never traced.
    least: smallest value allowed.

  Raises:
    ValueError: if it is no integer, or is smaller.
  """
  try:
    enough = operator.index(value) >= least
  except TypeError:
    enough = False
  if not enough:
    raise ValueError(
      f"{name} must be an integer of at least {least}, got {value!r}"
    )


def check_size(name: str, size: Any, *, least: int = 1) -> tuple[int, int]:
  """Return an output size as height and width.

  Args:
    name: of the argument.
    size: the side of a square, or a tuple of height and width.
    least: smallest side allowed.

  Returns:
    Height and width in pixels.

  Raises:
    ValueError: if a side is no integer or is smaller, or there are not two.
  """
  sides = size if isinstance(size, tuple | list) else (size, size)
  if len(sides) != 2:
    raise ValueError(f"{name} must be one side or (height, width), got {size}")
  for side in sides:
    check_count(name, side, least=least)
  return sides[0], sides[1]
