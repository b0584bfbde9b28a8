"""Who may choose the threshold: the boxes that are scored, or others.

`oracle` chooses, per finding, the candidate with the best mean IoU on the
very boxes it is scored on (as the paper does); `crossfit` chooses on the boxes
of the other patients. A candidate is a threshold, or, image-blind, a constant
box: one of the true boxes (the medoid). The oracle flatters: never print it
alone.
"""

from typing import NamedTuple

import numpy as np

from chexjax.evaluation import overlap

PROTOCOLS = ("oracle", "crossfit")
T_IOU: tuple[float, ...] = (0.3, 0.5, 0.6)


def folds_by_patient(patients, *, folds=5, seed=0):
  """Deal patients into folds, all rows of one together; order does not matter.

  Args:
    patients: `[P]`.
    folds: number of folds; with fewer patients, one fold each.
    seed: int, or a sequence of them.

  Returns:
    `[P]` int fold numbers.
  """
  names, number = np.unique(np.asarray(patients, str), return_inverse=True)
  place = np.random.default_rng(seed).permutation(names.size)
  return (place % max(1, min(folds, names.size)))[number]


def choose(iou):
  """Give the column of `[P, C]` with the best mean; the first among equals."""
  return int(np.argmax(np.asarray(iou).mean(0)))


def oracle(iou):
  """Choose on the scored rows.

  Args:
    iou: `[P, C]` IoU of every row under every candidate, one finding.

  Returns:
    `[1, P]` int, the candidate for every row: everywhere the same one.
  """
  return np.full((1, len(iou)), choose(iou))


def crossfit(iou, patients, *, owners=None, folds=5, repeats=2, seed=0):
  """Choose for every row on the rows of other patients.

  Patients of the finding are dealt into folds, `repeats` times anew; a fold's
  candidate is chosen on the rows outside it.

  Args:
    iou: `[P, C]` IoU of every row under every candidate, one finding.
    patients: `[P]`.
    owners: `[C]` patients the candidates come from, where they come from one:
      a candidate of a fold's own patient is not open to that fold.
    folds: number of folds.
    repeats: number of times to deal anew.
    seed: int.

  Returns:
    `[repeats, P]` int, or None with fewer than two patients: nobody else to
    choose on.
  """
  iou, patients = np.asarray(iou), np.asarray(patients, str)
  if np.unique(patients).size < 2:
    return None
  chosen = np.zeros((repeats, len(patients)), int)
  for repeat in range(repeats):
    fold = folds_by_patient(patients, folds=folds, seed=(seed, repeat))
    for held in np.unique(fold):
      rest = iou[fold != held].mean(0)
      if owners is not None:
        rest = np.where(np.isin(owners, patients[fold == held]), -1, rest)
      chosen[repeat, fold == held] = np.argmax(rest)
  return chosen


class Measures(NamedTuple):
  """Values per row of one finding under one protocol; None: undefined.

  Attributes:
    iou: `[R, P]` under the chosen candidate, R times anew.
    cdice: `[R, P]`; a map's does not depend on the choice.
    chosen: `[R, P]` int, the candidates.
  """

  iou: np.ndarray | None
  cdice: np.ndarray | None
  chosen: np.ndarray | None

  def means(self, t_iou=T_IOU):
    """Average over rows and repeats.

    Returns:
      Path of keys -> float or None: `("iou",)`, `("cdice",)`, and
      `("t_iou", "0.3")`, the share of rows with an IoU of at least .3, ...
    """
    iou, cdice = self.iou, self.cdice
    return {
      ("iou",): None if iou is None else float(iou.mean()),
      ("cdice",): None if cdice is None else float(cdice.mean()),
      **{
        ("t_iou", str(t)): None if iou is None else float((iou >= t).mean())
        for t in t_iou
      },
    }


def under_choice(chosen, iou, cdice=None):
  """Look up `Measures` under the chosen candidates.

  Args:
    chosen: `[R, P]` int, of `oracle` or `crossfit`, or None.
    iou: `[P, C]`.
    cdice: `[P, C]`; `[P]` where it knows no candidates; or None.
  """
  iou = np.asarray(iou)
  rows = np.arange(len(iou))
  if cdice is not None and np.ndim(cdice) == 1:
    cdice = np.asarray(cdice)[None]
  elif cdice is not None:
    cdice = None if chosen is None else np.asarray(cdice)[rows, chosen]
  picked = None if chosen is None else iou[rows, chosen]
  return Measures(picked, cdice, chosen)


def constant_boxes(true_box):
  """Give the image-blind candidates: every true box, for every image.

  Args:
    true_box: `[P, 4]` boxes of one finding, in one frame.

  Returns:
    `[P, P]` IoU and `[P, P]` cDice (box mask against box mask) of row p when
    it is answered with box c.
  """
  pairs = true_box[:, None], true_box[None]
  return overlap.iou(*pairs), overlap.dice(*pairs)


def measure(iou, cdice, patients, *, owners=None, **options):
  """Give one finding's `Measures` under each of `PROTOCOLS`.

  Args:
    iou: `[P, C]`, C candidates; P may be 0.
    cdice: `[P, C]`, `[P]` or None.
    patients: `[P]`.
    owners: see `crossfit`.
    **options: `folds`, `repeats`, `seed` of `crossfit`.
  """
  if not len(iou):
    return {protocol: Measures(None, None, None) for protocol in PROTOCOLS}
  chosen = {
    "oracle": oracle(iou),
    "crossfit": crossfit(iou, patients, owners=owners, **options),
  }
  return {p: under_choice(chosen[p], iou, cdice) for p in PROTOCOLS}
