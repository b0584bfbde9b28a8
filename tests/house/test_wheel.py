"""What is released holds what it should, and works outside of the clone."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile

import pytest
from tiny_workdir import make_workdir

import chexjax

REPO = pathlib.Path(__file__).parents[2]
FILES = (
  "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md",
  "CITATION.cff",
)  # fmt: skip
FOLDERS = ("chexjax", "docs", "experiments", "tests", "tfds_chestxray14")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
  """Build the source distribution, and the wheel from it."""
  folder = tmp_path_factory.mktemp("built")
  # A copy, since building leaves a folder beside the sources.
  source = folder / "source"
  source.mkdir()
  for name in FILES:
    shutil.copy(REPO / name, source)
  for name in FOLDERS:
    shutil.copytree(
      REPO / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
    )
  subprocess.run(
    [
      sys.executable, "-m", "build", "--no-isolation", "--outdir",
      folder / "dist", source,
    ],
    check=True,
    capture_output=True,
  )  # fmt: skip
  return folder / "dist"


@pytest.fixture(scope="module")
def wheel(built):
  (path,) = built.glob("*.whl")
  return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
  """Install the wheel into a folder; what it needs is here already."""
  folder = tmp_path_factory.mktemp("installed")
  subprocess.run(
    [
      sys.executable, "-m", "pip", "install", "--no-deps", "--no-index",
      "--no-compile", "-q", "--target", folder, wheel,
    ],
    check=True,
  )  # fmt: skip
  return folder


@pytest.mark.slow
def test_what_is_in_the_wheel(wheel):
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
def test_the_source_distribution_is_the_clone(built):
  (path,) = built.glob("*.tar.gz")
  assert path.name == f"chexjax-{chexjax.__version__}.tar.gz"
  with tarfile.open(path) as archive:
    names = {name.partition("/")[2] for name in archive.getnames()}
  assert set(FILES) <= names
  for folder in FOLDERS:
    for path in (REPO / folder).rglob("*"):
      if path.suffix in (".py", ".md", ".ipynb", ".sh"):
        assert path.relative_to(REPO).as_posix() in names
  assert not [name for name in names if name.endswith(".pyc")]


@pytest.mark.slow
def test_an_index_would_take_both(built):
  done = subprocess.run(
    [
      sys.executable, "-m", "twine", "check", "--strict",
      *sorted(built.iterdir()),
    ],
    check=True, capture_output=True, text=True,
  )  # fmt: skip
  assert done.stdout.count("PASSED") == 2


@pytest.mark.slow
def test_it_imports_outside_of_the_clone(installed, tmp_path):
  code = (
    "import importlib.util, chexjax, sys; "
    "assert importlib.util.find_spec('experiments') is None; "
    "assert 'jax' not in sys.modules; "
    "print(chexjax.__file__, chexjax.ops.make_proposals(64).shape)"
  )
  done = subprocess.run(
    [sys.executable, "-c", code],
    cwd=tmp_path,
    env=os.environ | {"PYTHONPATH": str(installed)},
    capture_output=True,
    text=True,
    check=True,
  )
  assert str(installed) in done.stdout
  assert "(395, 4)" in done.stdout


@pytest.mark.slow
def test_its_command_predicts_outside_of_the_clone(installed, tmp_path):
  make_workdir(tmp_path / "run")
  code = (
    "import chexjax, cv2; "
    "cv2.imwrite('film.png', chexjax.phantom(num=1).images[0])"
  )
  for command in (
    [sys.executable, "-c", code],
    [
      installed / "bin" / "chexjax", "predict", "--weights=run", "--out=out",
      "--no_compilation_cache", "film.png",
    ],
  ):  # fmt: skip
    subprocess.run(
      command,
      cwd=tmp_path,
      env=os.environ | {"PYTHONPATH": str(installed)},
      capture_output=True,
      check=True,
    )
  assert (tmp_path / "out" / "predictions.csv").stat().st_size


def test_the_version_is_the_changelogs_and_the_citations():
  text = (REPO / "CHANGELOG.md").read_text()
  numbers = re.findall(
    r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.M
  )
  assert numbers[0] == chexjax.__version__
  citation = (REPO / "CITATION.cff").read_text()
  assert re.search(rf"^version: {chexjax.__version__}$", citation, re.M)
  citing = (REPO / "docs" / "citing.md").read_text()
  assert f"version = {{{chexjax.__version__}}}" in citing
  project = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
  assert project["license"] in citation
