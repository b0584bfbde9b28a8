"""List what is kept in the cache, or remove what was not used for long.

chexjax cache
chexjax cache --prune --days=30

Phantoms, records and programs are made anew when they are needed again.
"""

import collections
import dataclasses
import pathlib
import sys
from collections.abc import Sequence

from chexjax.commands.console import run_command, set_up_process
from chexjax.commands.options import parse
from chexjax.runtime.cache_folder import entries, prune
from chexjax.runtime.cache_home import DEFAULT, cache_home

_DAYS = 30.0


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `cache`."""

  prune: bool = False
  """Remove what was not used for --days."""
  days: float | None = None
  """Days without use, 30 by default; 0 removes everything."""
  cache_dir: pathlib.Path = DEFAULT
  """The folder that runs are given by the same name."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="cache", description=__doc__)
  if options.days is not None and (options.days < 0 or not options.prune):
    print(
      f"error: --days={options.days} must be at least 0, and needs --prune",
      file=sys.stderr,
    )
    return 2
  set_up_process()
  try:
    cache = cache_home(options.cache_dir)
  except ValueError as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  found = entries(cache)
  if not found:
    print(f"{cache} holds nothing")
    return 0
  sizes: dict[str, int] = collections.Counter()
  for entry in found:
    sizes[entry.kind] += entry.size
    if entry.kind in ("phantom", "records"):
      print(
        f"{entry.size / 1e6:8.0f} MB  {entry.idle:5.0f} days idle  {entry.path}"
      )
  for kind, size in sorted(sizes.items()):
    count = sum(entry.kind == kind for entry in found)
    print(f"{size / 1e6:8.0f} MB  {kind}, {count}")
  if options.prune:
    removed = prune(cache, days=_DAYS if options.days is None else options.days)
    size = sum(entry.size for entry in removed)
    print(f"removed {len(removed)} of {len(found)}, {size / 1e6:.0f} MB")
  return 0


if __name__ == "__main__":
  sys.exit(run_command(main))
