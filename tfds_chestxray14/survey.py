"""Reading everything that is cheap before the work: what a folder holds."""

import collections
import dataclasses
import functools
import os
import pathlib
from collections.abc import Mapping
from concurrent import futures

from tfds_chestxray14 import (
  catalogue,
  encoding,
  findings,
  folder,
  lists,
  splits,
)
from tfds_chestxray14.catalogue import Catalogue
from tfds_chestxray14.faults import Faults, bullets


@dataclasses.dataclass
class Survey:
  """What a folder holds, and what is wrong with it.

  Attributes:
    folder: The folder.
    lists: Its lists.
    paths: Path by image stem, of the listed images that are there.
    probes: Header by image stem, of those that can be read.
    bad: Reason by image stem, of those that cannot.
    surplus: Image files that no list names.
    faults: What stops a build; unreadable images are in `bad`.
    clutter: Hidden and system files that look like images and are not used.
  """

  folder: pathlib.Path
  lists: Catalogue
  paths: dict[str, str]
  probes: dict[str, encoding.Probe]
  bad: dict[str, str]
  surplus: list[str]
  faults: Faults
  clutter: int = 0

  def images(self, split: str) -> list[str]:
    """Return the stems of a split that can be stored, in storage order."""
    return splits.storage_order(
      key for key in self.probes if self.lists.split_of[key] == split
    )

  def counts(self) -> dict[str, dict[str, int]]:
    """Return by split: images listed, found, missing, unreadable, boxes."""
    result = {}
    for split in findings.SPLITS:
      listed = [k for k, s in self.lists.split_of.items() if s == split]
      found = [key for key in listed if key in self.paths]
      result[split] = {
        "listed": len(listed),
        "found": len(found),
        "missing": len(listed) - len(found),
        "unreadable": sum(key in self.bad for key in found),
        "boxes": sum(len(self.lists.boxes.get(key, ())) for key in found),
        "patients": len({self.lists.entries[key].patient_id for key in found}),
      }
    return result

  def patients_in_both(self) -> set[int]:
    """Return the patients in train and validation: a given list may do so."""
    train, validation = (
      {
        self.lists.entries[key].patient_id
        for key, name in self.lists.split_of.items()
        if name == split
      }
      for split in ("train", "validation")
    )
    return train & validation

  def kinds(self) -> dict[str, int]:
    """Return how often each `PNG L 1024x1024` occurs, most frequent first."""
    kinds = collections.Counter(p.describe() for p in self.probes.values())
    return dict(kinds.most_common())

  def odd_sizes(self) -> list[str]:
    """Return the images of another size than most, one sentence each."""
    sizes = collections.Counter(p.width for p in self.probes.values())
    most = sizes.most_common(1)[0][0] if sizes else 0
    return [
      f"{self.paths[key]} is {probe.describe()}, most are {most}x{most}"
      for key, probe in sorted(self.probes.items())
      if probe.width != most
    ]

  def storage(self, size: int) -> dict[str, int]:
    """Return how many images are stored as they are, and how many are not.

    `kept` bytes untouched, `converted` to grey 8 bits at the same size,
    `reduced` and `enlarged` by resizing.
    """
    result = dict.fromkeys(("kept", "converted", "reduced", "enlarged"), 0)
    for probe in self.probes.values():
      if probe.as_is(size):
        result["kept"] += 1
      elif (probe.width, probe.height) == (size, size):
        result["converted"] += 1
      else:
        small = min(probe.width, probe.height) < size
        result["enlarged" if small else "reduced"] += 1
    return result


