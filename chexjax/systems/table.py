"""The systems by name. A new one is a file and an entry here."""

from chexjax.systems.acol import Acol, both_heads_loss
from chexjax.systems.base import System
from chexjax.systems.cam import Cam
from chexjax.systems.cral import Cral
from chexjax.systems.fpn_lse_lba import FpnLseLba
from chexjax.systems.li2018 import Li2018
from chexjax.systems.li2018_boxes import boxes_loss
from chexjax.systems.ma2019 import Ma2019, focal_loss
from chexjax.systems.pcam import Pcam
from chexjax.systems.pylon import Pylon
from chexjax.systems.wang2017 import Wang2017, batch_weighted_loss
from chexjax.systems.wsrpn import Wsrpn
from chexjax.systems.wsrpn_loss import wsrpn_loss
from chexjax.systems.yao2018 import Yao2018

OURS = "chexjax"  # `models.ChexModel`, which has three stages.

SYSTEMS: dict[str, System] = {
  "cam": System(
    "CAM (mean pooling)",
    Cam,
    {"cam": "minmax", "grad_cam": "minmax", "grad_cam_plus_plus": "minmax"},
  ),
  "wang2017": System(
    "Wang et al. 2017",
    Wang2017,
    {"transition": "minmax"},
    loss=batch_weighted_loss,
    assumed="The transition layer is a 1x1 convolution with bias and ReLU, as "
    "wide as the backbone; the whole backbone is trained; optimizer, "
    "augmentation and input are ours.",
  ),
  "li2018_like": System(
    "Li et al. 2018, in the manner of",
    Li2018,
    {"patch": "none"},
    assumed="16 x 16 patches and the factors' range are from public code; "
    "schedule and regions are not known. No box is trained on.",
  ),
  "li2018_like_boxes": System(
    "Li et al. 2018, in the manner of, trained on boxes",
    Li2018,
    {"patch": "none"},
    loss=boxes_loss,
    assumed="As li2018_like; a patch is inside a box if its centre is.",
    boxes=True,
  ),
  "cral_like": System(
    "CRAL (Guan & Huang 2018), in the manner of",
    Cral,
    {"weighted_cam": "minmax", "attention": "none"},
    assumed="The attention's three layers are ours; the authors' two variants "
    "were not found.",
  ),
  "ma2019_like": System(
    "Ma et al. 2019, in the manner of",
    Ma2019,
    {"fused_cam": "minmax"},
    loss=focal_loss,
    assumed="The formulas of the attention and of its loss were not found: a "
    "sigmoid of a 1x1 convolution, and no attention loss. Both backbones are "
    "the same network.",
  ),
  "yao2018_like": System(
    "Yao et al. 2018, in the manner of",
    Yao2018,
    {"lse_lba": "none"},
    assumed="The network is second-hand; r0 = 10, one sharpness for each "
    "finding, from scratch.",
  ),
  "yao2018_like_r5": System(
    "Yao et al. 2018, in the manner of, r0 = 5",
    Yao2018,
    {"lse_lba": "none"},
    options={"r0": 5.0},
    assumed="As yao2018_like, with another lower bound of the sharpness.",
  ),
  "yao2018_like_r0": System(
    "Yao et al. 2018, in the manner of, r0 = 0",
    Yao2018,
    {"lse_lba": "none"},
    options={"r0": 0.0},
    assumed="As yao2018_like, with another lower bound of the sharpness.",
  ),
  "fpn_lse_lba": System(
    "our FPN and saliency heads, LSE-LBA on logits",
    FpnLseLba,
    {"sal": "none"},
  ),
  "pcam": System("PCAM (Ye et al. 2020)", Pcam, {"pcam": "none"}),
  "pylon": System("PYLON (Preechakul et al. 2022)", Pylon, {"pylon": "none"}),
  "acol": System(
    "ACoL (Zhang et al. 2018)",
    Acol,
    {"acol": "minmax"},
    loss=both_heads_loss,
    assumed="Each finding is erased by its own map, not by the label; both "
    "heads are 1x1 convolutions; the first one's logit is the score.",
  ),
  "wsrpn": System(
    "WSRPN (Müller et al. 2024)",
    Wsrpn,
    {"regions": "none", "cells": "none"},
    loss=wsrpn_loss,
    assumed="Built after the authors' code. The map is the noisy-OR of the "
    "regions' probabilities times their Gaussians; their own boxes are not "
    "scored. No finding means none of the run's findings; optimizer, "
    "augmentation and input are ours.",
  ),
}
NAMES = (*SYSTEMS, OURS)


def trains_on_boxes(system: str) -> bool:
  """Return whether a system's loss reads boxes.

  Args:
    system: a name of the table, or `chexjax`, which is weakly supervised.
  """
  return system != OURS and SYSTEMS[system].boxes
