"""Where a result comes from: command, versions, revision, machine."""

import importlib.metadata
import pathlib
import platform
import subprocess
import sys

import jax


def git_revision() -> str | None:
  """Returns the checkout's commit, marked if it was changed; None outside."""
  try:
    return subprocess.run(
      ["git", "describe", "--always", "--dirty", "--abbrev=40"],
      cwd=pathlib.Path(__file__).parent,
      capture_output=True,
      text=True,
      check=True,
    ).stdout.strip()
  except (OSError, subprocess.CalledProcessError):
    return None


def collect() -> dict:
  """Returns the record that config.json and results.json hold."""
  packages = ("chexjax", "jax", "flax", "optax", "orbax-checkpoint", "grain")
  versions = {}
  for name in packages:
    try:
      versions[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      versions[name] = "not installed"
  return {
    "command": " ".join(sys.argv),
    "git_revision": git_revision(),
    "versions": versions,
    "python": platform.python_version(),
    "machine": platform.machine(),
    "devices": [str(d) for d in jax.devices()],
  }
