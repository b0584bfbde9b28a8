"""Several models and several views in one prediction."""

import dataclasses

import numpy as np
import pytest
from tiny_workdir import make_workdir

import chexjax
from chexjax.types import MapOptions
from chexjax.weights.model_info import check_member


@pytest.fixture(scope="module")
def films():
  rng = np.random.default_rng(0)
  return list(rng.integers(0, 256, (2, 128, 128), np.uint8))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  return make_workdir(tmp_path_factory.mktemp("run") / "one")[0]


@pytest.fixture(scope="module")
def alone(folder, films):
  return chexjax.load(folder).predict(films, batch_size=2)


def test_a_model_with_itself_is_that_model(folder, films, alone):
  twice = chexjax.load(folder, members=[folder])
  assert len(twice.sources) == 2
  found = twice.predict(films, batch_size=2)
  # Logits are taken from a mean probability and back, in float32.
  np.testing.assert_allclose(found.logits, alone.logits, rtol=1e-4, atol=1e-5)
  np.testing.assert_allclose(found.maps["mix"], alone.maps["mix"], rtol=1e-5)


def test_a_mirrored_film_has_a_mirrored_answer(folder, films):
  both = chexjax.load(folder, options=MapOptions(flip=True))
  found = both.predict(films, batch_size=2)
  mirrored = both.predict([film[:, ::-1] for film in films], batch_size=2)
  np.testing.assert_allclose(found.logits, mirrored.logits, atol=1e-5)
  np.testing.assert_allclose(
    found.maps["sal"], mirrored.maps["sal"][..., ::-1], atol=1e-6
  )


def test_a_member_of_other_findings_is_refused(folder):
  info = chexjax.load(folder).info
  other = dataclasses.replace(info, findings=("Cat",), source="the other")
  with pytest.raises(ValueError, match="--members: the other has findings"):
    check_member(other, info)


def test_a_member_may_see_smaller_films(folder, tmp_path, films, alone):
  small = make_workdir(tmp_path / "small", image_size=64)[0]
  # What a model of 64 px says of films that were reduced before.
  blocks = [film.reshape(64, 2, 64, 2).mean((1, 3)) for film in films]
  reduced = [np.rint(block).astype(np.uint8) for block in blocks]
  theirs = chexjax.load(small).predict(reduced, batch_size=2)
  both = chexjax.load(folder, members=[small]).predict(films, batch_size=2)
  expected = (
    1 / (1 + np.exp(-alone.logits)) + 1 / (1 + np.exp(-theirs.logits))
  ) / 2
  # In float32, a mean probability and its logit.
  np.testing.assert_allclose(
    1 / (1 + np.exp(-both.logits)), expected, rtol=1e-5
  )
  assert both.maps["sal"].shape == alone.maps["sal"].shape
  # Linear interpolation keeps the mean but for the margin.
  mean = (alone.maps["sal"].mean((2, 3)) + theirs.maps["sal"].mean((2, 3))) / 2
  np.testing.assert_allclose(both.maps["sal"].mean((2, 3)), mean, atol=0.01)
  with pytest.raises(ValueError, match="name first the model of the largest"):
    chexjax.load(small, members=[folder])
