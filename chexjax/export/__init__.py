"""A model as a file for other programs: StableHLO, or ONNX."""

from chexjax.export.files import KINDS, export_model

__all__ = ["KINDS", "export_model"]
