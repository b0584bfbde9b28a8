"""All faults of an input at once, in kinds, before any work is done."""

import difflib
import pathlib

from tfds_chestxray14.findings import FINDINGS


def near(name: str) -> str:
  """Returns a finding that is none, with the one it may mean."""
  close = difflib.get_close_matches(name, FINDINGS, 1)
  return f"{name!r}" + (f" (did you mean {close[0]}?)" if close else "")


class Faults:
  """Faults by kind: `scores.csv: not a number` -> the places."""

  def __init__(self) -> None:
    """Starts empty."""
    self._kinds: dict[str, list[str]] = {}

  def add(self, kind: str, place: str = "") -> None:
    """Notes one fault."""
    self._kinds.setdefault(kind, []).append(place)

  def __len__(self) -> int:
    """Returns how many faults there are."""
    return sum(map(len, self._kinds.values()))

  def message(self, folder: pathlib.Path, shown: int = 5) -> str:
    """Returns every kind with its count and its first places."""
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
    """Returns every single fault, one a line."""
    lines = [
      f"{kind}: {place}" if place else kind
      for kind, places in self._kinds.items()
      for place in places
    ]
    return "\n".join(lines) + "\n"
