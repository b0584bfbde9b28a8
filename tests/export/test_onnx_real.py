"""A converted graph on 20 real films."""

import numpy as np
import pytest
from test_onnx import check_agreement

from chexjax.data.images import read_film
from chexjax.weights.loading import load_model

pytest.importorskip("onnxruntime")


@pytest.mark.shared
def test_real_films(shared, tiny_run, exported):
  paths = sorted((shared / "nih" / "images_128").iterdir())[::400][:20]
  films = np.stack([read_film(path, 128).image for path in paths])
  assert len(films) == 20
  made = (exported / "exported_onnx" / "model.onnx").read_bytes()
  check_agreement(*load_model(tiny_run), films, made)
