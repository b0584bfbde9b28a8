"""`as_dataset` over array_record, which TFDS itself does not offer."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow_datasets.public_api as tfds


def as_dataset(
  builder: tfds.core.DatasetBuilder,
  split: Any,
  *,
  decoders: Any,
  read_config: Any,
  shuffle: bool,
) -> Any:
  """Return a `tf.data.Dataset` over a builder's array_record files.

  Args:
    builder: A prepared builder.
    split: A split or slice of it, for example `test[:10%]`.
    decoders: As in `tfds.load`.
    read_config: As in `tfds.load`; only `shuffle_seed` is used.
    shuffle: Shuffle the single examples, anew in each epoch without a seed.

  Raises:
    ValueError: `read_config` asks for what only TFRecord files give.
  """
  import tensorflow as tf  # Only who asks for a tf.data.Dataset needs it.

  read_config = read_config or tfds.ReadConfig()
  if read_config.add_tfds_id or read_config.input_context:
    raise ValueError(
      "add_tfds_id and input_context need TFRecord files; build with "
      'tfds.builder(..., file_format="tfrecord")'
    )
  features = builder.info.features
  if isinstance(decoders, tfds.decode.PartialDecoding):
    features = decoders.extract_features(features)
    decoders = decoders.decoders
  source = builder.as_data_source(
    split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES
  )

  def records() -> Iterator[bytes]:
    order = np.arange(len(source))
    if shuffle:
      order = np.random.default_rng(read_config.shuffle_seed).permutation(order)
    for index in order:
      yield source[index]

  dataset = tf.data.Dataset.from_generator(
    records, output_signature=tf.TensorSpec((), tf.string)
  ).apply(tf.data.experimental.assert_cardinality(len(source)))
  return dataset.map(
    lambda record: features.deserialize_example(record, decoders=decoders),
    num_parallel_calls=tf.data.AUTOTUNE,
  )
