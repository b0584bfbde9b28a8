"""Heat maps as files: one `.npz` per boxed image, class names inside.

`findings` `[K]` str, and maps `[K, h, w]`, float or uint8: `sal`, `det`,
`mix`, or a single one of any name.
"""

import pathlib
import zipfile
from collections.abc import Iterator, Sequence

import numpy as np

from chexjax.evaluation.submissions.faults import Faults, near
from chexjax.evaluation.submissions.true_films import TrueFilms
from chexjax.progress import Progress

MAPS = ("sal", "det", "mix")
# Three float64 maps of 14 findings at 1024 x 1024 take 352 MB.
_MAX_BYTES = 2**29


def match(
  files: dict[str, pathlib.Path], truth: TrueFilms, faults: Faults
) -> tuple[dict[str, pathlib.Path], int]:
  """Match map files with the boxed images.

  Args:
    files: name of each image, without an ending -> its `.npz`.
    truth: the images to score.
    faults: gets unknown images, and boxed images without a file.

  Returns:
    The files of the boxed images, and the number of other files.
  """
  known: dict[str, pathlib.Path] = {}
  for name, path in files.items():
    if not truth.knows(f"{name}.npz", "maps", faults):
      continue
    key = truth.key(f"{name}.npz")
    if key in known:
      faults.add("maps: images that are there twice", str(path))
    known[key] = path
  boxed = truth.boxed()
  for key in boxed:
    if key not in known:
      name = pathlib.PurePath(key).with_suffix(".npz").as_posix()
      faults.add("maps: missing, of images with boxes", name)
  mine = {key: known[key] for key in boxed if key in known}
  return mine, len(known) - len(mine)


def check_all(
  files: dict[str, pathlib.Path], truth: TrueFilms, faults: Faults
) -> tuple[str, ...]:
  """Check every file.

  Args:
    files: key of each image -> its `.npz`.
    truth: gives the findings.
    faults: gets what is wrong.

  Returns:
    The names of the maps, which are the same in all files.
  """
  first: tuple[str, ...] = ()
  with Progress("checking map files", total=len(files)) as progress:
    for path in files.values():
      names = _check(path, truth, faults)
      first = first or names
      if names and names != first:
        faults.add(
          f"maps: not {', '.join(first)} as in the first file", path.name
        )
      progress.add()
  return first


def _check(
  path: pathlib.Path, truth: TrueFilms, faults: Faults
) -> tuple[str, ...]:
  """Check one file; return the names of its maps."""
  try:
    _check_size(path)
    with np.load(path) as file:
      if "findings" not in file.files:
        faults.add("maps: no array 'findings' with the class names", path.name)
        return ()
      findings = [str(name) for name in file["findings"]]
      names = tuple(name for name in file.files if name != "findings")
      _check_findings(findings, path.name, truth, faults)
      _check_names(names, path.name, faults)
      for name in names:
        _check_array(file[name], len(findings), f"{path.name} {name}", faults)
  except Exception as error:  # numpy, zipfile and zlib raise many types.
    faults.add("maps: unreadable files", f"{path.name} ({error})")
    return ()
  return tuple(sorted(names, key=lambda n: (*MAPS, n).index(n)))


def _check_size(path: pathlib.Path) -> None:
  """Raise ValueError if the arrays are too large, before any is read."""
  with zipfile.ZipFile(path) as archive:
    size = sum(member.file_size for member in archive.infolist())
  if size > _MAX_BYTES:
    raise ValueError(f"unpacks to {size:,} bytes, more than {_MAX_BYTES:,}")


def _check_findings(
  findings: Sequence[str], where: str, truth: TrueFilms, faults: Faults
) -> None:
  for name in findings:
    if name not in truth.findings:
      what = near(name, truth.findings)
      faults.add("maps: unknown findings", f"{where} {what}")
  if len(set(findings)) < len(findings):
    faults.add("maps: findings that are there twice", where)
  missing = [name for name in truth.boxed_findings if name not in findings]
  if missing:
    faults.add("maps: findings missing", f"{where} {' '.join(missing)}")


def _check_names(names: Sequence[str], where: str, faults: Faults) -> None:
  strange = [name for name in names if name not in MAPS]
  if not names or (strange and len(names) > 1):
    faults.add(
      "maps: want sal, det, mix or a single one of any name",
      f"{where} has {', '.join(names) or 'none'}",
    )


def _check_array(
  values: np.ndarray, count: int, where: str, faults: Faults
) -> None:
  whole = values.dtype == np.uint8
  if values.ndim != 3 or values.shape[0] != count or 0 in values.shape:
    faults.add(
      f"maps: want shape [{count}, h, w], as many as findings",
      f"{where} {list(values.shape)}",
    )
  elif values.dtype != np.uint8 and not np.issubdtype(
    values.dtype, np.floating
  ):
    faults.add("maps: want float or uint8", f"{where} {values.dtype}")
  elif not whole and not np.isfinite(values).all():
    faults.add("maps: NaN or infinite", where)
  elif where.endswith(" sal") and not whole:
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
      faults.add("maps: sal outside 0..1", f"{where} {low:.3g}..{high:.3g}")


def load(path: pathlib.Path) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
  """Read the maps of one image, a finding at a time; uint8 becomes 0..1.

  Args:
    path: of the `.npz`.

  Yields:
    A finding, and name -> `[h, w]` float32.
  """
  with np.load(path) as file:
    findings = [str(name) for name in file["findings"]]
    arrays = {name: file[name] for name in file.files if name != "findings"}
  for k, finding in enumerate(findings):
    maps = {}
    for name, values in arrays.items():
      scale = 255 if values.dtype == np.uint8 else 1
      maps[name] = values[k].astype(np.float32) / np.float32(scale)
    yield finding, maps
