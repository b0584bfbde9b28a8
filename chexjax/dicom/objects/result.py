"""What the objects of a film say: its findings, and who found them."""

import dataclasses
import functools
import hashlib


@dataclasses.dataclass(frozen=True)
class Algorithm:
  """Who made the predictions, and with which settings.

  Attributes:
    version: of chexjax.
    weights: origin of the weights, as text.
    weights_sha256: of their values, 64 hexadecimal digits.
    settings: what else the predictions depend on, one sentence each, such as
      the preset.
    thresholds: of every finding, as text; see `Finding.settings`.
  """

  version: str
  weights: str
  weights_sha256: str
  settings: tuple[str, ...] = ()
  thresholds: str = ""

  @functools.cached_property
  def digest(self) -> str:
    """Of version, weights and settings; equal digests make equal objects."""
    parts = self.version, self.weights_sha256, *self.settings, self.thresholds
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()

  @property
  def parameters(self) -> tuple[str, ...]:
    """Weights and settings as texts, for the objects."""
    return (
      f"Weights: {self.weights}",
      f"SHA-256 of the weights: {self.weights_sha256}",
      "Probability is an uncalibrated score: the sigmoid of the model's output",
      *self.settings,
    )


@dataclasses.dataclass(frozen=True)
class Finding:
  """What is predicted of one finding of a film.

  Attributes:
    name: as the model has it.
    probability: 0..1, not calibrated.
    predicted: whether it reaches its cut; None where nobody has chosen one.
    box: x1, y1, x2, y2 in stored pixels of the film, from its upper left
      corner, x2 and y2 exclusive; None where there is none to show.
    drawn: whether the box is drawn over the film. Where no cut is chosen, that
      is so of the most probable findings only.
    settings: thresholds of this finding, one sentence each.
  """

  name: str
  probability: float
  predicted: bool | None
  box: tuple[float, float, float, float] | None
  drawn: bool
  settings: tuple[str, ...] = ()

  @property
  def label(self) -> str:
    """Name and score, such as `Pleural Thickening 0.31`."""
    return f"{self.name.replace('_', ' ')} {self.probability:.2f}"
