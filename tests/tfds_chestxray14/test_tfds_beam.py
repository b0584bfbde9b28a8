"""Building through Apache Beam; skipped without it."""

import importlib.util

import pytest
import tensorflow_datasets as tfds

pytestmark = pytest.mark.skipif(
  importlib.util.find_spec("apache_beam") is None,
  reason="apache-beam is not installed",
)


def test_beam_gives_the_same_records(drawn, tmp_path, monkeypatch):
  from apache_beam.options import pipeline_options

  from tfds_chestxray14 import builder as builder_lib

  # Several shards a split, so that Beam has something to spread.
  monkeypatch.setitem(builder_lib.SHARD_IMAGES, 128, 5)
  builders = []
  for name, beam in (
    ("plain", {}),
    (
      "beam",
      {
        "beam_runner": "DirectRunner",
        "beam_options": pipeline_options.PipelineOptions([]),
      },
    ),
  ):
    builder = tfds.builder("chest_xray14/128px", data_dir=tmp_path / name)
    builder.download_and_prepare(
      download_config=tfds.download.DownloadConfig(
        manual_dir=drawn.path, **beam
      )
    )
    builders.append(builder)
  plain, beam = builders
  assert beam.info.splits["train"].shard_lengths == [5, 5, 5, 5, 5, 3]
  assert dict(beam.info.metadata) == dict(plain.info.metadata)
  raw = tfds.decode.DeserializeMethod.RAW_BYTES
  for split in plain.info.splits:
    one, two = (
      list(b.as_data_source(split, deserialize_method=raw)) for b in builders
    )
    assert one == two
