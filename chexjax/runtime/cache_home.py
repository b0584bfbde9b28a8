"""Where phantoms, records and compiled programs are kept."""

import errno
import functools
import os
import pathlib
import stat
import tempfile

from chexjax import io, messages

DEFAULT = pathlib.Path("~/.cache/chexjax")
"""What stands for: the user's cache folder, wherever that is."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


def cache_home(path: pathlib.Path, *, strict: bool = True) -> pathlib.Path:
  """Return the cache's folder, in which files can be written.

  `DEFAULT` is `$XDG_CACHE_HOME/chexjax` where that variable is set, else
  `~/.cache/chexjax`. Where there is no home, or it cannot be written, it is a
  folder under the temp directory that only this user can read, and a warning
  says so: kept programs are pickles, so nobody else may write there.

  Args:
    path: a folder of one's own choice, or `DEFAULT`.
    strict: whether another folder than `DEFAULT` must do; else the cache of
      another machine, as an older workdir names it, gives way to `DEFAULT`.

  Returns:
    An absolute path; the folder itself is there only if something is kept.

  Raises:
    OSError: the disk is full, or no folder can be written.
    ValueError: `path` cannot be written; says why.
  """
  return _located(
    path,
    strict,
    (os.environ.get("HOME"), os.environ.get("XDG_CACHE_HOME"), os.getcwd()),
  )


@functools.lru_cache
def _located(
  path: pathlib.Path, strict: bool, surroundings: tuple[str | None, ...]
) -> pathlib.Path:
  """Find the folder, and tell once where it is not the one that was meant."""
  del surroundings  # The results depend on them.
  if path != DEFAULT:
    try:
      return _writable(io.expand_home(path).absolute())
    except (OSError, ValueError) as error:
      if getattr(error, "errno", None) in _FULL:
        raise
      if strict:
        raise ValueError(
          f"--cache_dir={path} cannot be used: {error}; give a folder that can "
          "be written"
        ) from error
  try:
    return _writable(_user_folder())
  except (OSError, ValueError) as error:
    if getattr(error, "errno", None) in _FULL:
      raise
    folder = _temporary()
    messages.warn(
      f"note: {error}; the cache is {folder} (--cache_dir or XDG_CACHE_HOME "
      "names another)"
    )
    return folder


def _user_folder() -> pathlib.Path:
  given = os.environ.get("XDG_CACHE_HOME", "")
  # By the XDG specification a relative path is to be ignored.
  if os.path.isabs(given):
    return pathlib.Path(given) / DEFAULT.name
  return io.expand_home(DEFAULT).absolute()


def _writable(folder: pathlib.Path) -> pathlib.Path:
  """Return a folder that is there and takes a file, or that can be made."""
  io.check_folder(folder)
  if folder.exists():
    # On a network's disk the permissions alone do not say it.
    with tempfile.TemporaryFile(dir=folder):
      pass
  return folder


def _temporary() -> pathlib.Path:
  """Return this user's folder under the temp directory; make it."""
  user = os.getuid() if hasattr(os, "getuid") else "user"
  folder = pathlib.Path(tempfile.gettempdir()) / f"chexjax-{user}"
  try:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    private = stat.S_ISDIR(status.st_mode) and not status.st_mode & 0o077
    if private and status.st_uid == user:
      return _writable(folder)
  except OSError as error:
    if error.errno in _FULL:
      raise
  # Somebody else has made it; what is kept lasts as long as this folder.
  return pathlib.Path(tempfile.mkdtemp(prefix="chexjax-"))
