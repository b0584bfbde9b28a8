"""One example: its features, and how it is made from a file and the lists."""

import collections
import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from typing import Any

import numpy as np
import tensorflow_datasets.public_api as tfds
from tensorflow_datasets.core.utils import tqdm_utils

from tfds_chestxray14 import encoding, findings
from tfds_chestxray14.lists import Box, Entry

_LABELS_DOC = "1 where the finding is labelled present, else 0; in this order: "
_BOXES_DOC = (
  "Boxes drawn by a radiologist, on 880 images of the test split. A boxed "
  "image often has further positive labels without a box: no box is not no "
  "finding."
)
_AGE_DOC = (
  "Age in years, as the csv has it. The 2017 csv holds errors up to 414, v2020 "
  "corrects them."
)


@dataclasses.dataclass(frozen=True)
class Record:
  """What one example is made from."""

  path: str
  entry: Entry
  boxes: tuple[Box, ...]


@dataclasses.dataclass(frozen=True)
class Shard:
  """Makes the examples of one shard; picklable, so that Beam can send it.

  Attributes:
    name: Shown beside the progress bar.
    records: In the order of storage.
    size: Height and width stored, in pixels.
    workers: Threads that decode, resize and encode (Pillow and zlib release
      the interpreter lock).
    count: Called for every example instead of showing a bar; such a shard is
      not picklable.
  """

  name: str
  records: tuple[Record, ...]
  size: int
  workers: int
  count: Callable[[], None] | None = None

  def __call__(self) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and example, in order, a bounded number of images ahead."""
    pending: collections.deque[Any] = collections.deque()
    records: Iterable[Record] = self.records
    if self.count is None:
      # TFDS's own bar, so that tfds.disable_progress_bar() holds.
      records = tqdm_utils.tqdm(
        records, desc=self.name, unit=" images", leave=False, disable=None
      )
    with futures.ThreadPoolExecutor(self.workers) as pool:
      try:
        for record in records:
          image = pool.submit(encoding.stored, record.path, self.size)
          pending.append((record, image))
          if len(pending) > 4 * self.workers:
            yield self._counted(*pending.popleft())
        while pending:
          yield self._counted(*pending.popleft())
      finally:
        for _, image in pending:
          image.cancel()

  def _counted(
    self, record: Record, image: "futures.Future[bytes]"
  ) -> tuple[str, dict[str, Any]]:
    example = _example(record, image)
    if self.count is not None:
      self.count()
    return example


def cores() -> int:
  """Return how many cores this process may use."""
  try:
    return len(os.sched_getaffinity(0))
  except AttributeError:  # Not on every system.
    return os.cpu_count() or 1


def features(size: int) -> tfds.features.FeaturesDict:
  """Return the features of a stored size."""
  f = tfds.features
  return f.FeaturesDict(
    {
      "image": f.Image(
        shape=(size, size, 1),
        doc="Grey image, 8 bits. PNG, or a mirror's JPEG as it came.",
      ),
      "labels": f.Tensor(
        shape=(len(findings.FINDINGS),),
        dtype=np.uint8,
        doc=_LABELS_DOC + ", ".join(findings.FINDINGS) + ".",
      ),
      "objects": f.Sequence(
        {
          "bbox": f.BBoxFeature(
            doc="[ymin, xmin, ymax, xmax] as fractions, origin top left."
          ),
          "label": f.ClassLabel(
            names=findings.FINDINGS, doc="Finding, in the order of `labels`."
          ),
        },
        doc=_BOXES_DOC,
      ),
      "file_name": f.Text(doc="Image Index of the csv, e.g. 00000001_000.png."),
      "patient_id": f.Scalar(np.int32, doc="Patient, 1 to 30805."),
      "age": f.Scalar(np.int32, doc=_AGE_DOC),
      "sex": f.ClassLabel(names=findings.SEXES, doc="Patient Gender."),
      "view": f.ClassLabel(
        names=findings.VIEWS,
        doc="AP (from the front, often lying) or PA (from the back, standing).",
      ),
      "follow_up": f.Scalar(
        np.int32, doc="The patient's how-manieth image, from 0."
      ),
    }
  )


def _example(
  record: Record, image: "futures.Future[bytes]"
) -> tuple[str, dict[str, Any]]:
  entry = record.entry
  return entry.file_name, {
    "image": image.result(),
    "labels": np.array(
      [x in entry.labels for x in findings.FINDINGS], np.uint8
    ),
    "objects": [
      {
        "bbox": tfds.features.BBox(
          ymin=box.ymin, xmin=box.xmin, ymax=box.ymax, xmax=box.xmax
        ),
        "label": box.label,
      }
      for box in record.boxes
    ],
    "file_name": entry.file_name,
    "patient_id": entry.patient_id,
    "age": entry.age,
    "sex": entry.sex,
    "view": entry.view,
    "follow_up": entry.follow_up,
  }
