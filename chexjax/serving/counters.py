"""What a node has counted, as Prometheus reads it."""

import threading
from collections.abc import Mapping

_HELP = {
  "received": "Films that were stored in the queue.",
  "refused": "Films that were not taken because the queue was full.",
  "rejected": "Films that could not be stored for another reason.",
  "predicted": "Films whose results were made.",
  "failed": "Films that could not be predicted.",
  "sent": "Results that the peer has taken.",
  "not_sent": "Attempts to send that failed and are repeated.",
  "given_up": "Results that the peer has refused too often.",
}
_LEVELS = {
  "waiting": "Films that wait for their prediction.",
  "unsent": "Films whose results the peer does not have yet.",
  "failures": "Films and results in the folder failed.",
  "resident_bytes": "Memory of the process.",
}


class Counters:
  """Counts since the start; safe for threads."""

  def __init__(self) -> None:
    """Start at zero."""
    self._lock = threading.Lock()
    self._counts = dict.fromkeys(_HELP, 0)

  def add(self, name: str, number: int = 1) -> None:
    """Count something."""
    with self._lock:
      self._counts[name] += number

  def read(self) -> dict[str, int]:
    """Return every count."""
    with self._lock:
      return dict(self._counts)


def prometheus_text(
  counts: Mapping[str, int], levels: Mapping[str, int]
) -> str:
  """Return counts and levels in Prometheus' text format.

  Args:
    counts: of `Counters.read`.
    levels: what goes up and down.
  """
  lines = []
  for name, value in counts.items():
    full = f"chexjax_{name}_total"
    lines += [f"# HELP {full} {_HELP[name]}", f"# TYPE {full} counter"]
    lines.append(f"{full} {value}")
  for name, value in levels.items():
    full = f"chexjax_{name}"
    lines += [f"# HELP {full} {_LEVELS[name]}", f"# TYPE {full} gauge"]
    lines.append(f"{full} {value}")
  return "\n".join(lines) + "\n"