def take_survey(
  root: str | os.PathLike[str],
  *,
  validation: str = "seed34",
  decode: bool = False,
) -> Survey:
  """Look through a folder: lists, images and every image's header.

  Args:
    root: The folder in the official layout.
    validation: `seed34` or `official_val_75312` (needs `val_list.txt`).
    decode: Decode every image, which finds damage inside a file too, at about
      100 images a second and core.

  Raises:
    FileNotFoundError: The folder, a list or every image is missing.
  """
  root = pathlib.Path(root)
  if not root.is_dir():
    raise FileNotFoundError(
      f"No folder {root}. Give the folder with NIH's images and lists "
      "(manual_dir)."
    )
  faults = Faults()
  read = catalogue.join_lists(root, validation, faults)
  images = folder.find_images(root)
  faults.extend(
    f"{name} lies there twice: {first} and {second}; keep one"
    for name, (first, second) in images.doubles.items()
  )
  paths = {
    key: images.paths[key] for key in read.split_of if key in images.paths
  }
  surplus = [path for key, path in images.paths.items() if key not in paths]
  if read.split_of and not paths:
    faults.append(_no_listed_image(images, read))
  probes, bad = _probe_all(paths, decode)
  return Survey(root, read, paths, probes, bad, surplus, faults, images.clutter)


def metadata(found: Survey, *, size: int, validation: str) -> dict[str, object]:
  """Return what a dataset says of its making, ready for JSON."""
  files = {
    role: {
      "name": file.path.name,
      "sha256": file.sha256,
      "official": file.sha256 in catalogue.OFFICIAL_SHA256,
    }
    for role, file in found.lists.files.items()
  }
  present = {key: found.lists.split_of[key] for key in found.probes}
  return {
    "findings": list(findings.FINDINGS),
    "boxed_findings": list(findings.BOXED_FINDINGS),
    "size": size,
    "resize_filter": "lanczos",
    "data_entry_version": lists.data_entry_version(
      found.lists.files["data_entry"]
    ),
    "files": files,
    "validation": validation,
    "split_hash": splits.split_hash(found.lists.split_of),
    "present_hash": splits.split_hash(present),
    "counts": found.counts(),
    "patients_in_train_and_validation": len(found.patients_in_both()),
    "surplus_images": len(found.surplus),
    "source_images": found.kinds(),
    "storage": found.storage(size),
    "quarantine": dict(sorted(found.bad.items())),
  }


def report(found: Survey) -> str:
  """Return the survey in words: counts, kinds of images, what is missing."""
  lines = [f"{found.folder}:"]
  for split, count in found.counts().items():
    lines.append(
      f"  {split:10s} {count['found']:7,} of {count['listed']:7,} listed images"
      f" found, {count['missing']:7,} missing, {count['boxes']:5,} boxes,"
      f" {count['patients']:6,} patients"
    )
  kinds = [f"{n:,} {kind}" for kind, n in found.kinds().items()]
  lines.append(f"  images: {'; '.join(kinds[:8]) or 'none'}")
  if len(kinds) > 8:
    lines.append(f"          and {len(kinds) - 8} more kinds")
  if both := found.patients_in_both():
    lines.append(f"  patients in train and in validation: {len(both):,}")
  lines.append(f"  in no list (not used): {len(found.surplus):,}")
  if found.clutter:
    lines.append(f"  hidden and system files (not used): {found.clutter:,}")
  file = found.lists.files["data_entry"]
  lines.append(
    f"  {file.path.name}, version {lists.data_entry_version(file)}; split hash "
    f"{splits.split_hash(found.lists.split_of)}"
  )
  return "\n".join(lines)


def bad_images(found: Survey, shown: int = 20) -> str:
  """Return the unreadable images, one a line."""
  return bullets([found.bad[key] for key in sorted(found.bad)], shown)


def _no_listed_image(images: folder.Images, read: Catalogue) -> str:
  return (
    f"{len(images.paths)} images, none of them listed; they are called for "
    f"example {next(iter(images.paths.values()))}, the list has "
    f"{next(iter(read.split_of))}.png. Keep NIH's file names"
  )


def _probe_all(
  paths: Mapping[str, str], decode: bool
) -> tuple[dict[str, encoding.Probe], dict[str, str]]:
  probes, bad = {}, {}
  with futures.ThreadPoolExecutor() as pool:
    results = pool.map(functools.partial(_try_probe, decode), paths.values())
    for key, result in zip(paths, results):
      if isinstance(result, str):
        bad[key] = result
      else:
        probes[key] = result
  return probes, bad


def _try_probe(decode: bool, path: str) -> encoding.Probe | str:
  try:
    return encoding.probe(path, decode=decode)
  except ValueError as error:
    return str(error)
