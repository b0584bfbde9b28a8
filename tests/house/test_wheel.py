"""The wheel holds the library and its command, and nothing of the clone."""

import os
import pathlib
import shutil
import subprocess
import sys
import zipfile

import pytest

REPO = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
  folder = tmp_path_factory.mktemp("wheel")
  # A copy, since building leaves a folder beside the sources.
  source = folder / "source"
  source.mkdir()
  for name in ("pyproject.toml", "README.md", "LICENSE"):
    shutil.copy(REPO / name, source)
  for name in ("chexjax", "experiments", "tfds_chestxray14"):
    shutil.copytree(REPO / name, source / name)
  subprocess.run(
    [
      sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index",
      "--no-build-isolation", "-q", "-w", folder, source,
    ],
    check=True,
  )  # fmt: skip
  (path,) = folder.glob("*.whl")
  return path


@pytest.mark.slow
def test_what_is_in_it(wheel):
  names = zipfile.ZipFile(wheel).namelist()
  packages = {name.partition("/")[0] for name in names}
  assert {p for p in packages if ".dist-info" not in p} == {
    "chexjax",
    "tfds_chestxray14",
  }
  for name in (
    "chexjax/py.typed",
    "tfds_chestxray14/py.typed",
    "chexjax/dicom/objects/finding_codes.csv",
    "chexjax/report/templates/page.html",
    "tfds_chestxray14/checksums.tsv",
  ):
    assert name in names
  (entry,) = (name for name in names if name.endswith("entry_points.txt"))
  text = zipfile.ZipFile(wheel).read(entry).decode()
  assert "chexjax = chexjax.__main__:main" in text


@pytest.mark.slow
def test_it_runs_outside_of_the_clone(wheel, tmp_path):
  code = (
    "import importlib.util, chexjax, sys; "
    "from chexjax.__main__ import main; "
    "assert importlib.util.find_spec('experiments') is None; "
    "assert 'jax' not in sys.modules; "
    "print(chexjax.__file__, chexjax.ops.make_proposals(64).shape); "
    "sys.exit(main(['--help']))"
  )
  done = subprocess.run(
    [sys.executable, "-c", code],
    cwd=tmp_path,
    env=os.environ | {"PYTHONPATH": str(wheel)},
    capture_output=True,
    text=True,
    check=True,
  )
  assert str(wheel) in done.stdout
  assert "(395, 4)" in done.stdout
