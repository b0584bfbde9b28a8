"""The models of an ensemble, ready to see the films of a split."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from chexjax.inference.forward import control_heads, make_predict
from chexjax.inference.maps import MapPlan
from chexjax.inference.views import reduced
from chexjax.runtime import compile_cache, compile_messages
from chexjax.runtime.sharding import shard_batch
from chexjax.systems import Model


class Member(NamedTuple):
  """A model of an ensemble.

  Attributes:
    model: our own, or a system.
    variables: of the model, on the mesh.
    size: side of the films that it sees, in pixels.
  """

  model: Model
  variables: Any
  size: int


class Ready:
  """A member with its compiled forward passes, without and with all maps.

  Only the maps of boxed images are scored, and few of NIH's films have a box.
  The logits of the others need neither proposals nor fresh heads, which cost
  more than the rest.
  """

  def __init__(self, member: Member, mesh: Mesh, plan: MapPlan, *, stage: int):
    """Build the forward passes; they are compiled when they are first run.

    Args:
      member: the model.
      mesh: with an axis `data`.
      plan: of its maps.
      stage: last stage that the variables were trained in.
    """
    model = member.model

    def make(stage: int, keep: tuple[str, ...]) -> Callable[..., Any]:
      control = any(name.startswith("untrained_") for name in keep)
      predict = make_predict(
        model, mesh, stage=stage, keep=keep, control=control
      )
      return compile_cache.at_first_call(
        predict, repr((model, stage, keep)), compile_messages.told("scoring")
      )

    self._mesh, self._size, self.plan = mesh, member.size, plan
    self._variables = member.variables
    self._heads = control_heads(model, member.size)
    fresh = tuple(f"untrained_{name}" for name in plan.heads)
    self._first = plan.keep[0]
    self._plain = make(1, (self._first,))
    self._maps = make(3 if stage > 1 else 1, (*plan.keep, *fresh))

  def run(
    self, images: np.ndarray, *, maps: bool
  ) -> tuple[jax.Array, Mapping[str, jax.Array]]:
    """See some films.

    Args:
      images: `[B, S, S, 1]` uint8, S the model's side or a multiple of it.
      maps: whether the intermediates of all maps are computed, those of the
        fresh heads included; else there is only that of the first map.

    Returns:
      The logits `[B, K]` of the full images, and intermediates by name.
    """
    forward = self._maps if maps else self._plain
    result: tuple[jax.Array, Mapping[str, jax.Array]] = forward(
      self._variables,
      shard_batch(reduced(images, self._size), self._mesh),
      self._heads,
    )
    return result

  def first_map(self, images: np.ndarray) -> np.ndarray:
    """Return the map `[B, K, h, w]` that all others come of, as logits."""
    found = self.run(images, maps=False)[1]
    return np.asarray(found[self._first])
