"""The files in a .tar, .tar.gz or .zip, one after another."""

import functools
import pathlib
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from tfds_chestxray14 import folder as folder_lib

# What reading a damaged archive raises; RuntimeError is zipfile's for one with
# a password, NotImplementedError for a compression that it does not know.
DAMAGE = (
  tarfile.TarError,
  zipfile.BadZipFile,
  zlib.error,
  EOFError,
  OSError,
  RuntimeError,
)


class Member(NamedTuple):
  """A file in an archive; it is read before the next one is asked for.

  Attributes:
    name: Its path in the archive.
    regular: Whether it is a file, not a link or a device.
    size: Bytes, unpacked.
    open: Opens it.
  """

  name: str
  regular: bool
  size: int
  open: Callable[[], IO[bytes]]

  def write(self, file: IO[bytes]) -> None:
    """Copy it into an open file."""
    with self.open() as source:
      shutil.copyfileobj(source, file)


def members(archive: pathlib.Path) -> Iterator[Member]:
  """Yield what an archive holds, without folders and system files.

  Dot files and what lies in `__MACOSX` are left out; see `is_clutter`.

  Raises:
    Exception: One of `DAMAGE`.
  """
  inside = _of_zip if archive.name.lower().endswith(".zip") else _of_tar
  for member in inside(archive):
    if not folder_lib.is_clutter(pathlib.PurePosixPath(member.name)):
      yield member


def _of_tar(archive: pathlib.Path) -> Iterator[Member]:
  with tarfile.open(archive, "r|*") as tar:
    for info in tar:
      if not info.isdir():
        yield Member(
          info.name,
          info.isreg(),
          info.size,
          functools.partial(_content, tar, info),
        )


def _content(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
  source = tar.extractfile(info)
  if source is None:
    raise tarfile.TarError(f"{info.name} has no content")
  return source


def _of_zip(archive: pathlib.Path) -> Iterator[Member]:
  with zipfile.ZipFile(archive) as packed:
    for info in packed.infolist():
      # Zero where the archive was made on a system without such modes.
      kind = stat.S_IFMT(info.external_attr >> 16)
      if not info.is_dir():
        yield Member(
          info.filename,
          kind in (0, stat.S_IFREG),
          info.file_size,
          functools.partial(packed.open, info),
        )
