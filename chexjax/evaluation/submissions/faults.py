"""All faults of a submission at once, by kind, before any work is done."""

import difflib
import pathlib
from collections.abc import Sequence


def near(name: str, findings: Sequence[str]) -> str:
  """Return an unknown finding, quoted, with the finding it may mean.

  Args:
    name: that is no finding.
    findings: the names that there are.

  Returns:
    The text of a message.
  """
  close = difflib.get_close_matches(name, findings, 1)
  return f"{name!r}" + (f" (did you mean {close[0]}?)" if close else "")


class Faults:
  """Faults by kind: `scores.csv: not a number` -> the places."""

  def __init__(self) -> None:
    """Start without faults."""
    self._kinds: dict[str, list[str]] = {}

  def add(self, kind: str, place: str = "") -> None:
    """Add one fault.

    Args:
      kind: what is wrong, the same text for all faults of a kind.
      place: where it is wrong; empty where the kind says it.
    """
    self._kinds.setdefault(kind, []).append(place)

  def __len__(self) -> int:
    """Return the number of faults."""
    return sum(map(len, self._kinds.values()))

  def message(self, folder: pathlib.Path, *, shown: int = 5) -> str:
    """Return every kind with its count and its first places.

    Args:
      folder: of the submission.
      shown: places named of each kind.

    Returns:
      One line per kind, and a line above them.
    """
    noun = "fault" if len(self) == 1 else "faults"
    lines = [f"{len(self):,} {noun} in {folder}; nothing was scored."]
    for kind, places in self._kinds.items():
      places = [place for place in places if place]
      if not places:
        lines.append(f"  - {kind}")
        continue
      rest = len(places) - shown
      more = f", and {rest:,} more" if rest > 0 else ""
      where = ", ".join(places[:shown])
      lines.append(f"  - {kind} ({len(places):,}): {where}{more}")
    return "\n".join(lines)

  def all_lines(self) -> str:
    """Return every single fault.

    Returns:
      One line per fault.
    """
    lines = [
      f"{kind}: {place}" if place else kind
      for kind, places in self._kinds.items()
      for place in places
    ]
    return "\n".join(lines) + "\n"
