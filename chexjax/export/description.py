"""What a user of an exported file has to know, as JSON."""

from typing import Any

from chexjax.evaluation.outputs.results_json import DISCLAIMER
from chexjax.export.program import outputs_of
from chexjax.inference.thresholds import percentiles_of
from chexjax.runtime import provenance
from chexjax.weights.model_info import ModelInfo

FORMAT = "chexjax-export/1"
_SHAPES = {
  "squeeze": "both sides are scaled to the square, whatever the film's shape",
  "letterbox": "the longer side fills the square, the rest is 0 evenly on "
  "both sides",
}


def describe(info: ModelInfo, *, kind: str, digest: str) -> dict[str, Any]:
  """Return the record that lies beside an exported file.

  Args:
    info: of the model.
    kind: `stablehlo` or `onnx`.
    digest: of the weights; see `program.digest_of`.

  Returns:
    What JSON can hold.
  """
  size = info.image_size
  percentiles, origin = percentiles_of(info)
  return {
    "format": FORMAT,
    "disclaimer": DISCLAIMER,
    "kind": kind,
    "weights_sha256": digest,
    "source": info.source,
    "preset": info.preset,
    "findings": list(info.findings),
    "input": {
      "name": "films",
      "shape": ["batch", size, size, 1],
      "dtype": "uint8",
      "unit": "grey 0..255, air dark; the program normalises it",
    },
    "preprocessing": {
      "size": size,
      "orientation": "upright, EXIF's turn applied",
      "grey": "Pillow's mode L: 16 bits are divided by 257, colours by luma",
      "shape": info.shape,
      "shape_means": _SHAPES[info.shape],
      "resize": "Lanczos over the whole support (Pillow's resize); a film that "
      "has the size is left alone",
    },
    "outputs": outputs_of(info),
    "box_map": info.box_map,
    "thresholds": percentiles,
    "thresholds_mean": "share of the pixels of box_map below the cut of a box",
    "thresholds_from": origin,
    "score_cuts": {n: info.score_cuts.get(n) for n in info.findings},
    "score_cuts_mean": "probability from which on a finding counts as "
    "predicted; null where nobody has chosen any",
    "provenance": provenance.collect(),
  }
