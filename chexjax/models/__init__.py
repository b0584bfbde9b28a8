"""Linen modules, from the backbones to the whole model."""

from chexjax.models.classification import ClassificationModule
from chexjax.models.densenet import DenseNet
from chexjax.models.detection import CropClassifier, DetectionHead
from chexjax.models.fpn import FPN
from chexjax.models.model import (
  ChexModel,
  Logits,
  decode_regions,
  released_options,
)
from chexjax.models.resnet import ResNet
from chexjax.models.saliency_cams import saliency_cams
from chexjax.models.tracing import for_platform
from chexjax.models.untrained import untrained_regions

__all__ = [
  "FPN",
  "ChexModel",
  "ClassificationModule",
  "CropClassifier",
  "DenseNet",
  "DetectionHead",
  "Logits",
  "ResNet",
  "decode_regions",
  "for_platform",
  "released_options",
  "saliency_cams",
  "untrained_regions",
]
