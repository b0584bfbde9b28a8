"""Fixtures that every room may use."""

import os
import pathlib
import tempfile

import numpy as np
import pytest
from PIL import Image

from chexjax.commands.console import show_messages

_REPO = pathlib.Path(__file__).parents[1]
# To compile this badly takes a third of the time, and these models run in
# milliseconds all the same.
_XLA_FLAGS = (
  "--xla_backend_optimization_level=0 --xla_cpu_use_fusion_emitters=false"
)


def pytest_configure(config):
  """Makes compiling cheap here and in the programs that tests start."""
  # Tests read what the library says from the captured output.
  show_messages()
  os.environ.setdefault("XLA_FLAGS", _XLA_FLAGS)
  if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    # All workers share what one has compiled.
    folder = tempfile.TemporaryDirectory(prefix="chexjax_compiled_")
    config.add_cleanup(folder.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = folder.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.2"


def pytest_collection_modifyitems(items):
  """Puts the rooms that run whole programs first, so that none ends alone."""
  items.sort(
    key=lambda item: (
      item.path.parent.name not in ("faults", "experiments", "runtime")
    )
  )


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
  """The folder with the real ChestX-ray14 pack; skips where it is absent."""
  default = _REPO.parent / "shared"
  path = pathlib.Path(os.environ.get("CHEXJAX_SHARED", default))
  if not (path / "nih").is_dir():
    pytest.skip(f"no {path}/nih: set CHEXJAX_SHARED to the folder with it")
  return path


class OwnFolder:
  """A set of one's own on disk; 30 images of 15 patients."""

  def __init__(self, path, findings=("Cat", "Dog")):
    self.path = path
    (path / "a").mkdir(parents=True)
    self.labels, self.boxes = (
      ["file,findings,patient"],
      ["file,finding,x,y,w,h"],
    )
    for i in range(30):
      name = f"a/{i:02}.png"
      grey = np.random.default_rng(i).integers(0, 256, (64, 96), np.uint8)
      Image.fromarray(grey).save(path / name)
      own = [f for k, f in enumerate(findings) if (i + k) % len(findings) == 0]
      self.labels.append(f"{name},{'|'.join(own) if i < 24 else ''},p{i // 2}")
      if i < 24:
        self.boxes.append(f"{name},{own[0]},24,16,48,32")

  def write(self):
    (self.path / "labels.csv").write_text("\n".join(self.labels))
    (self.path / "boxes.csv").write_text("\n".join(self.boxes))
    return self.path


@pytest.fixture
def own_folder() -> type[OwnFolder]:
  """What writes a folder with labels.csv and boxes.csv."""
  return OwnFolder


@pytest.fixture(scope="session")
def own_set() -> type[OwnFolder]:
  """The same, for what lasts longer than a test."""
  return OwnFolder
