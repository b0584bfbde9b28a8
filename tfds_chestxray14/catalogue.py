"""The lists of a folder, joined: labels, boxes and split of every image."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

from tfds_chestxray14 import folder, lists, splits
from tfds_chestxray14.faults import Faults
from tfds_chestxray14.folder import ListFile
from tfds_chestxray14.lists import Box, Entry

VALIDATIONS: tuple[str, ...] = ("seed34", "official_val_75312")

# SHA-256 of NIH's own files, decompressed.
OFFICIAL_SHA256: dict[str, str] = {
  "88f75094e25ccc0c6f1f9cdfd4b2f94f9379a0ae07d5ff4dcf94242707b07462": (
    "Data_Entry_2017.csv"
  ),
  "dc1d2df67fdc1c5a7601d48699cda2b13dc2c4841488b4183dcf04884dbaca11": (
    "Data_Entry_2017_v2020.csv"
  ),
  "0bbfea9d4c4e9771481b3023b1bc9f0df9dea924453b12986beb29b0c4d0c95b": (
    "BBox_List_2017.csv"
  ),
  "61fbe896321c1c1c8b75f3e4f3a08e4fef6486d95ef8a667c31d4d60dca6cb81": (
    "train_val_list.txt"
  ),
  "3d0c44b68d287fd04f90c4f25df13428bba7b3e729f65715d5cf73a88e83d226": (
    "test_list.txt"
  ),
}


@dataclasses.dataclass
class Catalogue:
  """The lists of a folder, parsed and joined.

  A stem is a file's name without its ending, such as `00000001_000`.

  Attributes:
    files: The files by role (`data_entry`, `boxes`, `train_val`, `test`).
    entries: Row of Data_Entry by image stem.
    boxes: Boxes by image stem; only boxed images are keys.
    split_of: Split by image stem, of every listed image, present or not.
  """

  files: dict[str, ListFile]
  entries: dict[str, Entry]
  boxes: dict[str, list[Box]]
  split_of: dict[str, str]

  def __repr__(self) -> str:
    """Say how much there is; the lists themselves are 28 million letters."""
    return (
      f"Catalogue({len(self.entries):,} entries, boxes on {len(self.boxes):,} "
      f"images, {len(self.split_of):,} images in splits)"
    )


def read_lists(
  root: str | os.PathLike[str], validation: str = "seed34"
) -> Catalogue:
  """Read and join the lists of a folder in the official layout.

  Args:
    root: The folder.
    validation: `seed34` or `official_val_75312` (needs `val_list.txt`).

  Raises:
    FileNotFoundError: A list is missing.
    ValueError: A list is at fault; the first 20 faults and their count.
  """
  root = pathlib.Path(root)
  faults = Faults()
  result = join_lists(root, validation, faults)
  faults.raise_if_any(root)
  return result


def join_lists(
  root: pathlib.Path, validation: str, faults: Faults
) -> Catalogue:
  """Do what `read_lists` does, with the faults collected, not raised."""
  if validation not in VALIDATIONS:
    raise ValueError(f"validation must be of {VALIDATIONS}, got {validation!r}")
  names = dict(folder.LIST_NAMES)
  if validation != "seed34":
    names["validation"] = folder.VAL_LIST_NAMES
  files = folder.find_lists(root, names)
  entries = lists.read_entries(files["data_entry"], faults)
  if not entries:
    return Catalogue(files, entries, {}, {})
  boxes = lists.read_boxes(files["boxes"], entries, faults)
  stems = {
    role: lists.read_names(file, entries, faults)
    for role, file in files.items()
    if role not in ("data_entry", "boxes")
  }
  split_of = _assign(stems, entries, faults)
  return Catalogue(files, entries, boxes, split_of)


def _assign(
  stems: Mapping[str, list[str]], entries: Mapping[str, Entry], faults: Faults
) -> dict[str, str]:
  patients = {
    role: {entries[key].patient_id for key in keys}
    for role, keys in stems.items()
  }
  faults.extend(
    f"{key} is in train_val_list.txt and in test_list.txt; keep one"
    for key in sorted(set(stems["train_val"]) & set(stems["test"]))
  )
  faults.extend(
    f"patient {patient} has images in train_val_list.txt and in test_list.txt"
    for patient in sorted(patients["train_val"] & patients["test"])
  )
  if "validation" in stems:
    held_out = set(stems["validation"])
    faults.extend(
      f"{key} is in the validation list but not in train_val_list.txt"
      for key in sorted(held_out - set(stems["train_val"]))
    )
  else:
    chosen = splits.seed34_validation(patients["train_val"])
    held_out = {
      key for key in stems["train_val"] if entries[key].patient_id in chosen
    }
  split_of = {
    key: "validation" if key in held_out else "train"
    for key in stems["train_val"]
  }
  return split_of | dict.fromkeys(stems["test"], "test")
