"""Build the records: `python -m tfds_chestxray14.build DIR --data_dir=OUT`.

`tfds build` does the same, but needs TensorFlow and Beam. Exit code 0: the
records are there; 2: the folder has faults, or a file cannot be read or
written; 74: the disk is full.
"""

import argparse
import pathlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tfds_chestxray14 import catalogue
from tfds_chestxray14.endings import end_well, expand_home, is_full
from tfds_chestxray14.folder import find_images

if TYPE_CHECKING:
  from tfds_chestxray14.builder import ChestXray14

SIZES = (1024, 512, 256, 128, 64)


def main(argv: Sequence[str] | None = None) -> int:
  """Build one size of the set, unless it is there.

  Args:
    argv: The command line without the program; by default the process's.

  Returns:
    The exit code.
  """
  args = _parser().parse_args(argv)
  return end_well(lambda: _build(args))


def _build(args: argparse.Namespace) -> int:
  folder = expand_home(args.folder)
  out = expand_home(args.data_dir)
  try:
    import tensorflow_datasets as tfds

    from tfds_chestxray14.builder import ChestXray14
  except ImportError as error:
    print(
      f"error: {error}; pip install tensorflow-datasets array_record",
      file=sys.stderr,
    )
    return 2
  config = f"{args.size}px"
  if args.validation != "seed34":
    config += f"_{args.validation.removeprefix('official_')}"
  builder = ChestXray14(
    config=config, data_dir=out, skip_bad=args.skip_bad, workers=args.workers
  )
  if not folder.is_dir():
    print(f"error: {folder} is no folder", file=sys.stderr)
    return 2
  there = builder.info.initialized
  try:
    builder.download_and_prepare(
      download_config=tfds.download.DownloadConfig(manual_dir=folder)
    )
  except (FileNotFoundError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  except RuntimeError as error:  # array_record's, for whatever went wrong.
    print(f"error: {error}", file=sys.stderr)
    return 74 if is_full(error) or "No space left" in str(error) else 2
  if there:
    _say_what_is_new(builder, folder, args.validation)
  sizes = {name: s.num_examples for name, s in builder.info.splits.items()}
  print(
    f"{', '.join(f'{n:,} {name}' for name, n in sizes.items())} in "
    f"{builder.data_dir}\nRead them with\n  import tfds_chestxray14, "
    "tensorflow_datasets as tfds\n  tfds.data_source("
    f"{'chest_xray14/' + config!r}, split='train', data_dir={str(out)!r})"
  )
  return 0


def _say_what_is_new(
  builder: "ChestXray14", folder: pathlib.Path, validation: str
) -> None:
  """Say so where the folder has other images than when it was built.

  Nothing is said of a folder whose lists are gone or changed: what is built
  needs them no more.
  """
  try:
    listed = catalogue.read_lists(folder, validation).split_of
  except (FileNotFoundError, ValueError):
    return
  now = len(listed.keys() & find_images(folder).paths.keys())
  counts = builder.info.metadata["counts"]
  then = sum(count["found"] for count in counts.values())
  if now != then:
    print(
      f"note: {folder} holds {now:,} of the listed images, and held {then:,} "
      f"when these records were built; to build them anew, delete "
      f"{builder.data_dir}"
    )


def _parser() -> argparse.ArgumentParser:
  parser = argparse.ArgumentParser(
    prog="python -m tfds_chestxray14.build",
    description="Build the records of ChestX-ray14, without TensorFlow.",
  )
  parser.add_argument("folder", help="folder with the images and NIH's lists")
  parser.add_argument(
    "--data_dir",
    default="~/tensorflow_datasets",
    help="where the records go (default: %(default)s)",
  )
  parser.add_argument(
    "--size",
    type=int,
    choices=SIZES,
    default=512,
    help="side of the stored images in pixels (default: %(default)s)",
  )
  parser.add_argument(
    "--validation",
    choices=catalogue.VALIDATIONS,
    default="seed34",
    help="validation scheme (default: %(default)s)",
  )
  parser.add_argument(
    "--skip_bad",
    action="store_true",
    help="leave out bad images and list them in the metadata",
  )
  parser.add_argument(
    "--workers",
    type=int,
    help="threads that decode, resize and encode (default: one a core)",
  )
  return parser


if __name__ == "__main__":
  sys.exit(main())
