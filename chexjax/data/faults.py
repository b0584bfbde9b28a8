"""Faults of somebody's files: all are collected, the first twenty are shown."""

import pathlib
import tempfile
from collections.abc import Sequence

SHOWN = 20


def fault_text(
  what: object, faults: Sequence[str], *, keep: pathlib.Path | None = None
) -> str:
  """Return what an error says of many faults; write the rest to a file.

  Args:
    what: has the faults, such as a folder.
    faults: at least one.
    keep: folder for the file, made if it is missing; by default, or where it
      cannot be written, the system's folder of temporary files.

  Returns:
    The number of faults, the first `SHOWN` of them and where the others are.
  """
  count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
  lines = [f"{count} in {what}:"]
  lines += [f"  - {fault}" for fault in faults[:SHOWN]]
  if len(faults) > SHOWN:
    rest = f"  ... and {len(faults) - SHOWN} more"
    path = _write(faults, keep)
    lines.append(f"{rest}; all of them are in {path}" if path else rest)
  return "\n".join(lines)


def _write(
  faults: Sequence[str], keep: pathlib.Path | None
) -> pathlib.Path | None:
  """Write all faults to a new file; None where no folder can be written."""
  for folder in (keep, pathlib.Path(tempfile.gettempdir())):
    if folder is None:
      continue
    try:
      folder.mkdir(parents=True, exist_ok=True)
      with tempfile.NamedTemporaryFile(
        "w",
        dir=folder,
        prefix="faults-",
        suffix=".txt",
        delete=False,
        encoding="utf-8",
        errors="backslashreplace",
      ) as file:
        file.writelines(f"{fault}\n" for fault in faults)
      return pathlib.Path(file.name)
    except OSError:
      continue
  return None
