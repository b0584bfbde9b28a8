"""The kinds of films that a caller may give: paths and arrays."""

import os
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import jax
import numpy as np

from chexjax.data.images import Film, Laterals, film_of_array, read_film

Key = TypeVar("Key")
Images = (
  str
  | os.PathLike[str]
  | np.ndarray
  | Sequence[str | os.PathLike[str] | np.ndarray]
)


def as_list(images: Images) -> list[Any]:
  """Return one film, a sequence or a batch as a list of films.

  Args:
    images: see `Predictor.predict`. A three-dimensional array is one film if
      its last axis is 1, 3 or 4, and a batch otherwise.

  Raises:
    ValueError: there is no film.
  """
  if isinstance(images, str | os.PathLike):
    return [images]
  if isinstance(images, np.ndarray):
    colour = images.ndim == 3 and images.shape[-1] in (1, 3, 4)
    if images.ndim == 2 or colour:
      return [images]
  given = list(images)
  if not given:
    raise ValueError("no image was given")
  return given


def open_film(
  image: Any,
  *,
  size: int,
  shape: str = "squeeze",
  laterals: Laterals = "refuse",
) -> Film:
  """Return a film from a path or an array.

  Args:
    image: path or array.
    size: side of the model's input, in pixels.
    shape: how it becomes a square; see `data.framing`.
    laterals: see `read_film`.

  Raises:
    ValueError: it is not a film; see `read_film` and `film_of_array`.
  """
  if isinstance(image, str | os.PathLike):
    path = pathlib.Path(image)
    if path.is_dir():
      raise ValueError(f"{path} is a folder; give the files in it")
    return read_film(path, size, shape=shape, laterals=laterals)
  return film_of_array(np.asarray(image), size, shape=shape)


def batches(
  images: Iterable[tuple[Key, np.ndarray]], *, size: int
) -> Iterator[tuple[list[Key], np.ndarray]]:
  """Group films into batches; the last one may be smaller.

  Args:
    images: a key and `[S, S, 1]` each.
    size: films per batch.

  Yields:
    The keys, and the films stacked, `[size, S, S, 1]`.
  """
  keys: list[Key] = []
  batch: list[np.ndarray] = []
  for key, image in images:
    keys.append(key)
    batch.append(image)
    if len(batch) == size:
      yield keys, np.stack(batch)
      keys, batch = [], []
  if batch:
    yield keys, np.stack(batch)


def on_host(
  keys: list[Key], found: dict[str, Any]
) -> tuple[list[Key], list[dict[str, Any]]]:
  """Return the results of a batch as one tree of numpy arrays per film.

  Args:
    keys: of the films, B.
    found: name -> `[B or more, ...]` on the device; or a tree of such.
  """
  found = jax.device_get(found)
  return keys, [
    jax.tree.map(lambda x, i=i: x[i], found) for i in range(len(keys))
  ]


def default_batch_size() -> int:
  """Return the default batch size on JAX's default backend."""
  return 4 if jax.default_backend() == "cpu" else 64
