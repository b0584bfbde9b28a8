"""Fetching one file over HTTP: resumed after a break, verified at the end."""

import email.message
import errno
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import NamedTuple

from tfds_chestxray14.endings import is_full

_CHUNK = 1 << 20
_TIMEOUT_S = 60


class RemoteFile(NamedTuple):
  """A file to fetch.

  Attributes:
    name: What it is called here.
    url: Where it lies.
    digest: `md5:...` or `sha256:...`, empty where it is not known.
  """

  name: str
  url: str
  digest: str = ""


class BrokenOffError(OSError):
  """The connection ended before the file did."""


def fetch(
  remote: RemoteFile,
  folder: pathlib.Path,
  *,
  attempts: int = 5,
  pause_s: float = 5.0,
  say: Callable[[str], None] = lambda line: None,
) -> str:
  """Fetch a file into a folder, unless it is there.

  What has come is kept in `<name>.part`, and the next attempt, or the next
  run, goes on from there. The file gets its name only when its size and digest
  are right.

  Args:
    remote: The file.
    folder: Where to put it.
    attempts: Attempts in a row that may bring no byte more than the best one.
    pause_s: Wait before trying again, in seconds; doubled each time.
    say: Is told what broke off, and when the next attempt begins.

  Returns:
    What was verified, in words.

  Raises:
    OSError: It cannot be fetched; says how far it came.
    ValueError: What came is not the file.
  """
  target = folder / remote.name
  part = folder / f"{remote.name}.part"
  if target.exists():
    return "was there, " + _verify(target, remote)
  tries = 0
  best = _size(part)
  while True:
    try:
      total = _receive(remote, part)
      break
    except (OSError, http.client.HTTPException) as error:
      if is_full(error):
        raise
      if _is_final(error):
        raise OSError(f"{remote.url}: {error}") from error
      tries = 1 if _size(part) > best else tries + 1
      best = max(best, _size(part))
      said = f"{remote.name} broke off after {_size(part):,} bytes: {error}"
      if tries >= attempts:
        if _size(part):
          said += (
            f". What came is kept in {part}; the same command goes on from "
            "there."
          )
        raise OSError(said) from error
      wait = pause_s * 2 ** (tries - 1)
      say(f"{said}; attempt {tries + 1} of {attempts} in {wait:.0f} s")
      time.sleep(wait)
  size = "size right" if total is not None else "size not known"
  try:
    verified = _verify(part, remote)
  except ValueError:
    part.unlink()  # To go on from wrong bytes would never come right.
    raise
  os.replace(part, target)
  return f"{size}, {verified}"


def _receive(remote: RemoteFile, part: pathlib.Path) -> int | None:
  """Append what is missing to `part`; return the full size, None: not known."""
  start = _size(part)
  request = urllib.request.Request(remote.url)
  if start:
    request.add_header("Range", f"bytes={start}-")
  try:
    response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
  except urllib.error.HTTPError as error:
    if error.code != 416:
      raise
    if _total(error.headers) == start:
      return start
    part.unlink()
    raise BrokenOffError("the part is longer than the file; anew") from error
  with response:
    if response.headers.get_content_type() == "text/html":
      raise ValueError(
        f"{remote.url} gives a web page, not {remote.name}. The address may "
        "have changed; fetch the file in a browser from NIH's page."
      )
    resumed = response.status == 206
    if not resumed:
      start = 0
    total = _total(response.headers) if resumed else response.length
    _check_space(part.parent, (total or 0) - start)
    with part.open("ab" if resumed else "wb") as file:
      while chunk := response.read(_CHUNK):
        file.write(chunk)
  if total is not None and _size(part) < total:
    raise BrokenOffError(f"it ended at {_size(part):,} of {total:,}")
  if total is not None and _size(part) > total:
    part.unlink()
    raise BrokenOffError("more bytes than the file has; anew")
  return total


def _verify(path: pathlib.Path, remote: RemoteFile) -> str:
  if not remote.digest:
    return "no checksum known"
  algorithm, expected = remote.digest.split(":")
  with path.open("rb") as file:
    actual = hashlib.file_digest(file, algorithm).hexdigest()
  if actual != expected:
    raise ValueError(
      f"{path}: {algorithm} is {actual}, must be {expected}. The file is "
      "damaged or another one; delete it if it is there, and fetch it again."
    )
  return f"{algorithm} right"


def _total(headers: email.message.Message) -> int | None:
  """Return the full size from `Content-Range: bytes 5-9/10`, or None."""
  match = re.fullmatch(r"bytes .*/(\d+)", headers.get("Content-Range", ""))
  return int(match[1]) if match else None


def _is_final(error: Exception) -> bool:
  """Return whether another attempt cannot help."""
  if isinstance(error, urllib.error.HTTPError):
    return error.code < 500 and error.code not in (408, 429)
  # The name of the machine is not known, and not only for the moment.
  reason = getattr(error, "reason", None)
  return (
    isinstance(reason, socket.gaierror) and reason.errno != socket.EAI_AGAIN
  )


def _check_space(folder: pathlib.Path, needed: int) -> None:
  free = shutil.disk_usage(folder).free
  if needed > free:
    said = f"{needed:,} bytes to come, {free:,} free"
    raise OSError(errno.ENOSPC, said, str(folder))


def _size(path: pathlib.Path) -> int:
  return path.stat().st_size if path.exists() else 0
