"""Which image is in train, validation and test."""

import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

# The authors' split: of the 28,008 patients of train_val_list.txt, 3,551.
_SEED = 34
_VALIDATION_PATIENTS = 3_551
_TRAIN_VAL_PATIENTS = 28_008


def seed34_validation(patients: Iterable[int]) -> set[int]:
  """Return the patients that the authors hold out for validation.

  `numpy.random.seed(34)`, permute the patients of train_val_list.txt in the
  order of Data_Entry_2017.csv, take the first 3,551 (Hermoza et al. 2020,
  released notebooks). Both versions of that csv are ordered by patient, so the
  patients are sorted here and the order of the rows does not matter. Of another
  number of patients n the same share is taken, round(n * 3551 / 28008), which
  is 3,551 on the official list.

  Args:
    patients: Patient ids of train_val_list.txt; repeats are ignored.
  """
  ordered = np.array(sorted(set(patients)), np.int64)
  count = round(len(ordered) * _VALIDATION_PATIENTS / _TRAIN_VAL_PATIENTS)
  # The legacy generator is the point: it gives the published split.
  state = np.random.RandomState(_SEED)
  return set(state.permutation(ordered)[:count].tolist())


def split_hash(split_of: Mapping[str, str]) -> str:
  """Return the SHA-256 of the sorted lines `split 00000001_000.png`.

  The same for every mirror: the ending is always `.png`, and lines end in a
  newline, so `sort | sha256sum` gives it too.

  Args:
    split_of: Split by image stem.
  """
  lines = sorted(f"{split} {key}.png\n" for key, split in split_of.items())
  return hashlib.sha256("".join(lines).encode()).hexdigest()


def storage_order(keys: Iterable[str]) -> list[str]:
  """Return the stems in the order of storage: by hash, so patients mix.

  A slice such as `train[:10%]` is then a sample of the split, and the order
  does not depend on the folder or the csv.
  """
  return sorted(keys, key=lambda key: hashlib.sha256(key.encode()).digest())
