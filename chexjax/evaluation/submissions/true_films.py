"""What a submission is held against: the films to score, and their truth."""

from collections.abc import Sequence
from typing import Any, Protocol

from chexjax.evaluation.collected.truth import Truth
from chexjax.evaluation.submissions.faults import Faults

# Side of the frame in which ChestX-ray14's boxes are given, and in which the
# boxes of a submission are measured.
FRAME = 1024


class TrueFilms(Protocol):
  """The films to score, of ChestX-ray14's lists or of a set of one's own.

  Attributes:
    keys: `[N]` names of the films to score, as `Truth.images` has them.
    list_name: what a message calls the list of these films.
    findings: `[K]` names.
    boxed_findings: the findings that are localised.
  """

  @property
  def keys(self) -> Sequence[str]:
    """The names of the films to score."""

  @property
  def list_name(self) -> str:
    """What a message calls the list of these films."""

  @property
  def findings(self) -> Sequence[str]:
    """The names of the findings."""

  @property
  def boxed_findings(self) -> Sequence[str]:
    """The findings that are localised."""

  def key(self, name: str) -> str:
    """Return the key of a film by the name that a submission gives it.

    Args:
      name: with or without an ending.

    Returns:
      The key; the name itself where no film has it.
    """

  def knows(self, name: str, file: str, faults: Faults) -> bool:
    """Return whether a film is scored; add a fault if it is not.

    Args:
      name: of the film.
      file: of the submission that names it.
      faults: gets a film that is unknown, or not to be scored.

    Returns:
      Whether the film is scored.
    """

  def boxed(self) -> list[str]:
    """Return the films to score that carry boxes.

    Returns:
      Their keys, in the order of `keys`.
    """

  def size(self, key: str) -> tuple[int, int]:
    """Return the image in whose pixels a submission gives its boxes.

    Args:
      key: of a film.

    Returns:
      Width and height in pixels.
    """

  def truth(self, frame: int) -> Truth:
    """Return what `evaluate` needs.

    Args:
      frame: side of the frame of the boxes, in pixels.

    Returns:
      The `Truth` of the films to score.
    """

  def provenance(self) -> dict[str, Any]:
    """Return where the truth is from.

    Returns:
      What the results keep under `provenance.dataset`.
    """
