"""The weight of the middle is what the answers of a finding lack."""

import types

import numpy as np
import pytest

from chexjax.data.sources import Dataset
from chexjax.inference import placer, placing
from chexjax.types import MapOptions

NAMES = ("Edema", "Mass", "Hernia")
FILMS = 40


class Films:
  """Films whose every pixel is their number, with labels that follow it."""

  def __len__(self):
    return FILMS

  def __getitem__(self, i):
    image = np.full((4, 4, 1), i, np.uint8)
    return self.annotation(i) | {"image": image}

  def annotation(self, i):
    kinds = (i % 2, i >= FILMS // 2, i % 10 == 0)
    return {"labels": np.array(kinds, np.float32)}


def answers(images):
  """Nothing of Edema, and which films have Mass but for a quarter of them."""
  number = images[:, 0, 0, 0].astype(np.float32)
  mass = np.where(number % 4 == 0, FILMS / 2, number)
  return np.stack([np.zeros_like(number), mass, number], -1)


def test_doubt_is_twice_what_the_auc_lacks():
  found = placer.measure_doubt(answers, Films(), NAMES, batch_size=16)
  number = np.arange(FILMS)
  mass = np.where(number % 4 == 0, FILMS / 2, number)
  ill = number >= FILMS // 2
  pairs = mass[ill][:, None] - mass[~ill]
  auc = ((pairs > 0) + (pairs == 0) / 2).mean()
  assert found[:2] == pytest.approx([1, 2 * (1 - auc)])
  # Four films with Hernia: the mean of the others.
  assert found[2] == pytest.approx(2 * (1 - (0.5 + auc) / 2))


def test_answers_worse_than_chance_leave_the_middle_alone():
  found = placer.measure_doubt(
    lambda images: -answers(images), Films(), NAMES, batch_size=16
  )
  assert found[1] == 1


def test_each_finding_has_its_own_middle():
  rng = np.random.default_rng(0)
  maps = {"sal": rng.normal(size=(3, 16, 16)).astype(np.float32)}
  doubt = np.array([0, 0.25, 1], np.float32)
  prior = placing.standardize(rng.normal(size=(3, 16, 16)))
  options = MapOptions(prior=0.2, centre_by_auc=True)
  found = placing.place(maps, prior, options, doubt=doubt)["sal_placed"]
  for k, x in enumerate(doubt):
    same = MapOptions(prior=0.2, centre=0.8 * float(x))
    wanted = placing.place(maps, prior, same)["sal_placed"][k]
    np.testing.assert_allclose(found[k], wanted, atol=1e-6)


def test_a_missing_split_is_named_with_the_option_that_needs_it():
  for options, name in (
    (MapOptions(prior=0.5), "train"),
    (MapOptions(centre_by_auc=True), "validation"),
  ):
    with pytest.raises(ValueError, match=f"{name} films") as caught:
      placer.make_placer([], Dataset({}, {}), options, batch_size=2)
    assert "give --" in str(caught.value)


def test_the_mean_answer_of_all_models_is_measured():
  """Two models, each of which knows one finding and is silent on the other."""

  def knows(k):
    def run(images, *, maps):
      assert not maps
      number = images[:, 0, 0, 0].astype(int)
      labels = np.stack([Films().annotation(i)["labels"] for i in number])
      logits = np.zeros_like(labels)
      logits[:, k] = labels[:, k]
      return logits, {}

    return types.SimpleNamespace(run=run)

  data = Dataset({"validation": Films()}, {"findings": NAMES})
  options = MapOptions(centre_by_auc=True)

  def share_of_the_middle(*models):
    place = placer.make_placer(models, data, options, batch_size=16)
    heat = np.zeros((3, 16, 16), np.float32)
    return place({"sal": heat})["sal_placed"][:2, 8, 8] > 0.1

  assert list(share_of_the_middle(knows(0))) == [False, True]
  assert list(share_of_the_middle(knows(1))) == [True, False]
  assert list(share_of_the_middle(knows(0), knows(1))) == [False, False]
