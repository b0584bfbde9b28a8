"""Huge pages for XLA's CPU backend."""

import os
import sys


def relaunch() -> None:
  """Starts the program anew with huge pages for its large allocations.

  XLA allocates the memory of a step anew each time, and the kernel clears it
  page by page; with pages of 2 MiB for 4 KiB a training step on the CPU takes
  about a third less time. glibc reads the setting only when a process starts.
  Where `GLIBC_TUNABLES` is set, or there is no glibc, nothing is done.
  """
  if sys.platform != "linux" or "GLIBC_TUNABLES" in os.environ:
    return
  environment = os.environ | {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
  sys.stdout.flush()
  os.execve(sys.executable, sys.orig_argv, environment)
