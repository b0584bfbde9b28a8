"""A model with its weights: films in; probabilities, maps and boxes out."""

import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import jax
import numpy as np

from chexjax.data.images import Film, film_of_array, read_film
from chexjax.inference.boxes import cut_box
from chexjax.inference.forward import fitting_forward
from chexjax.inference.thresholds import DEFAULT
from chexjax.models import ChexModel
from chexjax.weights.loading import ModelInfo, load_model

Key = TypeVar("Key")
Images = (
  str
  | os.PathLike[str]
  | np.ndarray
  | Sequence[str | os.PathLike[str] | np.ndarray]
)


class Predictions(NamedTuple):
  """What the model says of N films and K findings, as numpy arrays.

  Attributes:
    findings: the K names, in the order of every other field.
    probabilities: `[N, K]` float64 in 0..1, of the full image.
    boxes: `[N, K, 4]` float32 x1, y1, x2, y2 in pixels of each film as it was
      given, x2 and y2 exclusive; NaN where the map is flat. A box says where
      the finding would be, not that it is there: see `probabilities`.
    maps: `sal`, `det` and `mix`, `[N, K, h, w]` float32 over the whole film;
      `sal` alone of a model that was trained to classify only.
    logits: `[N, K]` float32, of the full image.
  """

  findings: tuple[str, ...]
  probabilities: np.ndarray
  boxes: np.ndarray
  maps: dict[str, np.ndarray]
  logits: np.ndarray


class Predictor:
  """A `ChexModel` with its variables, ready for films of any size.

  Attributes:
    model: the linen module.
    variables: `params` and `batch_stats`, on the device.
    info: the names of the findings, the side of the input, where the weights
      are from.
  """

  def __init__(self, model: ChexModel, variables: Any, info: ModelInfo):
    """Put the variables on the device."""
    self.model, self.info = model, info
    self.variables = jax.device_put(variables)
    self._forwards: dict[int, tuple[Any, int]] = {}

  @property
  def findings(self) -> tuple[str, ...]:
    """The names of the K findings."""
    return self.info.findings

  @property
  def box_map(self) -> str:
    """The map that boxes are cut from: `mix`, or `sal` where it is alone."""
    return "mix" if self.info.stage > 1 else "sal"

  def predict(
    self,
    images: Images,
    *,
    thresholds: Mapping[str, float] | None = None,
    batch_size: int | None = None,
  ) -> Predictions:
    """Predict films.

    Args:
      images: a path or a sequence of paths of PNG or JPEG files; an array
        `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]` of one film, or a
        sequence of them, of whatever sizes; or a batch `[N, H, W]` or
        `[N, H, W, C]`. Arrays are uint8, uint16 over its full range, or floats
        in 0..1. Of three axes the last is the colour if it is 1, 3 or 4.
      thresholds: finding -> share of the map's pixels below the cut, 0..1;
        by default the area of the finding's median box in ChestX-ray14.
      batch_size: films at a time, at most; by default 4 on a CPU, 64 elsewhere.

    Raises:
      ValueError: an image cannot be read or is not of a kind above, or a
        threshold is of an unknown finding.
    """
    given = _as_list(images)
    cuts = DEFAULT | dict(thresholds or {})
    strangers = sorted(cuts.keys() - DEFAULT.keys() - set(self.findings))
    if strangers:
      raise ValueError(f"thresholds of unknown findings: {strangers}")
    size = self.info.image_size
    films = [_film(image, size) for image in given]
    found: list[dict] = []
    pairs = ((number, film.image) for number, film in enumerate(films))
    for _, rows in self.stream(pairs, count=len(films), batch_size=batch_size):
      found += rows
    boxes = np.full((len(films), len(self.findings), 4), np.nan, np.float32)
    for number, (film, row) in enumerate(zip(films, found)):
      for k, name in enumerate(self.findings):
        heat = row["maps"][self.box_map][k]
        cut = cut_box(heat, cuts[name], size=size, original=film.original.shape)
        if cut["box"] is not None:
          boxes[number, k] = cut["box"]
    logits = np.stack([row["full_logits"] for row in found])
    return Predictions(
      self.findings,
      1 / (1 + np.exp(-logits.astype(np.float64))),
      boxes,
      {
        n: np.stack([row["maps"][n] for row in found]) for n in found[0]["maps"]
      },
      logits,
    )

  def stream(
    self,
    images: Iterable[tuple[Key, np.ndarray]],
    *,
    count: int,
    batch_size: int | None = None,
  ) -> Iterator[tuple[list[Key], list[dict[str, Any]]]]:
    """Predict as many films as there are, one batch ahead of the caller.

    Args:
      images: a key, such as a file's name, and `[S, S, 1]` uint8 each, S the
        side of the model's input.
      count: images at most, for the size of a batch.
      batch_size: see `predict`.

    Yields:
      The keys of a batch, and for each what `make_forward` gives of one image.
    """
    forward, size = self._forward(count, batch_size)
    waiting = None
    for keys, batch in _batches(images, size):
      padding = np.repeat(batch[-1:], size - len(batch), 0)
      found = forward(self.variables, np.concatenate([batch, padding]))
      if waiting is not None:
        yield _on_host(*waiting)
      waiting = keys, found
    if waiting is not None:
      yield _on_host(*waiting)

  def _forward(self, count, batch_size):
    """Return the compiled function and its batch; few sizes are compiled."""
    most = batch_size or default_batch_size()
    wanted = min(most, 2 ** (max(count, 1) - 1).bit_length())
    if wanted not in self._forwards:
      self._forwards[wanted] = fitting_forward(
        self.model, self.info, self.variables, wanted
      )
    return self._forwards[wanted]


def default_batch_size() -> int:
  """Return the most films at a time where nothing else is asked for."""
  return 4 if jax.default_backend() == "cpu" else 64


def load(
  path: str | os.PathLike[str], *, preset: str | None = None
) -> Predictor:
  """Load a model with its weights.

  Args:
    path: a run's workdir, a converted folder, or the authors' `.pth` (or the
      same as `.safetensors`).
    preset: "paper" or "released": whose maps are drawn; the weights' own by
      default.

  Raises:
    FileNotFoundError: there is no such path.
    ImportError: torch or safetensors is needed and absent.
    ValueError: the path holds no weights, or they do not fit.
  """
  return Predictor(*load_model(path, preset))


def _as_list(images: Images) -> list[Any]:
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


def _film(image: Any, size: int) -> Film:
  if isinstance(image, str | os.PathLike):
    return read_film(pathlib.Path(image), size)
  return film_of_array(np.asarray(image), size)


def _batches(images, size):
  keys, batch = [], []
  for key, image in images:
    keys.append(key)
    batch.append(image)
    if len(batch) == size:
      yield keys, np.stack(batch)
      keys, batch = [], []
  if batch:
    yield keys, np.stack(batch)


def _on_host(keys, found):
  found = jax.device_get(found)
  return keys, [
    jax.tree.map(lambda x, i=i: x[i], found) for i in range(len(keys))
  ]
