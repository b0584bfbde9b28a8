"""Faults in the input, collected so that a person sees all of them at once."""

from collections.abc import Iterable

_SHOWN = 20


class Faults(list[str]):
  """The faults found so far, one sentence each."""

  def raise_if_any(self, folder: object) -> None:
    """Raise one ValueError that shows the first 20 faults and their count."""
    if self:
      raise ValueError(self.message(folder))

  def message(self, folder: object) -> str:
    """Return the count of the faults, the first 20 and how to see the rest."""
    noun = "fault" if len(self) == 1 else "faults"
    return (
      f"{len(self)} {noun} in {folder}; nothing was built.\n"
      f"{bullets(self)}\n"
      f"`python -m tfds_chestxray14.check {folder}` lists all of them."
    )


def bullets(lines: Iterable[str], shown: int = _SHOWN) -> str:
  """Return the first lines as a list, then how many were left out."""
  lines = list(lines)
  text = [f"  - {line}" for line in lines[:shown]]
  if len(lines) > shown:
    text.append(f"  ... and {len(lines) - shown} more")
  return "\n".join(text)
