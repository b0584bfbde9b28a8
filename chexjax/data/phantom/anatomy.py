"""The numbers and the shape of one chest.

All lengths are fractions of the image in the anatomic frame (see canvas.py).
The patient's right lung is on the left of the image, as on any film.
"""

import dataclasses
import math
from typing import NamedTuple

import numpy as np

from chexjax.data.phantom.canvas import Pose


class Patient(NamedTuple):
  """The numbers that are the same in all images of one patient.

  Attributes:
    sex: "F" or "M".
    half_width: of the ribcage at its widest, inner side.
    asymmetry: how much wider the right lung is, as a factor minus 1.
    apex: y of the lungs' top.
    dome: y of the right dome of the diaphragm.
    dome_gap: how much lower the left dome is.
    heart_ratio: heart width over thorax width on a PA film.
    build: 0 slim .. 1 stout.
    rib_gap: distance from rib to rib.
  """

  sex: str
  half_width: float
  asymmetry: float
  apex: float
  dome: float
  dome_gap: float
  heart_ratio: float
  build: float
  rib_gap: float


@dataclasses.dataclass(frozen=True)
class Anatomy:
  """One chest on one film, ready to be drawn.

  Attributes:
    sex: "F" or "M".
    view: "AP" or "PA".
    half_widths: ribcage, (right, left).
    apex: y of the lungs' top.
    domes: y of the diaphragm, (right, left).
    sulcus: how far below its dome the diaphragm meets the wall.
    heart_ratio: heart width over thorax width.
    heart_apex: how far down the heart reaches furthest to the left, 0..1.
    build: 0 slim .. 1 stout.
    rib_gap: distance from rib to rib.
    air: how much darker the lungs are than soft tissue.
    vessels: strength of the vessels, 1 is ordinary.
  """

  sex: str
  view: str
  half_widths: tuple[float, float]
  apex: float
  domes: tuple[float, float]
  sulcus: float
  heart_ratio: float
  heart_apex: float
  build: float
  rib_gap: float
  air: float
  vessels: float

  @property
  def heart_size(self) -> tuple[float, float]:
    """Width and height of the heart's shadow."""
    width = self.heart_ratio * sum(self.half_widths)
    return width, 0.52 * width + 0.125

  @property
  def heart_centre(self) -> tuple[float, float]:
    """Centre of the heart's shadow; it rests on the diaphragm."""
    width, height = self.heart_size
    floor = sum(self.domes) / 2 + 0.055
    return 0.5 + 0.15 * width, floor - height / 2

  def wall(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the horizontal distance inwards from the ribcage.

    Args:
      x: anatomic x, any shape.
      y: anatomic y, of the same shape.

    Returns:
      Same shape; negative outside.
    """
    right, left = self.half_widths
    widest = 0.60
    up = (widest - y) * np.float32(1 / (widest - self.apex + 0.02))
    down = (y - widest) * np.float32(1.6)
    q = np.clip(np.maximum(up, down), 0, 1)
    half = np.where(x < 0.5, np.float32(right), np.float32(left))
    return half * np.sqrt(1 - q * q) - np.abs(x - np.float32(0.5))

  def diaphragm(self, x: np.ndarray) -> np.ndarray:
    """Return the y of the diaphragm at `x`, same shape."""
    right, left = self.domes
    arm = (np.abs(x - np.float32(0.5)) - np.float32(0.15)) * np.float32(4.4)
    dome = np.where(x < 0.5, np.float32(right), np.float32(left))
    return dome + np.float32(self.sulcus) * arm * arm

  def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the depth of a point inside a lung.

    The lungs end at the mediastinum. The heart does not limit them: there is
    lung behind it, and a finding there shines through.

    Args:
      x: anatomic x, any shape.
      y: anatomic y, of the same shape.

    Returns:
      Same shape; negative outside.
    """
    offset = np.abs(x - np.float32(0.5))
    top = np.float32(self.apex) + 2.5 * (offset - np.float32(0.14)) ** 2
    edges = np.minimum(self.wall(x, y), y - top)
    edges = np.minimum(edges, self.diaphragm(x) - y)
    return np.minimum(edges, offset - np.float32(0.035))


def sample_patient(rng: np.random.Generator, sex: str) -> Patient:
  """Draw the body of a patient.

  Args:
    rng: source of randomness.
    sex: "F" or "M".

  Returns:
    The patient.
  """
  small = 0.012 if sex == "F" else 0.0
  return Patient(
    sex=sex,
    half_width=_normal(rng, 0.385 - small, 0.018, 2),
    asymmetry=_normal(rng, 0.0, 0.025, 2),
    apex=_normal(rng, 0.125, 0.018, 2),
    dome=_normal(rng, 0.655, 0.035, 2),
    dome_gap=_normal(rng, 0.02, 0.012, 2),
    heart_ratio=_normal(rng, 0.41, 0.03, 2),
    build=float(rng.uniform()),
    rib_gap=_normal(rng, 0.066, 0.005, 2),
  )


def sample_anatomy(
  rng: np.random.Generator,
  patient: Patient,
  view: str,
  findings: tuple[str, ...],
) -> Anatomy:
  """Draw the chest on one film of a patient.

  Cardiomegaly and emphysema change the chest itself. An AP film is taken lying
  or sitting: with less breath and a magnified heart.

  Args:
    rng: source of randomness.
    patient: whose chest it is.
    view: "AP" or "PA".
    findings: on this film.

  Returns:
    The chest.
  """
  ap = view == "AP"
  half = patient.half_width + _normal(rng, -0.01 * ap, 0.006, 2)
  dome = patient.dome + _normal(rng, -0.025 * ap, 0.018, 2)
  apex = patient.apex + _normal(rng, 0.01 * ap, 0.008, 2)
  ratio = patient.heart_ratio + _normal(rng, 0.04 * ap, 0.015, 2)
  sulcus = _normal(rng, 0.085, 0.012, 2)
  air = _normal(rng, 0.31, 0.02, 2)
  vessels = _normal(rng, 1.0, 0.2, 2)
  if "Cardiomegaly" in findings:
    ratio = float(rng.uniform(0.54, 0.69))
  if "Emphysema" in findings:
    degree = float(rng.uniform(0.55, 1.1))
    half += 0.022 * degree
    dome += 0.075 * degree
    apex -= 0.02 * degree
    sulcus *= 1 - 0.7 * degree
    air += 0.07 * degree
    vessels *= 1 - 0.55 * degree
    if "Cardiomegaly" not in findings:
      ratio -= 0.07 * degree
  gap = patient.dome_gap
  return Anatomy(
    sex=patient.sex,
    view=view,
    half_widths=(
      half * (1 + patient.asymmetry),
      half * (1 - patient.asymmetry),
    ),
    apex=apex,
    domes=(dome, dome + gap),
    sulcus=sulcus,
    heart_ratio=ratio,
    heart_apex=_normal(rng, 0.84, 0.05, 2),
    build=patient.build,
    rib_gap=patient.rib_gap,
    air=air,
    vessels=vessels,
  )


def sample_pose(rng: np.random.Generator, view: str) -> Pose:
  """Draw how the patient lies on the film; on AP films less straight.

  Args:
    rng: source of randomness.
    view: "AP" or "PA".

  Returns:
    The pose.
  """
  loose = 1.5 if view == "AP" else 1.0
  return Pose(
    angle=math.radians(_normal(rng, 0, 1.8 * loose, 2.5)),
    scale=_normal(rng, 1.0, 0.035 * loose, 2),
    dx=_normal(rng, 0, 0.014 * loose, 2.5),
    dy=_normal(rng, 0, 0.018 * loose, 2.5),
  )


def _normal(
  rng: np.random.Generator, mean: float, deviation: float, reach: float
) -> float:
  """Draw a normal number, clipped at `reach` deviations from the mean."""
  z = min(max(float(rng.standard_normal()), -reach), reach)
  return mean + deviation * z
