import numpy as np
import pytest

from chexjax.evaluation.measures import overlap
from chexjax.evaluation.measures.average_precision import average_precision
from chexjax.evaluation.measures.detections import Detections, TrueBoxes

FINDINGS = ("Mass", "Nodule")


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
  return found, TrueBoxes(image[true], finding[true], box[true])


def literal_ap(found, true, finding, iou, images):
  """Greedy by score, a true box once; 101 recalls, best precision onwards."""
  rows = [i for i in range(len(found.image)) if found.finding[i] == finding]
  rows.sort(key=lambda i: images.index(found.image[i]))
  # COCO sorts each image's by score, then all by score, both stably.
  rows.sort(key=lambda i: -found.score[i])
  free = {
    (true.image[j], j)
    for j in range(len(true.image))
    if true.finding[j] == finding
  }
  total, hits = len(free), []
  for i in rows:
    best = max(
      (
        (overlap.iou(found.box[i], true.box[j]), j)
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
  found, true = example(seed)
  images = sorted(set(found.image.tolist()))
  got, drawn = average_precision(
    found,
    true,
    FINDINGS,
    weights={name: np.ones(1, np.int32) for name in images},
  )
  for iou in (0.3, 0.5):
    for finding in FINDINGS:
      want = literal_ap(found, true, finding, iou, images)
      assert got[str(iou)][finding] == pytest.approx(want, abs=1e-9)
      assert drawn[str(iou)][finding][0] == pytest.approx(want, abs=1e-9)


def test_a_draw_is_as_good_as_repeated_images():
  found, true = example(0)
  found = found._replace(score=found.score + 1e-6 * np.arange(len(found.score)))
  names = np.unique(found.image)
  counts = np.random.default_rng(0).integers(0, 3, (1, names.size))
  _, drawn = average_precision(
    found, true, FINDINGS, weights=dict(zip(names.tolist(), counts.T))
  )
  parts, trues = [], []
  for name, count in zip(names, counts[0]):
    for copy in range(count):
      some = found.keep(found.image == name)
      parts.append(some._replace(image=np.char.add(some.image, f"#{copy}")))
      rows = true.image == name
      image = np.char.add(true.image[rows], f"#{copy}")
      trues.append((image, true.finding[rows], true.box[rows]))
  many = Detections(*(np.concatenate(c) for c in zip(*parts)))
  true = TrueBoxes(*(np.concatenate(c) for c in zip(*trues)))
  want, _ = average_precision(many, true, FINDINGS)
  for iou in ("0.3", "0.5"):
    for finding in FINDINGS:
      # A copied detection has two points on the curve, a weighted one only
      # the second: precision differs by at most one step of the copies.
      got = drawn[iou][finding][0]
      assert got == pytest.approx(want[iou][finding], abs=0.01)


def test_a_finding_without_boxes_is_none():
  found, true = example(1)
  keep = true.finding == "Mass"
  true = TrueBoxes(true.image[keep], true.finding[keep], true.box[keep])
  got, _ = average_precision(found, true, FINDINGS)
  assert got["0.3"]["Nodule"] is None
  assert got["0.3"]["Mass"] > 0
