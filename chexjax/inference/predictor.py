"""A model with its weights: films in; probabilities, maps and boxes out."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from chexjax.data.images import Film, Laterals
from chexjax.inference.boxes import cut_box
from chexjax.inference.films import (
  Images,
  Key,
  as_list,
  batches,
  default_batch_size,
  on_host,
  open_film,
)
from chexjax.inference.forward import fitting_forward
from chexjax.inference.thresholds import percentiles_of
from chexjax.inference.views import mean_logits, mean_maps, reduced, views_of
from chexjax.systems import Model
from chexjax.types import AS_DRAWN, MapOptions
from chexjax.weights.loading import load_model
from chexjax.weights.model_info import ModelInfo, check_member


class Predictions(NamedTuple):
  """Predictions for N films and K findings, as numpy arrays.

  Attributes:
    findings: the K names, in the order of every other field.
    probabilities: `[N, K]` float64 in 0..1, of the full image.
    predicted: `[N, K]` bool, whether the probability reaches `score_cuts`.
    boxes: `[N, K, 4]` float32 x1, y1, x2, y2 in pixels of each film as it was
      given (as viewers show it, of a DICOM file its stored pixels), x2 and y2
      exclusive; NaN where the map is flat. A box says where
      the finding would be, not that it is present: see `predicted`.
    maps: `sal`, `det` and `mix`, `[N, K, h, w]` float32 over the model's square
      input (the whole film, unless the model was trained on letterboxed ones);
      only `sal` if the model was trained to classify only; another system's
      are its own.
    logits: `[N, K]` float32, of the full image.
    score_cuts: `[K]` float64, the probability from which on each finding
      counts as predicted, chosen when the run was scored; NaN where nobody has
      chosen any, and then nothing is `predicted`.
  """

  findings: tuple[str, ...]
  probabilities: np.ndarray
  predicted: np.ndarray
  boxes: np.ndarray
  maps: dict[str, np.ndarray]
  logits: np.ndarray
  score_cuts: np.ndarray


class Predictor:
  """A model with its variables, ready for films of any size.

  Attributes:
    model: the linen module.
    variables: `params` and `batch_stats`, on the device.
    info: names of the findings, side of the input, origin of the weights.
  """

  def __init__(
    self,
    model: Model,
    variables: Any,
    info: ModelInfo,
    *,
    members: Sequence["Predictor"] = (),
    options: MapOptions = AS_DRAWN,
  ):
    """Put the variables on the device.

    Args:
      model: the linen module.
      variables: `params` and `batch_stats`.
      info: belongs to the variables.
      members: further models whose answers are averaged with this one's.
      options: the views that are averaged; there are no placed maps here.

    Raises:
      ValueError: a member has other findings or stages, or larger films.
    """
    self.model, self.info = model, info
    self.variables = jax.device_put(variables)
    for member in members:
      check_member(member.info, info)
    self._members, self._views = tuple(members), views_of(options)
    self._forwards: dict[int, tuple[Any, int]] = {}

  @property
  def findings(self) -> tuple[str, ...]:
    """Names of the K findings."""
    return self.info.findings

  @property
  def sources(self) -> list[str]:
    """Origin of the weights of all models, as texts."""
    return [each.info.source for each in (self, *self._members)]

  @property
  def box_map(self) -> str:
    """Map that boxes are cut from; see `ModelInfo.box_map`."""
    return self.info.box_map

  @property
  def score_cuts(self) -> np.ndarray:
    """The `[K]` probabilities from which on a finding counts as predicted.

    NaN where nobody has chosen any.
    """
    cuts = self.info.score_cuts
    return np.array([cuts.get(name, np.nan) for name in self.findings])

  def predict(
    self,
    images: Images,
    *,
    thresholds: Mapping[str, float] | None = None,
    batch_size: int | None = None,
    laterals: Laterals = "refuse",
  ) -> Predictions:
    """Predict probabilities, maps and boxes of films.

    Args:
      images: a path or a sequence of paths of PNG, JPEG or DICOM files; an
        array `[H, W]`, `[H, W, 1]`, `[H, W, 3]` or `[H, W, 4]` of one film, or
        a sequence of such arrays of any sizes; or a batch `[N, H, W]` or
        `[N, H, W, C]`. Arrays are uint8, uint16 over its full range, or floats
        in 0..1. Of three axes the last is the colour if it is 1, 3 or 4.
      thresholds: finding -> share of the map's pixels below the cut, 0..1;
        by default those that the run has chosen, else from the area of the
        finding's median box in ChestX-ray14.
      batch_size: most films at a time; by default 4 on a CPU, 64 elsewhere.
      laterals: whether a film that its DICOM header calls a lateral view is
        refused, or predicted all the same ("flag").

    Returns:
      The predictions, films in the order given.

    Raises:
      ValueError: an image cannot be read, is refused or of another kind, or a
        threshold is for an unknown finding.
    """
    given = as_list(images)
    cuts = percentiles_of(self.info)[0] | dict(thresholds or {})
    strangers = sorted(cuts.keys() - set(self.findings))
    if strangers:
      raise ValueError(f"thresholds of unknown findings: {strangers}")
    size, shape = self.info.image_size, self.info.shape
    films = [
      open_film(image, size=size, shape=shape, laterals=laterals)
      for image in given
    ]
    found: list[dict[str, Any]] = []
    pairs = ((number, film.image) for number, film in enumerate(films))
    for _, rows in self.stream(pairs, count=len(films), batch_size=batch_size):
      found += rows
    logits = np.stack([row["full_logits"] for row in found])
    probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
    score_cuts = self.score_cuts
    names = found[0]["maps"]
    return Predictions(
      findings=self.findings,
      probabilities=probabilities,
      # A comparison with NaN is false.
      predicted=probabilities >= score_cuts,
      boxes=self._boxes(films, found, cuts),
      maps={n: np.stack([row["maps"][n] for row in found]) for n in names},
      logits=logits,
      score_cuts=score_cuts,
    )

  def _boxes(
    self,
    films: Sequence[Film],
    found: Sequence[dict[str, Any]],
    cuts: Mapping[str, float],
  ) -> np.ndarray:
    """Return `[N, K, 4]` boxes in pixels of each film, NaN where none."""
    boxes = np.full((len(films), len(self.findings), 4), np.nan, np.float32)
    for number, (film, row) in enumerate(zip(films, found)):
      for k, name in enumerate(self.findings):
        cut = cut_box(
          row["maps"][self.box_map][k],
          cuts[name],
          size=self.info.image_size,
          original=film.original.shape,
          shape=self.info.shape,
        )
        if cut["box"] is not None:
          boxes[number, k] = film.told_box(cut["box"])
    return boxes

  def stream(
    self,
    images: Iterable[tuple[Key, np.ndarray]],
    *,
    count: int,
    batch_size: int | None = None,
  ) -> Iterator[tuple[list[Key], list[dict[str, Any]]]]:
    """Predict a stream of films.

    The device computes the next batch while the caller works on this one.

    Args:
      images: a key, such as a file's name, and `[S, S, 1]` uint8 each, S the
        side of the model's input.
      count: most films to expect; few films get a smaller batch.
      batch_size: see `predict`.

    Yields:
      The keys of a batch, and for each key the result of `make_forward` for
      that film, without the batch axis, on the host. Of several models or
      views there are only the mean `full_logits` and `maps`.
    """
    forward, size = self._forward(count, batch_size)
    if self._members or len(self._views) > 1:
      forward = self._averaged(forward, count, size)
    waiting = None
    for keys, batch in batches(images, size=size):
      padding = np.repeat(batch[-1:], size - len(batch), 0)
      found = forward(self.variables, np.concatenate([batch, padding]))
      if waiting is not None:
        yield on_host(*waiting)
      waiting = keys, found
    if waiting is not None:
      yield on_host(*waiting)

  def _averaged(self, forward: Any, count: int, size: int) -> Any:
    """Return a function as `forward`, of all models and views."""
    models = [(forward, self)]
    for member in self._members:
      theirs, their_size = member._forward(count, size)
      if their_size != size:
        least = min(size, their_size)
        raise ValueError(f"not all models fit: give --batch_size={least}")
      models.append((theirs, member))

    def run(_: Any, images: np.ndarray) -> dict[str, Any]:
      logits, maps = [], []
      for view in self._views:
        seen = view.of(images)
        for one, of in models:
          given = reduced(seen, of.info.image_size)
          found = jax.device_get(one(of.variables, given))
          logits.append(found["full_logits"])
          maps.append(view.all_back(found["maps"], self.info.image_size))
      return {"full_logits": mean_logits(logits), "maps": mean_maps(maps)}

    return run

  def _forward(self, count: int, batch_size: int | None) -> tuple[Any, int]:
    """Return the compiled function and its batch size.

    Sizes below the largest are powers of two, so that few are compiled.
    """
    most = batch_size or default_batch_size()
    wanted = min(most, 2 ** (max(count, 1) - 1).bit_length())
    if wanted not in self._forwards:
      self._forwards[wanted] = fitting_forward(
        self.model, self.info, self.variables, wanted
      )
    return self._forwards[wanted]


def load(
  path: str | os.PathLike[str],
  *,
  preset: str | None = None,
  members: Sequence[str | os.PathLike[str]] = (),
  options: MapOptions = AS_DRAWN,
) -> Predictor:
  """Load a model with its weights, or several as an ensemble.

  Args:
    path: a run's workdir, a converted folder, or the authors' `.pth` (or the
      same as `.safetensors`).
    preset: "paper" or "released": whose maps are drawn; by default the
      weights' own.
    members: further such paths, of the same findings and of films as large or
      an integral part. Probabilities and maps are means; thresholds of `path`.
    options: views of a film whose answers are averaged too.

  Returns:
    The model, ready to predict.

  Raises:
    FileNotFoundError: there is no such path.
    ImportError: torch or safetensors is needed and absent.
    ValueError: the path holds no weights, or they do not fit.
  """
  others = [Predictor(*load_model(member, preset)) for member in members]
  return Predictor(*load_model(path, preset), members=others, options=options)
