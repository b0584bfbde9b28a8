"""The dump of a step that was not finite."""

import numpy as np

from chexjax.training import not_finite


class Source:
  def annotation(self, index):
    return {"file_name": f"{index}.png".encode()}

  def __getitem__(self, index):
    image = np.full((4, 4, 1), index, np.uint8)
    labels = np.array([index % 2, 1])
    return self.annotation(index) | {"image": image, "labels": labels}


class Saved:
  def latest_step(self):
    return 10


def test_a_batch_is_kept_with_its_names(tmp_path):
  index = np.array([3, 6])
  said = not_finite.keep(Source(), tmp_path, 1, Saved(), 12, index)
  assert "nan_stage1_step12.npz" in said
  assert "the last checkpoint is of step 10" in said
  with np.load(tmp_path / "nan_stage1_step12.npz") as kept:
    assert list(kept["file_name"]) == ["3.png", "6.png"]
    np.testing.assert_array_equal(kept["image"][:, 0, 0, 0], index)
    np.testing.assert_array_equal(kept["labels"], [[1, 1], [0, 1]])
    np.testing.assert_array_equal(kept["index"], index)
