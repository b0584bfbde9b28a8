"""DICOM films drawn with pydicom, one attribute odd at a time."""

import numpy as np
import pytest

pydicom = pytest.importorskip("pydicom")
from pydicom import uid  # noqa: E402
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402

DX = uid.DigitalXRayImageStorageForPresentation
NAME, NUMBER = "Geheim^Namenlos", "SECRET-4711"
WIDTH, HEIGHT = 64, 48


def ramp(bits=12, *, width=WIDTH, height=HEIGHT):
  """Values from 0 to the highest, steeper downwards than across."""
  steps = np.add.outer(2 * np.arange(height), np.arange(width))
  return (steps * (2**bits - 1) // steps.max()).astype(np.uint16)


def film(values=None, *, bits=12, syntax=uid.ExplicitVRLittleEndian, **tags):
  """Return a frontal digital radiograph; a tag of None is left out."""
  values = ramp(bits) if values is None else np.asarray(values)
  meta = FileMetaDataset()
  meta.MediaStorageSOPClassUID = tags.get("SOPClassUID") or DX
  meta.MediaStorageSOPInstanceUID = uid.generate_uid(entropy_srcs=["film"])
  meta.TransferSyntaxUID = syntax
  dataset = Dataset()
  dataset.file_meta = meta
  depth = 8 * values.dtype.itemsize
  told = {
    "SOPClassUID": DX,
    "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
    "Modality": "DX",
    "PatientName": NAME,
    "PatientID": NUMBER,
    "ViewPosition": "PA",
    "PatientOrientation": ["L", "F"],
    "PresentationIntentType": "FOR PRESENTATION",
    "Rows": values.shape[0],
    "Columns": values.shape[1],
    "SamplesPerPixel": 1 if values.ndim == 2 else values.shape[2],
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": depth,
    "BitsStored": min(bits, depth),
    "HighBit": min(bits, depth) - 1,
    "PixelRepresentation": int(values.dtype.kind == "i"),
  }
  for keyword, value in (told | tags).items():
    if value is not None:
      setattr(dataset, keyword, value)
  dataset.add_new("PixelData", "OW" if depth == 16 else "OB", b"")
  data = values.tobytes()
  dataset.PixelData = data + b"\0" * (len(data) % 2)
  return dataset


def table(first, entries, bits=16, *, kind="US"):
  """Return a sequence of one look-up table."""
  item = Dataset()
  signed = "SS" if first < 0 else "US"
  item.add_new("LUTDescriptor", signed, [len(entries) % 65536, first, bits])
  entries = np.asarray(entries)
  if kind == "OW":
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
  else:
    item.add_new("LUTData", "US", entries.tolist())
  return [item]


def write(dataset, path, *, preamble=True):
  """Write a data set, with or without what marks a file as DICOM."""
  path.parent.mkdir(parents=True, exist_ok=True)
  syntax = dataset.file_meta.TransferSyntaxUID
  if preamble:
    how = {"implicit_vr": False, "little_endian": True}
    how = how if syntax.is_private else {}
    dataset.save_as(path, enforce_file_format=True, **how)
  else:
    bare = Dataset(dataset)
    bare.save_as(
      path,
      implicit_vr=syntax.is_implicit_VR,
      little_endian=syntax.is_little_endian,
    )
  return path
