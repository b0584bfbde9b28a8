"""The values that a film's file stores, decoded."""

from typing import Any

import numpy as np

from chexjax.dicom.codestream import Codestream
from chexjax.dicom.faults import FilmFault
from chexjax.dicom.pixel_module import PixelModule
from chexjax.dicom.quiet import quiet

_PALETTE = "PALETTE COLOR"


def transfer_syntax(dataset: Any) -> Any:
  """Return how a data set is encoded, as a UID of pydicom.

  Where the file does not say it, it follows from how its header is written.

  Args:
    dataset: a pydicom data set.
  """
  from pydicom import uid

  meta = getattr(dataset, "file_meta", None) or {}
  said = meta.get("TransferSyntaxUID")
  if said:
    return uid.UID(said)
  implicit, little = dataset.original_encoding
  if implicit or implicit is None:
    return uid.ImplicitVRLittleEndian
  return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


def check_decoder(dataset: Any, stream: Codestream | None = None) -> None:
  """Raise ValueError where nothing at hand decodes a film.

  Args:
    dataset: a pydicom data set.
    stream: what its compressed frame declares, None before it is looked at.

  Raises:
    ValueError: names the transfer syntax.
  """
  from pydicom import uid
  from pydicom.pixels import get_decoder

  syntax = transfer_syntax(dataset)
  try:
    known = get_decoder(syntax).is_available
  except NotImplementedError:
    known = False
  # GDCM's decoder of this syntax takes 8 bits alone.
  if syntax == uid.JPEGExtended12Bit and stream is not None:
    known = known and stream.precision == 8
  if not known:
    raise FilmFault(
      f"has pixels in {_name(syntax)}, which no decoder at hand reads; "
      "decompress it, for example with dcmdjpeg of DCMTK"
    )


def check_stream(module: PixelModule, stream: Codestream | None) -> None:
  """Raise ValueError where a compressed frame has another size than declared.

  Args:
    module: of the film.
    stream: what its compressed frame declares, None if it is not compressed.

  Raises:
    ValueError: gives both sizes.
  """
  if stream is None:
    return
  if (stream.width, stream.height) != (module.columns, module.rows):
    raise FilmFault(
      f"declares {module.columns}x{module.rows} pixels, but its compressed "
      f"frame {stream.width}x{stream.height}; not decoded"
    )


def stored_values(
  dataset: Any, module: PixelModule, stream: Codestream | None
) -> tuple[np.ndarray, PixelModule, list[str]]:
  """Decode a grey film; what lies above its bits is left out.

  Args:
    dataset: a pydicom data set, with its pixels.
    module: of the film.
    stream: what its compressed frame declares, None if it is not compressed.

  Returns:
    `[rows, columns]` int32; the module, with more stored bits where the decoded
    frame has them; and notes.

  Raises:
    ValueError: the pixels do not decode.
  """
  raw = _decode(dataset, module, raw=True)
  if raw.shape != (module.rows, module.columns):
    raise FilmFault(f"has pixels of the shape {list(raw.shape)}")
  values = raw.astype(np.int32)
  notes: list[str] = []
  if stream is not None and stream.precision > module.stored:
    top = int((values & 0xFFFF).max()) if not module.signed else 0
    if module.stored < top.bit_length() <= min(stream.precision, 16):
      notes.append(
        f"its values have {top.bit_length()} bits, though Bits Stored says "
        f"{module.stored}"
      )
      bits = stream.precision
      module = module._replace(stored=bits, high_bit=bits - 1)
  if stream is None:
    values = values >> (module.high_bit - module.stored + 1)
  values &= (1 << module.stored) - 1
  if module.signed:
    values = np.where(values > module.highest, values - (1 << module.stored),
                      values)  # fmt: skip
  return values, module, notes


def luma_of(dataset: Any, module: PixelModule) -> tuple[np.ndarray, list[str]]:
  """Decode a film in colour as its luma (ITU-R 601).

  Args:
    dataset: a pydicom data set, with its pixels.
    module: of the film.

  Returns:
    `[rows, columns]` uint8, and a note.

  Raises:
    ValueError: the pixels do not decode.
  """
  from pydicom.pixels import apply_color_lut

  colours = _decode(dataset, module, raw=False)
  top = (1 << module.stored) - 1
  if module.photometric == _PALETTE:
    with quiet():
      try:
        colours = apply_color_lut(colours, dataset)[..., :3]
      except Exception as error:  # pydicom raises many types.
        raise FilmFault("has a damaged colour palette") from error
    top = 255 if colours.dtype.itemsize == 1 else 65535
  if colours.shape != (module.rows, module.columns, 3):
    raise FilmFault(f"has pixels of the shape {list(colours.shape)}")
  luma = colours @ np.array([0.299, 0.587, 0.114])
  grey = np.rint(np.clip(luma / top, 0, 1) * 255).astype(np.uint8)
  if (np.ptp(colours, axis=-1) == 0).all():
    return grey, ["in three colours that are the same (a screenshot?)"]
  return grey, ["in colour, made grey (a photo or a screenshot?)"]


def _decode(dataset: Any, module: PixelModule, *, raw: bool) -> np.ndarray:
  """Return the one frame, with the header's contradictions settled."""
  from pydicom import uid
  from pydicom.pixels import get_decoder

  syntax = transfer_syntax(dataset)
  settled: dict[str, Any] = {
    "rows": module.rows,
    "columns": module.columns,
    "samples_per_pixel": module.samples,
    "bits_allocated": module.allocated,
    "bits_stored": module.stored,
    "pixel_representation": int(module.signed),
    "photometric_interpretation": module.photometric,
    "number_of_frames": 1,
    "correct_unused_bits": False,
  }
  if syntax == uid.JPEGBaseline8Bit:
    # GDCM fills up a frame that breaks off, and writes to the console.
    settled["decoding_plugin"] = "pillow"
  with quiet():
    try:
      decoder = get_decoder(syntax)
      values, _ = decoder.as_array(dataset, index=0, raw=raw, **settled)
    except Exception as error:  # Decoders raise many types.
      raise FilmFault(
        f"has pixels that do not decode ({_name(syntax)}); copy the file again"
      ) from error
  return values


def _name(syntax: Any) -> str:
  if syntax.name != syntax:
    return str(syntax.name)
  # A damaged UID may have swallowed what follows it.
  return f"transfer syntax {syntax}" if syntax.is_valid else "a damaged syntax"
