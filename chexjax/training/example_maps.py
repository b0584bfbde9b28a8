"""A few validation films with their maps and boxes, for TensorBoard."""

import io
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import jax
import numpy as np
from PIL import Image

from chexjax import messages
from chexjax.data.sources import Dataset, Source, label_matrix
from chexjax.inference.boxes import cut_box
from chexjax.inference.forward import make_predict
from chexjax.inference.maps import map_plan
from chexjax.inference.thresholds import default_percentile
from chexjax.progress import Progress
from chexjax.runtime import compile_cache, compile_messages, processes
from chexjax.runtime.sharding import make_mesh, replicated, sharded
from chexjax.systems import Model
from chexjax.training import setup
from chexjax.training.config import Config
from chexjax.training.metrics_writer import MetricsWriter
from chexjax.training.state import TrainState

MOST = 4  # films in a picture
_PICTURES = 8  # of a stage, about
TAG = "validation films"


class Shown(NamedTuple):
  """A film and the finding that is shown on it.

  Attributes:
    row: of the film in its split.
    finding: index of a finding that the film has.
    box: `[4]` its true box in pixels, NaN where it is not known.
  """

  row: int
  finding: int
  box: np.ndarray


def choose(labels: np.ndarray, boxes: np.ndarray | None) -> list[Shown]:
  """Choose the films to show, each with a finding of its own.

  Args:
    labels: `[N, K]`, 1 where a film has a finding; NaN where not known.
    boxes: `[N, K, 4]` of `known_boxes`, None without any.

  Returns:
    Four at most, those with a true box first.
  """
  if boxes is None:
    boxes = np.full((*labels.shape, 4), np.nan)
  boxed = np.isfinite(boxes).all(-1)
  chosen: list[Shown] = []
  for wanted in (boxed, labels > 0):
    for k in range(labels.shape[1]):
      rows = np.flatnonzero(wanted[:, k])
      known = {shown.finding for shown in chosen}
      if len(rows) and k not in known and len(chosen) < MOST:
        chosen.append(Shown(int(rows[0]), k, boxes[rows[0], k]))
  return chosen


class ExampleMaps:
  """Draws the same films at every call, with the maps of that moment."""

  def __init__(
    self,
    model: Model,
    source: Source,
    names: list[str],
    *,
    size: int,
    stage: int,
    kind: str,
    boxes: np.ndarray | None = None,
  ):
    """Choose the films; nothing is compiled before the first call.

    Args:
      model: to be shown.
      source: the validation split.
      names: of the K findings.
      size: side of the films, in pixels.
      stage: 1, 2 or 3; in stage 1 our own model has the saliency map alone.
      kind: "paper" or "released": whose maps.
      boxes: see `known_boxes`.
    """
    self._source, self._names, self._size = source, names, size
    self._shown = choose(label_matrix(source), boxes)
    self._failed = False
    whole = stage > 1
    self._plan = map_plan(model, size, kind=kind, whole=whole)
    self._mesh = make_mesh(jax.local_devices()[:1])
    stage = 3 if whole else 1
    # The same program as that of `scoring`, for fewer films.
    self._predict = compile_cache.at_first_call(
      make_predict(model, self._mesh, stage=stage, keep=self._plan.keep),
      repr((model, stage, self._plan.keep)),
      compile_messages.told("example maps"),
    )

  def draw(self, variables: Any) -> np.ndarray | None:
    """Draw the films with maps, boxes cut from them, and true boxes.

    A map is cut where `predict` would cut it without thresholds of its own: at
    the area of the finding's median box.

    Args:
      variables: of the model.

    Returns:
      `[H, W, 3]` uint8; None without films, or after a failure, of which
      there is one warning.
    """
    if self._failed or not self._shown:
      return None
    try:
      with Progress("drawing example maps"):
        return self._draw(variables)
    except Exception as error:  # Of any kind: fonts, memory, a film, ...
      self._failed = True
      messages.warn(f"note: no example maps in TensorBoard: {error}")
      return None

  def _draw(self, variables: Any) -> np.ndarray:
    # Here, since matplotlib is loaded with it.
    from chexjax.report.figures import Case, example_grid

    films = np.stack([self._source[s.row]["image"] for s in self._shown])
    _, found = self._predict(
      jax.device_put(jax.device_get(variables), replicated(self._mesh)),
      jax.device_put(films, sharded(self._mesh)),
      {},
    )
    found = jax.device_get(found)
    cases = []
    for place, shown in enumerate(self._shown):
      maps = self._plan.named({n: x[place] for n, x in found.items()})
      name = self._names[shown.finding]
      heat = {n: np.asarray(m[shown.finding]) for n, m in maps.items()}
      cases.append(
        Case(
          image=films[place],
          maps=heat,
          predicted={n: self._box(m, name) for n, m in heat.items()},
          true=shown.box if np.isfinite(shown.box).all() else None,
          title=name,
        )
      )
    file = io.BytesIO()
    example_grid(file, cases)
    return np.asarray(Image.open(file).convert("RGB"))

  def _box(self, heat: np.ndarray, finding: str) -> list[float] | None:
    found = cut_box(
      heat,
      default_percentile(finding),
      size=self._size,
      original=(self._size, self._size),
    )
    box: list[float] | None = found["box"]
    return box


def illustrator(
  config: Config,
  model: Model,
  dataset: Dataset,
  writer: MetricsWriter,
  *,
  stage: int,
  steps: int,
  boxes: np.ndarray | None,
  interrupted: Callable[[], AbstractContextManager[None]],
) -> Callable[[int, TrainState], None]:
  """Build what writes example maps to TensorBoard, some eight times a stage.

  Args:
    config: of the run; without `num_examples` there are none, nor in a run of
      several processes.
    model: to be shown.
    dataset: of the run.
    writer: of the stage.
    stage: 1, 2 or 3.
    steps: of the stage.
    boxes: see `known_boxes`.
    interrupted: inside what it returns a signal ends the drawing.

  Returns:
    A function of a step that was validated and the state after it.
  """
  films = dataset.splits.get("validation")
  # Of several processes the others would wait in their next step, and give up.
  if films is None or not config.num_examples or not processes.alone():
    return lambda step, state: None
  examples = ExampleMaps(
    model,
    films,
    list(dataset.metadata["findings"]),
    size=config.image_size,
    stage=stage,
    kind=config.maps,
    boxes=boxes,
  )
  every = setup.eval_every(config, len(dataset.splits["train"]))
  apart = every * math.ceil(steps / every / _PICTURES)

  def illustrate(step: int, state: TrainState) -> None:
    if step != steps and step % apart:
      return
    variables = {"params": state.params, "batch_stats": state.batch_stats}
    with interrupted():
      picture = examples.draw(variables)
    if picture is not None:
      writer.image(step, TAG, picture)

  return illustrate
