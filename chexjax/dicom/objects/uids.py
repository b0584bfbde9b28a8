"""Unique identifiers that a second run makes again."""

from pydicom.uid import UID, generate_uid

from chexjax.dicom.objects.result import Algorithm


def derived_uid(source: str, algorithm: Algorithm, kind: str) -> UID:
  """Return the UID of something made of a film.

  Args:
    source: SOP Instance UID of the film.
    algorithm: weights and settings; others give another UID.
    kind: what it is, such as `report` or `series of reports`.

  Returns:
    The same UID for the same arguments.
  """
  return generate_uid(entropy_srcs=[source, algorithm.digest, kind])


def device_uid(algorithm: Algorithm) -> UID:
  """Return the UID of the algorithm as an observer."""
  return generate_uid(entropy_srcs=["chexjax", algorithm.digest])
