"""Fetch ChestX-ray14: `python -m tfds_chestxray14.download --out=DIR`.

Twelve archives of 1 to 4 GB, 45 GB in all. Run again, it goes on where it was.
Exit code 0: all is there; 1: something failed; 2: lists are left to be fetched
by hand, because NIH gives no direct address for them, or the folder cannot be
made; 74: the disk is full.
"""

import argparse
import pathlib
import sys
from collections.abc import Sequence

from tfds_chestxray14 import folder, transfer, unpacking
from tfds_chestxray14.catalogue import OFFICIAL_SHA256
from tfds_chestxray14.endings import end_well, expand_home, is_full
from tfds_chestxray14.transfer import RemoteFile

PAGE = "https://nihcc.app.box.com/v/ChestXray-NIHCC"
_STATIC = "https://nihcc.box.com/shared/static/"

# As in NIH's batch_download_zips.py and FAQ_CHESTXRAY.pdf (Q07).
_ARCHIVES = (
  ("vfk49d74nhbxq3nqjg0900w5nvkorp5c", "fe8ed0a6961412fddcbb3603c11b3698"),
  ("i28rlmbvmfjbl8p2n3ril0pptcmcu9d1", "ab07a2d7cbe6f65ddd97b4ed7bde10bf"),
  ("f1t00wrtdk94satdfb9olcolqx20z2jp", "2301d03bde4c246388bad3876965d574"),
  ("0aowwzs5lhjrceb3qp67ahp0rd1l1etg", "9f1b7f5aae01b13f4bc8e2c44a4b8ef6"),
  ("v5e3goj22zr6h8tzualxfsqlqaygfbsn", "1861f3cd0ef7734df8104f2b0309023b"),
  ("asi7ikud9jwnkrnkj99jnpfkjdes7l6l", "456b53a8b351afd92a35bc41444c58c8"),
  ("jn1b4mw4n6lnh74ovmcjb8y48h8xj07n", "1075121ea20a137b87f290d6a4a5965e"),
  ("tvpxmn7qyrgl0w8wfh9kqfjskv6nmm1j", "b61f34cec3aa69f295fbb593cbd9d443"),
  ("upyy3ml7qdumlgk2rfcvlb9k6gvqq2pj", "442a3caa61ae9b64e61c561294d1e183"),
  ("l6nilvfa9cg3s28tqv1qc1olm3gnz54p", "09ec81c4c31e32858ad8cf965c494b74"),
  ("hhq8fkdgvcari67vfhs7ppg2w6ni4jze", "499aefc67207a5a97692424cf5dbeed5"),
  ("ioqwiy20ihqwyr8pf4c24eazhh281pbu", "dc9fda1757c2de0032b63347a7d2895c"),
)

ARCHIVES: tuple[RemoteFile, ...] = tuple(
  RemoteFile(f"images_{number:03d}.tar.gz", f"{_STATIC}{key}.gz", f"md5:{md5}")
  for number, (key, md5) in enumerate(_ARCHIVES, 1)
)
LISTS: tuple[RemoteFile, ...] = tuple(
  RemoteFile(name, "", f"sha256:{digest}")
  for digest, name in OFFICIAL_SHA256.items()
  if "v2020" not in name
)


def main(
  argv: Sequence[str] | None = None,
  *,
  archives: Sequence[RemoteFile] = ARCHIVES,
  lists: Sequence[RemoteFile] = LISTS,
  pause_s: float = 5.0,
) -> int:
  """Fetch, verify and unpack.

  Args:
    argv: The command line without the program; by default the process's.
    archives: The archives of images.
    lists: The lists; those without an address are left to a person.
    pause_s: Wait before a second attempt, in seconds.

  Returns:
    The exit code.
  """
  args = _parser().parse_args(argv)
  return end_well(lambda: _fetch_all(args, archives, lists, pause_s))


def _fetch_all(
  args: argparse.Namespace,
  archives: Sequence[RemoteFile],
  lists: Sequence[RemoteFile],
  pause_s: float,
) -> int:
  out = expand_home(args.out)
  out.mkdir(parents=True, exist_ok=True)
  if args.base_url:
    base = args.base_url.rstrip("/")
    archives = [x._replace(url=f"{base}/{x.name}") for x in archives]
    lists = [x._replace(url=f"{base}/{x.name}") for x in lists]
  if args.limit_archives is not None:
    archives = archives[: args.limit_archives]
  failed = 0
  for remote in (*(x for x in lists if x.url), *archives):
    try:
      _one(remote, out, args, pause_s)
    except (OSError, ValueError) as error:
      if is_full(error):
        raise  # The other files would fail too.
      failed += 1
      print(f"{remote.name}: FAILED: {error}", file=sys.stderr)
  by_hand = _lists_left(out)
  if failed:
    print(f"{failed} files failed; the same command goes on.", file=sys.stderr)
    return 1
  return 2 if by_hand else 0


def _one(
  remote: RemoteFile,
  out: pathlib.Path,
  args: argparse.Namespace,
  pause_s: float,
) -> None:
  """Fetch a file and, if it is an archive, unpack it and put a mark."""
  mark = unpacking.mark(out / remote.name)
  if mark.exists():
    print(f"{remote.name}: unpacked before")
    return
  print(f"{remote.name}: fetching {remote.url}", flush=True)
  verified = transfer.fetch(
    remote,
    out,
    attempts=args.attempts,
    pause_s=pause_s,
    say=lambda line: print(line, file=sys.stderr, flush=True),
  )
  print(f"{remote.name}: {verified}", flush=True)
  if not remote.name.endswith(".tar.gz"):
    return
  count = unpacking.unpack(out / remote.name, out / "images")
  mark.touch()
  if not args.keep_archives:
    (out / remote.name).unlink()
  print(f"{remote.name}: {count:,} images unpacked", flush=True)


def _lists_left(out: pathlib.Path) -> bool:
  """Say which lists are still missing; return whether there are any."""
  try:
    folder.find_lists(out, folder.LIST_NAMES)
  except FileNotFoundError as error:
    print(
      f"{error}\nNIH gives no direct address for its lists: fetch them in a "
      f"browser from {PAGE}, or give --base_url of a mirror.",
      file=sys.stderr,
    )
    return True
  print(f"Now look through it: python -m tfds_chestxray14.check {out}")
  return False


def _count(text: str) -> int:
  value = int(text)
  if value < 0:
    raise argparse.ArgumentTypeError(f"must be 0 or more, got {value}")
  return value


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog="python -m tfds_chestxray14.download",
    description="Fetch ChestX-ray14 from NIH (45 GB); run again to go on.",
  )
  parser.add_argument("--out", required=True, help="folder to fetch into")
  parser.add_argument(
    "--limit_archives",
    type=_count,
    metavar="N",
    help="fetch only the first N of 12 archives (4,999 images in the first)",
  )
  parser.add_argument(
    "--keep_archives",
    action="store_true",
    help="keep each archive beside what was unpacked (45 GB more)",
  )
  parser.add_argument(
    "--base_url",
    help="a mirror that holds the files under NIH's names",
  )
  parser.add_argument(
    "--attempts",
    type=_count,
    default=5,
    help="attempts in a row without a new byte (default: %(default)s)",
  )
  return parser


if __name__ == "__main__":
  sys.exit(main())
