"""The models of an ensemble, ready to see the films of a split."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from chexjax.data.sources import Dataset
from chexjax.inference.forward import make_predict
from chexjax.inference.maps import REGIONS
from chexjax.inference.placing import measure_prior
from chexjax.models import ChexModel, Logits
from chexjax.runtime import compile_cache
from chexjax.runtime.sharding import shard_batch

UNTRAINED_REGIONS = tuple(f"untrained_{name}" for name in REGIONS)


class Member(NamedTuple):
  """A model of an ensemble.

  Attributes:
    model: the linen module.
    variables: of the model, on the mesh.
  """

  model: ChexModel
  variables: Any


class Ready:
  """A member with its compiled forward passes, without and with the control.

  They differ in the fresh detection head, whose maps only boxed images need.
  It costs more than the trained head, and few of NIH's films have a box.
  """

  def __init__(self, member: Member, mesh: Mesh, *, whole: bool):
    """Build the forward passes; they are compiled when they are first run.

    Args:
      member: the model.
      mesh: with an axis `data`.
      whole: whether it has a trained detection head.
    """
    model, stage = member.model, 3 if whole else 1

    def make(keep: tuple[str, ...], *, control: bool) -> Callable[..., Any]:
      predict = make_predict(
        model, mesh, stage=stage, keep=keep, control=control
      )
      return compile_cache.at_first_call(predict, repr((model, stage, keep)))

    keep: tuple[str, ...] = ("saliency_logits", *(REGIONS if whole else ()))
    self._variables = member.variables
    self._plain = self._control = make(keep, control=False)
    if whole:
      self._control = make((*keep, *UNTRAINED_REGIONS), control=True)

  def run(
    self, images: jax.Array, *, control: bool
  ) -> tuple[Logits, Mapping[str, jax.Array]]:
    """See some films.

    Args:
      images: `[B, S, S, 1]` uint8.
      control: whether the fresh detection head runs too, if there is a trained
        one.

    Returns:
      The logits, and intermediates by name.
    """
    forward = self._control if control else self._plain
    result: tuple[Logits, Mapping[str, jax.Array]] = forward(
      self._variables, images
    )
    return result


def place_prior(
  ensemble: Sequence[Ready], mesh: Mesh, dataset: Dataset, *, batch_size: int
) -> np.ndarray:
  """Return the place prior of the models' mean saliency.

  Args:
    ensemble: the models.
    mesh: with an axis `data`.
    dataset: with a split `train`.
    batch_size: films at a time, a multiple of the mesh's devices.

  Returns:
    As `placing.measure_prior`.

  Raises:
    ValueError: there is no training film, or none has a finding.
  """
  if "train" not in dataset.splits:
    raise ValueError(
      "a place prior is of training films, and the folder has none; give "
      "--prior=0"
    )

  def saliency(images: np.ndarray) -> np.ndarray:
    given = shard_batch(images, mesh)
    found = [each.run(given, control=False)[1] for each in ensemble]
    return np.mean([np.asarray(x["saliency_logits"]) for x in found], 0)

  return measure_prior(saliency, dataset.splits["train"], batch_size=batch_size)
