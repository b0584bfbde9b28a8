"""A run on some of the training patients."""

import numpy as np

from chexjax.training.datasets import some_patients


class Films:
  """Forty films of ten patients."""

  def __len__(self):
    return 40

  def annotation(self, index):
    return {"patient_id": index % 10, "file_name": b"%d.png" % index}

  __getitem__ = annotation


def patients_of(source):
  return {source.annotation(i)["patient_id"] for i in range(len(source))}


def test_whole_patients_are_taken_and_shares_are_nested():
  some = [some_patients(Films(), share, seed=3) for share in (0.2, 0.5)]
  assert [len(each) for each in some] == [8, 20]
  assert patients_of(some[0]) < patients_of(some[1])
  other = some_patients(Films(), 0.5, seed=4)
  assert patients_of(other) != patients_of(some[1])
  np.testing.assert_equal(len(some_patients(Films(), 0.01, seed=0)), 4)
