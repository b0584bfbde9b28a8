"""A model's results have a folder of their own."""

from typing import Any

import pytest

from chexjax.data.sources import Dataset
from chexjax.inference.scoring import score_model
from chexjax.report.results_folder import own_results


def test_a_second_evaluation_is_refused_before_its_work(tmp_path):
  nothing: Any = None
  dataset = Dataset({}, {"findings": ["Mass"]})
  with (
    own_results(tmp_path),
    pytest.raises(BlockingIOError, match=f"results to {tmp_path}; wait"),
  ):
    score_model(
      nothing, nothing, nothing, dataset, tmp_path,
      image_size=32, batch_size=1, stage=1,
    )  # fmt: skip
  assert [p.name for p in tmp_path.iterdir()] == [".scoring"]
