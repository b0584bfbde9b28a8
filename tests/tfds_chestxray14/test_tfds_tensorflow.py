"""With TensorFlow: `as_dataset` and TFDS's own test case.

Skipped without TensorFlow. To run them: `pip install tensorflow-cpu`.
"""

import importlib.util

import numpy as np
import pytest
import tensorflow_datasets as tfds

import tfds_chestxray14

pytestmark = pytest.mark.skipif(
  importlib.util.find_spec("tensorflow") is None,
  reason="TensorFlow is not installed; the dataset does not need it",
)


@pytest.mark.parametrize("file_format", [None, "tfrecord"])
def test_as_dataset(drawn, tmp_path, file_format):
  builder = tfds.builder(
    "chest_xray14/128px", data_dir=tmp_path / "tfds", file_format=file_format
  )
  manual = tfds.download.DownloadConfig(manual_dir=drawn.path)
  builder.download_and_prepare(download_config=manual)
  examples = list(tfds.as_numpy(builder.as_dataset(split="test")))
  assert len(examples) == 16
  boxed = next(e for e in examples if len(e["objects"]["label"]))
  np.testing.assert_allclose(
    boxed["objects"]["bbox"], [[0.5, 0.25, 0.75, 0.375], [0, 0, 1, 1]]
  )
  assert boxed["image"].shape == (128, 128, 1)
  half = builder.as_dataset(split="test[:50%]", shuffle_files=True)
  names = {example["file_name"] for example in tfds.as_numpy(half)}
  assert names == {example["file_name"] for example in examples[:8]}


def test_tfds_own_test_case(drawn, tmp_path):
  import unittest

  from tensorflow_datasets import testing

  class ChestXray14Test(testing.DatasetBuilderTestCase):
    DATASET_CLASS = tfds_chestxray14.ChestXray14
    EXAMPLE_DIR = str(drawn.path)
    SPLITS = {"train": 28, "validation": 4, "test": 16}  # noqa: RUF012
    BUILDER_CONFIG_NAMES_TO_TEST = ["128px", "512px"]  # noqa: RUF012

  suite = unittest.defaultTestLoader.loadTestsFromTestCase(ChestXray14Test)
  result = unittest.TestResult()
  suite.run(result)
  assert result.testsRun >= 5
  assert not result.failures + result.errors, result.failures + result.errors
