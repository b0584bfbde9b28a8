"""`chexjax.load` and `predict`: films of any kind in, numpy out."""

import json

import numpy as np
import pytest
from PIL import Image
from tiny_workdir import make_workdir

import chexjax
from chexjax.evaluation.measures.heat_maps import upsample
from chexjax.inference.boxes import cut_box


@pytest.fixture(scope="module")
def model(tmp_path_factory):
  return chexjax.load(make_workdir(tmp_path_factory.mktemp("run"))[0])


@pytest.fixture(scope="module")
def films():
  return chexjax.phantom(3, size=128, seed=1).images


def test_what_comes_out(model, films):
  out = model.predict(films)
  assert out.findings == model.findings == chexjax.FINDINGS
  assert out.probabilities.shape == out.logits.shape == (3, 14)
  assert ((out.probabilities > 0) & (out.probabilities < 1)).all()
  np.testing.assert_allclose(
    np.log(out.probabilities / (1 - out.probabilities)), out.logits, atol=1e-5
  )
  assert {n: m.shape for n, m in out.maps.items()} == dict.fromkeys(
    ("sal", "det", "mix"), (3, 14, 32, 32)
  )
  # The paper's final map is the product of the two others.
  np.testing.assert_allclose(
    out.maps["mix"], out.maps["sal"] * out.maps["det"], rtol=1e-5
  )
  assert out.boxes.shape == (3, 14, 4)
  x1, y1, x2, y2 = np.moveaxis(out.boxes, -1, 0)
  assert ((x1 >= 0) & (x1 < x2) & (x2 <= 128)).all()
  assert ((y1 >= 0) & (y1 < y2) & (y2 <= 128)).all()
  assert all(isinstance(x, np.ndarray) for x in (out.boxes, out.maps["sal"]))


def test_one_film_in_every_form_gives_the_same(model, films, tmp_path):
  grey = films[0, ..., 0]
  path = tmp_path / "film.png"
  Image.fromarray(grey).save(path)
  sixteen = grey.astype(np.uint16) * 257
  forms = [
    path,
    str(path),
    grey,
    grey[..., None],
    np.repeat(grey[..., None], 3, -1),
    sixteen,
    np.repeat(sixteen[..., None], 4, -1),
    grey.astype(np.float32) / 255,
  ]
  want = model.predict(films[:1])
  for form in forms:
    got = model.predict(form)
    np.testing.assert_array_equal(got.logits, want.logits)
    np.testing.assert_array_equal(got.boxes, want.boxes)
  # All at once, of several sizes; batches of 2 change sums' order at most.
  large = np.kron(grey, np.ones((3, 3), np.uint8))
  many = model.predict([*forms, large], batch_size=2)
  assert len(many.logits) == len(forms) + 1
  np.testing.assert_allclose(
    many.logits[: len(forms)] - want.logits, 0, atol=1e-5
  )
  # A box is in the pixels of its own film.
  assert many.boxes[-1].max() > 128


def test_thresholds_cut_the_boxes(model, films):
  wide = model.predict(films, thresholds={"Mass": 0.5}).boxes
  narrow = model.predict(films, thresholds={"Mass": 0.99}).boxes
  k = chexjax.FINDINGS.index("Mass")

  def area(boxes):
    return np.prod(boxes[:, 2:] - boxes[:, :2], -1).sum()

  assert area(narrow[:, k]) < area(wide[:, k])
  np.testing.assert_array_equal(np.delete(narrow, k, 1), np.delete(wide, k, 1))


@pytest.mark.parametrize(
  ("images", "said"),
  [
    ([], "no image was given"),
    ("no/such.png", r"no/such\.png"),
    (".", "is a folder; give the files in it"),
    (np.zeros((4, 5, 6, 7, 8), np.uint8), r"got \[5, 6, 7, 8\]"),
    (np.zeros((8, 8, 2), np.uint8)[None], r"got \[8, 8, 2\]"),
    (np.zeros((8, 8), np.int32), "got int32"),
    (np.full((8, 8), 200.0), r"must be in 0\.\.1, got 200\.0\.\.200\.0"),
    (np.full((8, 8), np.nan), "got nan..nan"),
  ],
)
def test_what_is_no_film_is_refused(model, images, said):
  with pytest.raises(ValueError, match=said):
    model.predict(images)


def test_a_threshold_of_another_finding_is_refused(model, films):
  with pytest.raises(ValueError, match="unknown findings: \\['Massive'\\]"):
    model.predict(films, thresholds={"Massive": 0.9})


def test_a_model_trained_to_classify_has_the_saliency_alone(tmp_path, films):
  folder = make_workdir(tmp_path / "run")[0]
  (folder / "checkpoints" / "stage3").rename(tmp_path / "away")
  out = chexjax.load(folder).predict(films)
  assert set(out.maps) == {"sal"}
  assert np.isfinite(out.boxes).all()


def test_a_letterboxed_film_has_its_boxes_on_the_film(tmp_path, films):
  folder = make_workdir(tmp_path / "run")[0]
  config = json.loads((folder / "config.json").read_text())
  config["config"]["shape"] = "letterbox"
  (folder / "config.json").write_text(json.dumps(config))
  model = chexjax.load(folder)
  # The upper half of a film, so that the square is half black.
  wide = films[0, :64, :, 0]
  square = np.zeros((128, 128), np.uint8)
  square[32:96] = wide
  got, want = model.predict(wide), chexjax.load(folder).predict(square)
  np.testing.assert_array_equal(got.logits, want.logits)
  assert np.isfinite(got.boxes).all()
  assert (got.boxes[..., 1] >= 0).all()
  assert (got.boxes[..., 3] <= 64).all()
  heat = got.maps["mix"][0, 0]
  cut = cut_box(heat, 0.9, size=128, original=(64, 128), shape="letterbox")
  # The same cut of the film's part alone.
  part = upsample(heat, (128, 128))[32:96]
  kept = part >= cut["cut"]
  assert kept.mean() == pytest.approx(0.1, abs=0.01)
