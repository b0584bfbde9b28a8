import numpy as np
import pytest

from chexjax.evaluation.localization_table import LocalizationTable
from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.average_precision import (
  Detections,
  average_precision,
)
from chexjax.evaluation.protocols import bootstrap
from chexjax.evaluation.protocols.detection_figures import open_boxes
from chexjax.evaluation.scored_images import make_images

FINDINGS = ("Mass", "Nodule")


def table_of(image, finding, box):
  empty = np.zeros(0)
  return LocalizationTable(
    np.array(image), np.array(image), np.array(finding), np.array(box),
    (100, 100), empty, {}, {}, {}, {},
  )  # fmt: skip


def example(seed, num=40):
  rng = np.random.default_rng(seed)
  pairs = [(f"{i}.png", f) for i in range(num) for f in FINDINGS]
  low = rng.uniform(0, 50, (len(pairs), 2))
  box = np.concatenate([low, low + rng.uniform(10, 50, low.shape)], 1)
  true = rng.random(len(pairs)) < 0.6
  image, finding = (np.array([p[i] for p in pairs]) for i in (0, 1))
  guess = box + rng.normal(0, 4, box.shape)
  # Two boxes of most pairs, and tied scores.
  image2, finding2 = np.concatenate([image, image]), np.tile(finding, 2)
  box2 = np.concatenate([guess, guess + rng.normal(0, 9, guess.shape)])
  box2[:, 2:] = np.maximum(box2[:, 2:], box2[:, :2] + 1)
  found = Detections(
    image2, finding2, box2, rng.random(len(box2)).round(seed % 3 + 1)
  )
  return found, table_of(image[true], finding[true], box[true])


def literal_ap(found, table, finding, iou, images):
  """Greedy by score, a true box once; 101 recalls, best precision onwards."""
  rows = [i for i in range(len(found.image)) if found.finding[i] == finding]
  rows.sort(key=lambda i: images.index(found.image[i]))
  # COCO sorts each image's by score, then all by score, both stably.
  rows.sort(key=lambda i: -found.score[i])
  free = {
    (table.image[j], j)
    for j in range(len(table.image))
    if table.finding[j] == finding
  }
  total, hits = len(free), []
  for i in rows:
    best = max(
      (
        (overlap.iou(found.box[i], table.true_box[j]), j)
        for name, j in free
        if name == found.image[i]
      ),
      default=(0, -1),
    )
    hits.append(best[0] >= iou)
    if hits[-1]:
      free.remove((found.image[i], best[1]))
  points = []
  for n in range(1, len(hits) + 1):
    points.append((sum(hits[:n]) / total, sum(hits[:n]) / n))
  return np.mean(
    [
      max((p for r, p in points if r >= want), default=0)
      for want in np.linspace(0, 1, 101)
    ]
  )


@pytest.mark.parametrize("seed", range(4))
def test_coco_and_its_weighted_draws_against_a_literal_one(seed):
  found, table = example(seed)
  images = sorted(set(found.image.tolist()))
  names = np.array(images)
  once = bootstrap.Draws(names, np.ones((1, len(names)), np.int32))
  got, drawn = average_precision(
    found,
    table,
    FINDINGS,
    draws=once,
    patient_of=dict(zip(names.tolist(), names.tolist())),
  )
  for iou in (0.3, 0.5):
    for finding in FINDINGS:
      want = literal_ap(found, table, finding, iou, images)
      assert got[str(iou)][finding] == pytest.approx(want, abs=1e-9)
      assert drawn[str(iou)][finding][0] == pytest.approx(want, abs=1e-9)


def test_a_draw_is_as_good_as_repeated_images():
  found, table = example(0)
  found = found._replace(score=found.score + 1e-6 * np.arange(len(found.score)))
  names = np.unique(found.image)
  counts = np.random.default_rng(0).integers(0, 3, (1, names.size))
  draws = bootstrap.Draws(names, counts.astype(np.int32))
  patient_of = dict(zip(names.tolist(), names.tolist()))
  _, drawn = average_precision(
    found, table, FINDINGS, draws=draws, patient_of=patient_of
  )
  parts, trues = [], []
  for name, count in zip(names, counts[0]):
    for copy in range(count):
      some = found.keep(found.image == name)
      parts.append(some._replace(image=np.char.add(some.image, f"#{copy}")))
      rows = table.image == name
      image = np.char.add(table.image[rows], f"#{copy}")
      trues.append((image, table.finding[rows], table.true_box[rows]))
  many = Detections(*(np.concatenate(c) for c in zip(*parts)))
  true = table_of(*(np.concatenate(c) for c in zip(*trues)))
  want, _ = average_precision(many, true, FINDINGS)
  for iou in ("0.3", "0.5"):
    for finding in FINDINGS:
      # A copied detection has two points on the curve, a weighted one only
      # the second: precision differs by at most one step of the copies.
      got = drawn[iou][finding][0]
      assert got == pytest.approx(want[iou][finding], abs=0.01)


def test_a_finding_without_boxes_is_none():
  found, table = example(1)
  keep = table.finding == "Mass"
  table = table_of(table.image[keep], table.finding[keep], table.true_box[keep])
  got, _ = average_precision(found, table, FINDINGS)
  assert got["0.3"]["Nodule"] is None
  assert got["0.3"]["Mass"] > 0


def test_labelled_pairs_without_a_box_do_not_count():
  box = np.array([[0.0, 0, 10, 10]])
  table = table_of(["a.png"], ["Mass"], box)
  labels = np.array([[1, 1], [0, 1]])
  images = make_images(
    ["a.png", "b.png"], ["a", "b"], labels, labels * 0.5, FINDINGS
  )
  guess = Detections(
    np.array(["a.png", "a.png", "b.png"]),
    np.array(["Mass", "Nodule", "Nodule"]),
    np.repeat(box, 3, 0),
    np.ones(3),
  )
  kept = open_boxes(guess, table, images)
  assert kept.finding.tolist() == ["Mass"]  # b.png has no box at all
  unlabelled = images._replace(labels=np.zeros((2, 2), bool))
  kept = open_boxes(guess, table, unlabelled)
  assert kept.finding.tolist() == ["Mass", "Nodule"]
