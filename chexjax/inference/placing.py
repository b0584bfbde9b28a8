"""Placed maps: smoothed, and blended with where a finding usually is.

The place prior of a finding is its mean saliency over the training films that
are labelled with it. It saw labels and no box: a heart is where hearts are. A
film's own map says which side, the prior what no single film shows well.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np

from chexjax.data.pipeline import eval_batches
from chexjax.data.sources import Source, label_matrix
from chexjax.evaluation import trained_name
from chexjax.inference.film_names import file_names
from chexjax.inference.picked_films import PickedFilms
from chexjax.inference.views import resized
from chexjax.progress import Progress
from chexjax.types import MapOptions

PLACE = "place"
_SUFFIX = "_placed"
# More films hardly move a mean, and cost a forward pass each.
_MOST = 400


def placed_name(name: str) -> str:
  """Return what the placed map of a map is called, of a fresh head's too."""
  trained = trained_name(name)
  return trained + _SUFFIX + name.removeprefix(trained)


def standardize(heat: np.ndarray) -> np.ndarray:
  """Return a map `[..., h, w]` with mean 0 and deviation 1; flat becomes 0."""
  heat = np.asarray(heat, np.float32)
  heat = heat - heat.mean((-2, -1), keepdims=True)
  return heat / np.maximum(heat.std((-2, -1), keepdims=True), 1e-6)


def measure_prior(
  saliency: Callable[[np.ndarray], np.ndarray],
  source: Source,
  *,
  batch_size: int,
  seed: int = 0,
) -> np.ndarray:
  """Measure where each finding usually is, from image labels alone.

  Args:
    saliency: of `[B, S, S, 1]` films the saliency logits `[B, K, h, w]`.
    source: training films.
    batch_size: films at a time.
    seed: of the choice of films of a finding that has more than 400.

  Returns:
    `[K, h, w]` float32, the mean over a finding's positive films of their
    standardised saliency, itself standardised; 0 for a finding without any.

  Raises:
    ValueError: no film has a finding.
  """
  labels = label_matrix(source) > 0
  if not labels.any():
    raise ValueError("no training film has a finding: there is no place prior")
  rng = np.random.default_rng(seed)
  chosen = np.zeros_like(labels)
  for k in range(labels.shape[1]):
    rows = np.flatnonzero(labels[:, k])
    chosen[rng.permutation(rows)[:_MOST], k] = True
  rows = np.flatnonzero(chosen.any(1))
  names = file_names(source)
  films = PickedFilms(source, files={names[row] for row in rows})
  total = np.zeros(())
  with Progress("place prior, training films", total=len(rows)) as progress:
    for batch in eval_batches(films, batch_size=batch_size):
      heat = standardize(saliency(batch.image))
      heat, index = heat[batch.mask > 0], batch.index[batch.mask > 0]
      total = total + np.einsum(
        "bk,bkhw->khw", chosen[rows[index]].astype(np.float32), heat
      )
      progress.add(len(index))
  return standardize(total)


def place(
  maps: Mapping[str, np.ndarray],
  prior: np.ndarray | None,
  options: MapOptions,
  *,
  doubt: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
  """Return the placed maps of a film.

  Args:
    maps: name -> `[K, h, w]`.
    prior: of `measure_prior`; None where `options.prior` is 0.
    options: how much is smoothed and blended.
    doubt: `[K]`, of `placer.measure_doubt`, with `options.centre_by_auc`.

  Returns:
    For each name that of `placed_name`, and with a prior `place`, the prior
    alone; `[K, h, w]` each. A placed map is the weighted sum of the smoothed
    map, the prior and the middle, all standardised; then it is grown.
  """
  centre: float | np.ndarray = options.centre
  if doubt is not None:
    centre = (1 - options.prior) * doubt[:, None, None]
  found = {}
  for name, heat in maps.items():
    heat = smooth(standardize(heat), options.smooth)
    heat = (1 - options.prior - centre) * standardize(heat)
    if prior is not None:
      heat = heat + options.prior * resized(prior, heat.shape[-2:])
    heat = heat + centre * centre_map(heat.shape[-1])
    heat = grow(heat, options.least_size)
    found[placed_name(name)] = heat
  if prior is not None:
    found[PLACE] = prior
  return found


def centre_map(side: int) -> np.ndarray:
  """Return a standardised Gaussian in the middle, `[side, side]`.

  Its deviation is a quarter of the side, as that of the row `centre_prior`.
  """
  place = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
  line = np.exp(-((place / 0.25) ** 2) / 2)
  return standardize(line[:, None] * line)


def smooth(heat: np.ndarray, deviation: float) -> np.ndarray:
  """Smooth maps `[K, h, w]` by a Gaussian; edges repeat.

  Args:
    heat: the maps.
    deviation: as a fraction of the side; 0 leaves them as they are.
  """
  if not deviation:
    return heat
  sigma = deviation * heat.shape[-1]
  return np.stack(
    [
      cv2.GaussianBlur(one, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
      for one in heat
    ]
  )


def grow(heat: np.ndarray, side: float) -> np.ndarray:
  """Replace each cell of maps `[K, h, w]` by the highest in a square around it.

  What lies above a threshold then holds such a square around each of its peaks.

  Args:
    heat: the maps.
    side: of the square, as a fraction of the map's; 0 leaves them as they are.
  """
  cells = round(side * heat.shape[-1])
  if cells < 2:
    return heat
  window = np.ones((cells, cells), np.uint8)
  return np.stack([cv2.dilate(one, window) for one in heat])
