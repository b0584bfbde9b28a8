"""Fixtures that every room may use."""

import os
import pathlib

import pytest

_REPO = pathlib.Path(__file__).parents[1]


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
  """The folder with the real ChestX-ray14 pack; skips where it is absent."""
  default = _REPO.parent / "shared"
  path = pathlib.Path(os.environ.get("CHEXJAX_SHARED", default))
  if not (path / "nih").is_dir():
    pytest.skip(f"no {path}/nih: set CHEXJAX_SHARED to the folder with it")
  return path
