"""Who may choose the threshold: the boxes that are scored, or others.

`oracle` chooses, per finding, the candidate with the best mean IoU on the
very boxes it is scored on (as the paper does); `crossfit` chooses on the boxes
of the other patients. A candidate is a threshold, or, image-blind, a constant
box: one of the true boxes (the medoid). The oracle flatters: never print it
alone.
"""

from typing import NamedTuple

import numpy as np

from chexjax.evaluation.measures import overlap

PROTOCOLS = ("oracle", "crossfit")
T_IOU: tuple[float, ...] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
BOX_ACC_IOU: tuple[float, ...] = (0.3, 0.5, 0.7)


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
    iobb: `[R, P]`, shared area over the predicted box's.
    pointing: `[R, P]`, 1 where the highest value lies in the true box.
    box_acc: `[R, P]`, share of `BOX_ACC_IOU` that the best of all boxes
      reaches, each with a threshold of its own (MaxBoxAccV2, Choe et al.
      2020, except that thresholds are chosen per finding).
  """

  iou: np.ndarray | None
  cdice: np.ndarray | None
  chosen: np.ndarray | None
  iobb: np.ndarray | None = None
  pointing: np.ndarray | None = None
  box_acc: np.ndarray | None = None

  def rows(self, t_iou=T_IOU):
    """Average each row over the repeats.

    Returns:
      Path of keys -> `[P]` or None: `("iou",)`, `("cdice",)`, ..., and
      `("t_iou", "0.3")`, whether the row has an IoU of at least .3, ...
    """

    def mean(values):
      return None if values is None else np.mean(values, 0, dtype=float)

    iou = self.iou
    return {
      ("iou",): mean(iou),
      ("cdice",): mean(self.cdice),
      ("iobb",): mean(self.iobb),
      ("pointing",): mean(self.pointing),
      ("max_box_acc_v2",): mean(self.box_acc),
      **{
        ("t_iou", str(t)): mean(None if iou is None else iou >= t)
        for t in t_iou
      },
    }

  def means(self, t_iou=T_IOU):
    """Average over rows and repeats: path of keys -> float or None."""
    return {
      path: None if rows is None else float(rows.mean())
      for path, rows in self.rows(t_iou).items()
    }

  def where(self, predicted):
    """Set to 0 what is not predicted: `[R or 1, P]` bool."""

    def cut(values):
      return None if values is None else np.asarray(values) * predicted

    return self._replace(
      **{name: cut(getattr(self, name)) for name in self._fields[:2]},
      **{name: cut(getattr(self, name)) for name in self._fields[3:]},
    )


NOTHING = Measures(None, None, None)


class Candidates(NamedTuple):
  """One finding's rows under every candidate.

  Attributes:
    iou: `[P, C]`.
    cdice: `[P, C]`; `[P]` where it knows no candidates; or None.
    owners: `[C]` patients the candidates come from, see `crossfit`; or None.
    iobb: `[P, C]` or None.
    pointing: `[P, C]` or `[P]`, or None.
    best_iou: `[P, C]`, of the best of several boxes; or None.
  """

  iou: np.ndarray
  cdice: np.ndarray | None = None
  owners: np.ndarray | None = None
  iobb: np.ndarray | None = None
  pointing: np.ndarray | None = None
  best_iou: np.ndarray | None = None


def under_choice(chosen, iou, cdice=None, *, iobb=None, pointing=None):
  """Look up `Measures` under the chosen candidates.

  Args:
    chosen: `[R, P]` int, of `oracle` or `crossfit`, or None.
    iou: `[P, C]`.
    cdice: `[P, C]`; `[P]` where it knows no candidates; or None.
    iobb: as `cdice`.
    pointing: as `cdice`.
  """
  rows = np.arange(len(iou))

  def look_up(values):
    if values is None:
      return None
    values = np.asarray(values)
    if values.ndim == 1:
      return values[None]
    return None if chosen is None else values[rows, chosen]

  return Measures(
    look_up(np.asarray(iou)),
    look_up(cdice),
    chosen,
    look_up(iobb),
    look_up(pointing),
  )


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


def _box_acc(choose_on, best_iou):
  """Share of `BOX_ACC_IOU` reached, a candidate chosen for each of them."""
  if best_iou is None:
    return None
  rows = np.arange(len(best_iou))
  reached = []
  for t in BOX_ACC_IOU:
    hits = (np.asarray(best_iou) >= t).astype(float)
    chosen = choose_on(hits)
    if chosen is None:
      return None
    reached.append(hits[rows, chosen])
  return np.mean(reached, 0)


def measure_candidates(candidates, patients, *, predicted=None, **options):
  """Give one finding's `Measures` under each protocol.

  Args:
    candidates: a `Candidates`; it may have no rows.
    patients: `[P]`.
    predicted: `[R or 1, P]` bool, whether the finding is predicted of the
      row's image; adds the protocol `predicted`: `crossfit`, and 0 where the
      finding is not predicted.
    **options: `folds`, `repeats`, `seed` of `crossfit`.
  """
  names = [*PROTOCOLS, *(["predicted"] if predicted is not None else [])]
  if not len(candidates.iou):
    return dict.fromkeys(names, NOTHING)
  options["owners"] = candidates.owners

  def fitted(values):
    return crossfit(values, patients, **options)

  result = {
    protocol: under_choice(
      choose_on(candidates.iou),
      candidates.iou,
      candidates.cdice,
      iobb=candidates.iobb,
      pointing=candidates.pointing,
    )._replace(box_acc=_box_acc(choose_on, candidates.best_iou))
    for protocol, choose_on in zip(PROTOCOLS, (oracle, fitted))
  }
  if predicted is not None:
    result["predicted"] = result["crossfit"].where(predicted)
  return result


def measure(iou, cdice, patients, *, owners=None, **options):
  """Give one finding's `Measures` from IoU and cDice alone.

  Args:
    iou: `[P, C]`, C candidates; P may be 0.
    cdice: `[P, C]`, `[P]` or None.
    patients: `[P]`.
    owners: see `crossfit`.
    **options: of `measure_candidates`.
  """
  given = Candidates(np.asarray(iou), cdice, owners)
  return measure_candidates(given, patients, **options)
