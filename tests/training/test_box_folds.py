"""Boxes trained on, in folds of patients; and moved with their films."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from chexjax import ops
from chexjax.data.pipeline import train_batches
from chexjax.data.sources import Dataset
from chexjax.inference.film_names import file_names
from chexjax.runtime.sharding import make_mesh
from chexjax.systems import SYSTEMS, build_model
from chexjax.training.box_folds import BOXES_SEEN, has_box, train_on_boxes
from chexjax.training.config import AugmentConfig
from chexjax.training.moved_boxes import move_boxes
from chexjax.training.state import create_state
from chexjax.training.steps import make_train_step
from chexjax.types import Batch

SIZE = 64


class Films:
  """Three films of each patient; of some patients the first two are boxed."""

  def __init__(self, split, patients, boxed=()):
    self.split, self.boxed = split, set(boxed)
    self.films = [(p, i) for p in patients for i in range(3)]

  def __len__(self):
    return len(self.films)

  def annotation(self, index):
    patient, film = self.films[index]
    count = 2 - film if patient in self.boxed else 0
    return {
      "labels": np.array([1, film == 2], np.uint8),
      "objects": {
        "bbox": [(0.0, 0.5, 0.25, 1.0)] * count,
        "label": [0] * count,
      },
      "file_name": f"{self.split}{patient}_{film}.png".encode(),
      "patient_id": patient,
    }

  def __getitem__(self, index):
    image = np.full((SIZE, SIZE, 1), index, np.uint8)
    return self.annotation(index) | {"image": image}


def dataset(boxed=range(100, 107)):
  splits = {
    "train": Films("a", range(9)),
    "test": Films("b", range(100, 120), boxed),
  }
  return Dataset(splits, {"findings": ["Mass", "Hernia"]})


def facts(source):
  """Return the files, the boxed files and the patients of a split."""
  about = [source.annotation(i) for i in range(len(source))]
  boxed = {
    name for i, name in enumerate(file_names(source)) if has_box(source, i)
  }
  return set(file_names(source)), boxed, {a["patient_id"] for a in about}


def test_no_film_is_scored_of_a_patient_that_was_trained_on():
  whole = dataset()
  every, boxed, _ = facts(whole.splits["test"])
  scored = []
  for fold in (1, 2, 3):
    folded = train_on_boxes(whole, folds=3, fold=fold, size=SIZE)
    train, test = (facts(folded.splits[name]) for name in ("train", "test"))
    assert not train[2] & test[2]
    assert facts(whole.splits["train"])[0] < train[0]
    # The boxed films are either trained on or scored.
    assert train[1] | test[1] == boxed
    # Whoever has no box is scored in every fold.
    assert {n for n in every if int(n[1:4]) >= 107} < test[0]
    scored += sorted(test[1])
    said = folded.metadata[BOXES_SEEN]
    assert said == (
      f"boxes of {len(train[1])} films seen in training, fold {fold} of 3 held "
      "out"
    )
  # All folds together score every boxed film once.
  assert sorted(scored) == sorted(boxed)
  again = train_on_boxes(dataset(), folds=3, fold=3, size=SIZE)
  assert facts(again.splits["train"]) == train


def test_a_patient_of_both_splits_is_not_scored():
  whole = dataset()
  whole.splits["train"].films += [(119, 0), (100, 2)]
  folded = train_on_boxes(whole, folds=7, fold=1, size=SIZE)
  train, test = (facts(folded.splits[name]) for name in ("train", "test"))
  assert not train[2] & test[2]
  assert 119 not in test[2]
  whole.splits["train"].films += [(p, 0) for p in range(100, 120)]
  with pytest.raises(ValueError, match="every patient of --box_fold=2 has"):
    train_on_boxes(whole, folds=7, fold=2, size=SIZE)


@pytest.mark.parametrize(("boxed", "found"), [((), 0), ([100, 101], 2)])
def test_too_few_patients_with_boxes_are_refused(boxed, found):
  message = f"{found} patients of the test films have a box, .*box_folds=3"
  with pytest.raises(ValueError, match=message):
    train_on_boxes(dataset(boxed), folds=3, fold=1, size=SIZE)


def test_batches_bring_boxes_and_go_on_where_they_were():
  def batches():
    folded = train_on_boxes(dataset(), folds=3, fold=1, size=SIZE)
    return folded.splits["train"], train_batches(
      folded.splits["train"], batch_size=5, seed=3
    )

  source, first = batches()
  seen = [next(first) for _ in range(9)]
  for batch in seen:
    assert batch.boxes.shape == (5, 2, 2, 4)
    for row, index in enumerate(batch.index):
      count = len(source.annotation(int(index))["objects"]["label"])
      assert np.isfinite(batch.boxes[row, 0]).all(-1).sum() == count
      assert np.isnan(batch.boxes[row, 1]).all()
      if count:
        np.testing.assert_array_equal(batch.boxes[row, 0, 0], [32, 0, 64, 16])
  _, second = batches()
  second.set_state({"next_index": 6})
  for before, after in zip(seen[6:], [next(second) for _ in range(3)]):
    jax.tree.map(np.testing.assert_array_equal, before, after)
  # Other systems' batches, and their programs, are as without boxes.
  plain = next(train_batches(Films("a", [1]), batch_size=1, seed=0))
  assert plain.boxes is None


def test_boxes_are_where_the_augmented_square_is():
  image = np.zeros((SIZE, SIZE, 1), np.uint8)
  image[20:40, 8:28] = 200
  box = jnp.array([[[8.0, 20, 28, 40]], [[np.nan] * 4]])
  augment = AugmentConfig(rotate=15, translate=0.1, contrast=0.1, gamma=0.1)

  @jax.jit
  @jax.vmap
  def both(key):
    film = ops.augment(key, image, **dataclasses.asdict(augment))
    size = {"height": SIZE, "width": SIZE}
    return film, move_boxes(key, box, augment=augment, **size)

  films, boxes = both(jax.random.split(jax.random.key(0), 12))
  for film, (one, none) in zip(films, boxes):
    rows, columns = np.nonzero(film[..., 0] > 80)
    place = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    # Half a pixel of interpolation at either side; a turned corner is thin.
    np.testing.assert_allclose(np.clip(one[0], 0, SIZE), place, atol=2.5)
    assert np.isnan(none).all()
  # Some are mirrored.
  assert 0 < (boxes[:, 0, 0, 0] > 28).sum() < 12


def upside_down(key, boxes):
  x1, y1, x2, y2 = jnp.moveaxis(boxes, -1, 0)
  return jnp.stack([x1, SIZE - y2, x2, SIZE - y1], -1)


def test_the_step_gives_the_loss_the_moved_boxes(monkeypatch):
  told = []

  def loss(logits, found, truth):
    jax.debug.callback(lambda x: told.append(np.array(x)), truth.boxes)
    return plain(logits, found, truth)

  name = "li2018_like_boxes"
  plain = SYSTEMS[name].loss
  entry = dataclasses.replace(SYSTEMS[name], loss=loss)
  monkeypatch.setitem(SYSTEMS, name, entry)
  model = build_model(name, 2, block_sizes=(1, 1), growth=4, bn_size=2, stem=4)
  tx, zeros = optax.sgd(0.1), jnp.zeros((1, SIZE, SIZE, 3))
  state = create_state(model.init(jax.random.key(0), zeros), tx, stage=1)
  half = jnp.full(2, 0.5)
  boxes = np.full((1, 2, 1, 4), np.nan, np.float32)
  boxes[0, 0, 0] = 8, 16, 24, 48
  batch = Batch(
    np.zeros((1, SIZE, SIZE, 1), np.uint8),
    np.array([[1.0, 0]], np.float32),
    np.ones(1, np.float32),
    np.zeros(1, np.int32),
    boxes,
  )
  options = {"stage": 1, "beta_pos": half, "beta_neg": half}
  options["augment"] = lambda key, image: image[::-1].astype(jnp.float32)
  mesh = make_mesh(jax.devices()[:1])
  step = make_train_step(model, tx, mesh, move_boxes=upside_down, **options)
  _, metrics = step(state, batch, jax.random.key(1))
  jax.effects_barrier()
  np.testing.assert_allclose(told[0][0, 0, 0], [0.125, 0.25, 0.375, 0.75])
  assert np.isnan(told[0][0, 1]).all()
  assert np.isfinite(metrics["grad_norm"])
  still = make_train_step(model, tx, mesh, **options)
  with pytest.raises(ValueError, match="boxes that are not moved"):
    still.trace(state, batch, jax.random.key(1))
