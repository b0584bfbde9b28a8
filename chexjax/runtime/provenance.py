"""The origin of a result: command, versions, revision, machine."""

import datetime
import importlib.metadata
import pathlib
import platform
import subprocess
import sys
from typing import Any

import jax


def git_revision() -> str | None:
  """Return the commit of the checkout, None outside of one.

  Returns:
    As `git describe`: the tag or 40 hex digits, `-dirty` if files changed.
  """
  clone = pathlib.Path(__file__).parents[2]
  if not (clone / ".git").exists():
    # An installed package may lie inside another project's repository.
    return None
  try:
    return subprocess.run(
      ["git", "describe", "--always", "--dirty", "--abbrev=40"],
      cwd=clone,
      capture_output=True,
      text=True,
      check=True,
    ).stdout.strip()
  except (OSError, subprocess.CalledProcessError):
    return None


def version_of(package: str) -> str:
  """Return the version of a package, `not installed` without it."""
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return "not installed"


def collect() -> dict[str, Any]:
  """Return the record that `config.json` and `results.json` hold.

  Returns:
    `command`, `date` (of now, UTC), `git_revision`, `versions`, `python`,
    `machine`, `devices`.
  """
  packages = ("chexjax", "jax", "flax", "optax", "orbax-checkpoint", "grain")
  versions = {name: version_of(name) for name in packages}
  return {
    "command": " ".join(sys.argv),
    "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    "git_revision": git_revision(),
    "versions": versions,
    "python": platform.python_version(),
    "machine": platform.machine(),
    "devices": [str(d) for d in jax.devices()],
  }
