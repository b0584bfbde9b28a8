"""What is needed besides the variables to use a model."""

import dataclasses
from typing import Any

from chexjax.systems import OURS, SYSTEMS


@dataclasses.dataclass(frozen=True)
class ModelInfo:
  """What is needed besides the variables to use a model.

  Attributes:
    findings: names of the classes, in order.
    preset: "paper" or "released": whose detection and final map to draw.
    image_size: side of the input, in pixels.
    stage: 1 if only the classification module is trained, else 3.
    options: fields of `ChexModel` that are not its defaults.
    source: origin of the weights, as text.
    counters: PyTorch's batch counters by name, for conversion back.
    shape: how a film becomes the square input; see `data.framing`.
    percentiles: finding -> share of the map's pixels below the cut of its box,
      0..1, as chosen when the run was scored; may be empty.
    score_cuts: finding -> probability from which on it counts as predicted,
      chosen likewise; may be empty.
    system: "chexjax", or a name in `systems.SYSTEMS`.
    drawn: whether it was trained on drawn films alone, the phantom's.
  """

  findings: tuple[str, ...]
  preset: str
  image_size: int
  stage: int
  options: dict[str, Any]
  source: str
  counters: dict[str, int] = dataclasses.field(default_factory=dict)
  shape: str = "squeeze"
  percentiles: dict[str, float] = dataclasses.field(default_factory=dict)
  score_cuts: dict[str, float] = dataclasses.field(default_factory=dict)
  system: str = OURS
  drawn: bool = False

  @property
  def box_map(self) -> str:
    """The map that boxes are cut from: `mix`, or `sal` where it is alone.

    Of another system the first of its maps.
    """
    return box_map_of(self.stage, system=self.system)


def box_map_of(stage: int, *, system: str = OURS) -> str:
  """Return the map that boxes are cut from.

  Args:
    stage: the last that was trained.
    system: see `ModelInfo`.

  Returns:
    Its name.
  """
  if system != OURS:
    return next(iter(SYSTEMS[system].maps))
  return "mix" if stage > 1 else "sal"


def check_member(info: ModelInfo, first: ModelInfo) -> None:
  """Check that a model's answers can be averaged with another one's.

  Args:
    info: of the model.
    first: of the other one.

  Raises:
    ValueError: they differ; says in what.
  """
  for name in ("findings", "stage", "shape", "preset", "system"):
    there, here = getattr(info, name), getattr(first, name)
    if there != here:
      raise ValueError(
        f"--members: {info.source} has {name} {there}, {first.source} has "
        f"{here}"
      )
  if first.image_size % info.image_size:
    raise ValueError(
      f"--members: {info.source} sees films of {info.image_size} px, "
      f"{first.source} of {first.image_size} px; name first the model of the "
      "largest films"
    )
