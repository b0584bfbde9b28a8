"""Published figures on ChestX-ray14, with what they were measured on.

None of them is ours, and none compares with a figure on other data.
"""

from typing import NamedTuple


class PublishedOverlap(NamedTuple):
  """Mean overlap over the 8 boxed findings.

  Attributes:
    protocol: who chose the threshold.
    iou: mean IoU, or None.
    cdice: mean cDice, or None.
  """

  protocol: str
  iou: float | None
  cdice: float | None


class PublishedTIou(NamedTuple):
  """Mean share of boxes found over the 8 boxed findings.

  Attributes:
    protocol: who chose the threshold.
    found: T(0.3), T(0.5), T(0.6).
  """

  protocol: str
  found: tuple[float, float, float]


# Name -> mean AUC over the 14 findings.
AUC: dict[str, float | str] = {
  "Hermoza et al. 2020 (the paper)": 0.821,
  "Wang et al. 2017": 0.745,
  "Li et al. 2018": 0.739,
  "CRAL (Guan & Huang 2018)": 0.816,
  "Ma et al. 2019": 0.817,
  "independent DenseNet-121, official split": "0.805-0.811",
  "EVA-X-B (ViT, X-ray pre-training)": 0.835,
}

LOCALIZATION = {
  "paper, Sal": PublishedOverlap("oracle", 0.257, 0.342),
  "paper, Det": PublishedOverlap("oracle", 0.272, 0.372),
  "paper, Mix": PublishedOverlap("oracle", 0.285, 0.370),
  "Yao et al. 2018": PublishedOverlap("not stated", None, 0.206),
  "released weights, authors' notebook": PublishedOverlap(
    "oracle", 0.273, None
  ),
  "image-blind constant box": PublishedOverlap("oracle", 0.208, None),
  "image-blind constant box, other patients'": PublishedOverlap(
    "crossfit", 0.188, None
  ),
}

T_IOU = {
  "paper, Mix": PublishedTIou("oracle", (0.43, 0.23, 0.15)),
  "Wang et al. 2017": PublishedTIou("not stated", (0.22, 0.06, 0.03)),
  "released weights, authors' notebook": PublishedTIou(
    "oracle", (0.384, 0.182, 0.115)
  ),
  "image-blind constant box": PublishedTIou("oracle", (0.262, 0.165, 0.109)),
  "image-blind constant box, other patients'": PublishedTIou(
    "crossfit", (0.256, 0.147, 0.096)
  ),
}
