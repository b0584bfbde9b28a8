"""Look through a folder before the work: `python -m tfds_chestxray14.check`.

Lists all faults at once. Exit code 0: it can be built; 1: it cannot; 2: a list
or every image is missing, or a file cannot be read or written; 74: the disk is
full.
"""

import argparse
import sys
from collections.abc import Sequence

from tfds_chestxray14 import catalogue, unpacking
from tfds_chestxray14 import survey as survey_lib
from tfds_chestxray14.endings import end_well, expand_home
from tfds_chestxray14.faults import bullets


def main(argv: Sequence[str] | None = None) -> int:
  """Print what a folder holds and what is wrong with it.

  Args:
    argv: The command line without the program; by default the process's.

  Returns:
    The exit code.
  """
  args = _parser().parse_args(argv)
  return end_well(lambda: _check(args))


def _check(args: argparse.Namespace) -> int:
  folder = expand_home(args.folder)
  try:
    if args.unpack:
      print(f"unpacked: {unpacking.unpack_all(folder)}")
    found = survey_lib.take_survey(
      folder, validation=args.validation, decode=args.decode
    )
  except (FileNotFoundError, ValueError) as error:
    print(error, file=sys.stderr)
    return 2
  print(survey_lib.report(found))
  for split, count in found.counts().items():
    if not count["found"]:
      print(f"  note: {split} has no image; a build leaves this split out")
  if args.list_missing:
    print(_missing(found))
  if args.list_surplus:
    print("\n".join(f"surplus {path}" for path in found.surplus))
  if odd := found.odd_sizes():
    print(f"{len(odd)} images of another size (no fault):\n{bullets(odd)}")
  bad = list(found.bad.values())
  _print_all("faults", found.faults)
  _print_all("bad images", bad)
  if found.faults or (bad and not args.skip_bad):
    return 1
  print("This folder can be built.")
  return 0


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog="python -m tfds_chestxray14.check",
    description="Look through a folder of ChestX-ray14 and list all faults.",
  )
  parser.add_argument("folder", help="folder with the images and NIH's lists")
  parser.add_argument(
    "--validation",
    choices=catalogue.VALIDATIONS,
    default="seed34",
    help="validation scheme (default: %(default)s)",
  )
  parser.add_argument(
    "--decode",
    action="store_true",
    help="decode every image (about 100 a second and core); without it the "
    "header and the end of each file are read",
  )
  parser.add_argument(
    "--skip_bad",
    action="store_true",
    help="bad images alone do not fail, as in a build with skip_bad",
  )
  parser.add_argument(
    "--list_missing",
    action="store_true",
    help="print the name of every listed image that is not there",
  )
  parser.add_argument(
    "--list_surplus",
    action="store_true",
    help="print the path of every image that no list names",
  )
  parser.add_argument(
    "--unpack",
    action="store_true",
    help="first unpack archives that lie there, into images/",
  )
  return parser


def _missing(found: survey_lib.Survey) -> str:
  return "\n".join(
    f"missing {split} {found.lists.entries[key].file_name}"
    for key, split in sorted(found.lists.split_of.items())
    if key not in found.paths
  )


def _print_all(what: str, lines: Sequence[str]) -> None:
  if lines:
    print(f"{len(lines)} {what}:\n{bullets(lines, len(lines))}")


if __name__ == "__main__":
  sys.exit(main())
