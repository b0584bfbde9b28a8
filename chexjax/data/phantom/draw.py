"""One example: a film of the plan, drawn."""

from typing import NamedTuple

import numpy as np

from chexjax.data.phantom.anatomy import (
  sample_anatomy,
  sample_patient,
  sample_pose,
)
from chexjax.data.phantom.canvas import Canvas
from chexjax.data.phantom.chest import draw_chest
from chexjax.data.phantom.distractors import add_distractors
from chexjax.data.phantom.exposure import expose
from chexjax.data.phantom.findings import PAINTERS, paint
from chexjax.data.phantom.sampling import Film, plan_films
from chexjax.types import FINDINGS

# Range of a finding's uniform conspicuity; 1 is ordinary.
CONSPICUITY = (0.5, 1.2)


class PhantomExample(NamedTuple):
  """A drawn film with its true labels and boxes.

  Attributes:
    image: `[size, size]` uint8.
    labels: `[14]` float32 in the order of `FINDINGS`, 1 where present.
    boxes: finding to `[4]` float32 x1, y1, x2, y2 in pixels of `image`;
      every drawn finding has one, boxed in ChestX-ray14 or not.
    film: patient, follow-up, age, sex, view, findings, list.
  """

  image: np.ndarray
  labels: np.ndarray
  boxes: dict[str, np.ndarray]
  film: Film


def draw_example(
  seed: int = 0,
  index: int = 0,
  *,
  size: int = 128,
  findings: tuple[str, ...] | None = None,
  prevalence: str = "balanced",
) -> PhantomExample:
  """Draw the image that `write_phantom` writes as number `index`.

  Args:
    seed: of everything.
    index: number of the image in the plan, from 0.
    size: pixels a side, a multiple of 32 between 64 and 1024.
    findings: drawn instead of the planned ones; () draws a healthy chest.
    prevalence: "balanced" or "natural", as given to `write_phantom`.

  Returns:
    The film.

  Raises:
    ValueError: the size is out of range or a finding is unknown.
  """
  check_size(size)
  if index < 0:
    raise ValueError(f"index must be 0 or more, got {index}")
  film = plan_films(index + 1, seed=seed, prevalence=prevalence)[index]
  if findings is not None:
    unknown = [name for name in findings if name not in FINDINGS]
    if unknown:
      raise ValueError(f"unknown findings {unknown}; there are {FINDINGS}")
    names = tuple(name for name in FINDINGS if name in findings)
    film = film._replace(findings=names)
  return draw_film(film, seed=seed, size=size)


def draw_film(film: Film, *, seed: int, size: int) -> PhantomExample:
  """Draw one film of a plan.

  Args:
    film: what to draw.
    seed: of the plan.
    size: pixels a side; it changes only the sharpness.

  Returns:
    The film.
  """

  def stream(*key: int) -> np.random.Generator:
    return np.random.default_rng([seed, *key])

  one = (film.patient, film.follow_up)
  patient = sample_patient(stream(1, film.patient), film.sex)
  shape = stream(2, *one)
  anatomy = sample_anatomy(shape, patient, film.view, film.findings)
  canvas = Canvas(size, sample_pose(shape, film.view))
  scene = draw_chest(canvas, anatomy, shape)
  boxes = {}
  for name in PAINTERS:
    if name in film.findings:
      # With its own random stream a finding does not depend on the others.
      rng = stream(3, *one, FINDINGS.index(name))
      strength = float(rng.uniform(*CONSPICUITY))
      boxes[name] = paint(scene, name, rng, strength)
  scene.density += np.float32(0.13) * scene.vessels
  add_distractors(scene, stream(4, *one))
  image = expose(
    canvas,
    scene.density,
    film.view,
    stream(5, *one),
    stream(6, *one, size),
  )
  labels = np.array([name in film.findings for name in FINDINGS], np.float32)
  return PhantomExample(image, labels, boxes, film)


def check_size(size: int) -> None:
  """Raise a ValueError unless `size` is a multiple of 32 in 64..1024."""
  if size % 32 or not 64 <= size <= 1024:
    raise ValueError(
      f"size must be a multiple of 32 between 64 and 1024, got {size}"
    )
