import numpy as np

from chexjax import evaluation
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.protocols.localization import value_tree

FINDINGS = ("Mass", "Nodule")
FRAME = (64, 64)


def test_a_scored_model_comes_back_as_it_was(parts, tmp_path):
  images, table = parts
  evaluation_npz.save(tmp_path / "evaluation.npz", images, table)
  back = evaluation_npz.load(tmp_path / "evaluation.npz")
  assert back.images.names == images.names
  np.testing.assert_array_equal(back.images.scores, images.scores)
  assert back.table.maps == table.maps
  assert back.table.frame == FRAME
  mine = value_tree(evaluation.measure_table(table, FINDINGS))
  theirs = value_tree(evaluation.measure_table(back.table, FINDINGS))
  assert mine == theirs
