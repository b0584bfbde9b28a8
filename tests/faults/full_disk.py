"""Fills the disk, and makes it read-only, under the real program.

  sudo python tests/faults/full_disk.py

The workdir is on a small file system in memory, so the superuser's right to
mount one is needed. Each fault must end the run with exit status 74 and
without a traceback of ours; once it is mended, the same command must come to
the same end as a run without any fault. The last line says how many were
tried, how many came back equal, and how many were lost.
"""

import argparse
import contextlib
import pathlib
import subprocess
import sys
import tempfile

from kill_and_resume import differences, start, wait_for_steps

STAGES = 1
MIB = 2**20


def command(*words):
  """Runs a program that must not fail."""
  subprocess.run([*map(str, words)], check=True)


@contextlib.contextmanager
def full(disk):
  """Leaves no room; each write of the program fails from here on."""
  filler = disk / "filler"
  with contextlib.suppress(OSError), filler.open("wb", 0) as file:
    while True:
      file.write(bytes(4096))
  yield
  filler.unlink()


@contextlib.contextmanager
def read_only(disk):
  """Refuses to open files for writing from here on."""
  # The folder once more, on top of itself: the kernel does not make a file
  # system read-only in which a file is open for writing.
  command("mount", "--bind", "-o", "ro", disk, disk)
  yield
  command("umount", disk)


def frames(log):
  """Lists the lines of tracebacks in a log, but for those we cannot help.

  After a write that failed, tensorstore calls back into an event loop that
  orbax has closed, and prints so past Python.
  """
  lines = [line for line in log.read_text().splitlines() if '  File "' in line]
  return [line for line in lines if "asyncio/base_events.py" not in line]


def suffer(fault, root, cache, moment):
  """Runs under a fault from step `moment` on, then without."""
  disk = root / f"{fault.__name__}{moment}"
  disk.mkdir()
  log = root / f"{disk.name}.log"
  command("mount", "-t", "tmpfs", "-o", f"size={64 * MIB}", "tmpfs", disk)
  try:
    workdir = disk / "run"
    process = start(workdir, cache, STAGES, log=log)
    wait_for_steps(workdir, moment, process)
    with fault(disk):
      status = process.wait(120)
    if status != 74:
      return [f"exit status {status} under the fault"]
    if frames(log):
      return ["a traceback"]
    status = start(workdir, cache, STAGES, log=log).wait()
    if status:
      return [f"exit status {status} once mended"]
    return differences(workdir, root / "reference", STAGES)
  finally:
    command("umount", "-l", disk)


def main(argv=None):
  """Tries the faults; returns the number of runs that ended otherwise."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--folder", type=pathlib.Path)
  parser.add_argument("--moments", type=int, nargs="+", default=[1, 2, 4])
  faults = {"full": full, "read_only": read_only}
  parser.add_argument("--faults", nargs="+", choices=faults, default=[*faults])
  options = parser.parse_args(argv)
  root = options.folder or pathlib.Path(tempfile.mkdtemp())
  root.mkdir(parents=True, exist_ok=True)
  cache, reference = root / "cache", root / "reference"
  if start(reference, cache, STAGES).wait():
    sys.exit(f"the run without a fault failed, see {reference}.log")
  tried = equal = 0
  for fault in map(faults.get, options.faults):
    for moment in options.moments:
      found = suffer(fault, root, cache, moment)
      tried, equal = tried + 1, equal + (not found)
      print(f"{fault.__name__} after {moment}: {found or 'equal'}", flush=True)
  print(f"tried {tried}, survived {equal}, lost {tried - equal}")
  return tried - equal


if __name__ == "__main__":
  sys.exit(main())
