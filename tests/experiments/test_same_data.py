"""A workdir's run goes on with its own data only."""

import pytest

from chexjax.data.sources import Dataset
from experiments import same_data
from experiments.configs import Config

METADATA = {
  "findings": ["Mass", "Nodule"],
  "size": 128,
  "validation": "seed34",
  "split_hash": "aa",
  "files": {"labels.csv": {"sha256": "bb"}},
  "counts": {"train": 3},
}


def test_other_data_is_refused_by_the_name_of_what_differs(tmp_path):
  config = Config(workdir=tmp_path)
  same_data.check(config, Dataset({}, METADATA))
  # How many images were found may change between two machines.
  same_data.check(config, Dataset({}, METADATA | {"counts": {"train": 4}}))
  for field, value in (
    ("findings", ["Mass"]),
    ("split_hash", "cc"),
    ("files", {"labels.csv": {"sha256": "dd"}}),
  ):
    with pytest.raises(ValueError, match=f"began with other data: {field}: "):
      same_data.check(config, Dataset({}, METADATA | {field: value}))
