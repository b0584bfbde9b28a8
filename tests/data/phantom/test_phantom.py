"""The drawn set: bytes, layout, boxes, shares of labels."""

import collections
import csv
import json

import numpy as np
import pytest
import skimage.transform
from PIL import Image

from chexjax.data import phantom
from chexjax.data.phantom.canvas import Canvas, Pose
from chexjax.data.phantom.sampling import NIH_COUNTS, finding_weights
from chexjax.data.phantom.tables import BOX_FRAME
from chexjax.types import BOXED_FINDINGS, FINDINGS
from tfds_chestxray14 import take_survey

SMALL = {"num_images": 48, "size": 64}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  out = tmp_path_factory.mktemp("phantom") / "p"
  return phantom.write_phantom(out, **SMALL, workers=1)


def content(path):
  files = (p for p in sorted(path.rglob("*")) if p.is_file())
  return {str(p.relative_to(path)): p.read_bytes() for p in files}


def rows(path):
  with path.open(newline="") as file:
    return list(csv.reader(file))[1:]


def test_the_bytes_depend_on_the_arguments_alone(folder, tmp_path):
  again = phantom.write_phantom(tmp_path / "a", **SMALL, workers=2)
  assert content(again) == content(folder)
  other = phantom.write_phantom(tmp_path / "b", **SMALL, seed=1, workers=1)
  assert content(other) != content(folder)


def test_a_longer_set_begins_with_the_shorter_one(folder):
  films = phantom.plan_films(400)[: SMALL["num_images"]]
  assert films == phantom.plan_films(SMALL["num_images"])
  drawn = phantom.draw_example(0, 40, size=64)
  stored = Image.open(folder / "images" / drawn.film.file_name)
  np.testing.assert_array_equal(np.asarray(stored), drawn.image)


def test_boxes_of_train_and_validation_are_beside_the_official_ones(folder):
  """To watch a training by; no list that a builder reads has them."""
  hidden = phantom.train_val_boxes(folder)
  names = (folder / "train_val_list.txt").read_text().split()
  assert sorted(hidden) == sorted(names)
  listed = {row[0] for row in rows(folder / "BBox_List_2017.csv")}
  assert not listed & set(hidden)
  films = {f.file_name: f for f in phantom.plan_films(SMALL["num_images"])}
  for name, boxes in hidden.items():
    drawn = phantom.draw_example(0, films[name].number, size=64)
    want = {k: b for k, b in drawn.boxes.items() if k in BOXED_FINDINGS}
    assert boxes.keys() == want.keys()
    for finding, box in boxes.items():
      np.testing.assert_array_equal(box, want[finding])
  assert any(hidden.values())


def test_the_layout_is_the_official_one(folder):
  found = take_survey(folder, decode=True)
  assert not found.faults
  assert not found.bad
  assert not found.surplus
  assert found.kinds() == {"PNG L 64x64": 48}
  for count in found.counts().values():
    assert count["found"] == count["listed"] > 0
  assert all(
    split == "test"
    for split in map(found.lists.split_of.get, found.lists.boxes)
  )


def test_patients_are_not_shared():
  sides = collections.defaultdict(set)
  for film in phantom.plan_films(2000):
    sides[film.patient].add(film.test)
  assert {len(side) for side in sides.values()} == {1}


def test_every_boxed_finding_of_a_test_image_has_one_box_inside(folder):
  labels = {
    r[0]: set(r[1].split("|")) for r in rows(folder / "Data_Entry_2017.csv")
  }
  test = set((folder / "test_list.txt").read_text().split())
  boxes = collections.defaultdict(list)
  for name, finding, *xywh in rows(folder / "BBox_List_2017.csv"):
    finding = "Infiltration" if finding == "Infiltrate" else finding
    boxes[name].append(finding)
    x, y, w, h = map(float, xywh)
    assert min(x, y) >= 0
    assert min(w, h) > 0
    assert max(x + w, y + h) <= BOX_FRAME
  for name in test:
    assert sorted(boxes[name]) == sorted(labels[name] & set(BOXED_FINDINGS))
  assert not set(boxes) - test


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_changes_the_image_inside_its_box(finding):
  with_it = phantom.draw_example(0, 5, size=128, findings=(finding,))
  assert with_it.labels.tolist() == [name == finding for name in FINDINGS]
  x1, y1, x2, y2 = with_it.boxes[finding].astype(int)
  assert 0 <= x1 < x2 <= 128
  assert 0 <= y1 < y2 <= 128
  without = phantom.draw_example(0, 5, size=128, findings=())
  changed = np.abs(with_it.image.astype(int) - without.image)
  inside = changed[y1:y2, x1:x2].mean()
  mask = np.ones_like(changed, bool)
  mask[y1:y2, x1:x2] = False
  # Some findings move the chest itself, and the exposure follows all of them.
  assert inside > 1.5 * changed[mask].mean() or finding in (
    "Emphysema",
    "Cardiomegaly",
  )


@pytest.mark.parametrize("size", [64, 96, 512])
def test_the_size_changes_the_sharpness_alone(size):
  small = phantom.draw_example(3, 7, size=size)
  large = phantom.draw_example(3, 7, size=128)
  assert small.image.shape == (size, size)
  assert small.film == large.film
  for name, box in small.boxes.items():
    # A pixel of the coarser grid each way.
    np.testing.assert_allclose(
      box / size, large.boxes[name] / 128, atol=1.5 / min(size, 128)
    )
  means = [
    np.asarray(Image.fromarray(e.image).resize((16, 16), Image.Resampling.BOX))
    for e in (small, large)
  ]
  assert np.corrcoef(means[0].ravel(), means[1].ravel())[0, 1] > 0.98


@pytest.mark.parametrize(
  ("option", "value"),
  [("size", 100), ("size", 32), ("size", 2048), ("num_images", 31)],
)
def test_what_cannot_be_drawn_is_named(tmp_path, option, value):
  with pytest.raises(ValueError, match=rf"{option}.*got {value}"):
    phantom.write_phantom(tmp_path / "x", **{option: value})


def shares(films):
  counts = collections.Counter(name for f in films for name in f.findings)
  return {name: counts[name] / len(films) for name in FINDINGS}


def test_natural_labels_have_the_real_sets_long_tail():
  got = shares(phantom.plan_films(10_000, prevalence="natural"))
  for name in ("Infiltration", "Effusion", "Nodule", "Hernia"):
    want = NIH_COUNTS[name] / 112_120
    # Findings are drawn without replacement, which flattens the tail a bit.
    assert 0.6 * want < got[name] < 1.6 * want
  assert got["Infiltration"] > 40 * got["Hernia"]


def test_balanced_labels_leave_none_rare():
  got = shares(phantom.plan_films(6000))
  assert min(got.values()) > 0.03


@pytest.mark.parametrize("prevalence", ["balanced", "natural"])
def test_test_differs_from_training_as_in_the_real_set(prevalence):
  films = phantom.plan_films(8000, prevalence=prevalence)
  sides = [[f for f in films if f.test == test] for test in (False, True)]
  train, test = (shares(side) for side in sides)
  ratio = test["Pneumothorax"] / train["Pneumothorax"]
  assert 2 < ratio < 4.5
  views = [np.mean([f.view == "AP" for f in side]) for side in sides]
  np.testing.assert_allclose(views, [0.35, 0.57], atol=0.03)
  per_patient = [len(s) / len({f.patient for f in s}) for s in sides]
  assert per_patient[1] > 2 * per_patient[0]
  assert abs(len(sides[1]) / len(films) - 25_596 / 112_120) < 0.02
  for on_test in (False, True):
    assert finding_weights(prevalence, on_test)[1].sum() == pytest.approx(1)


def labels_of(folder):
  entries = rows(folder / "Data_Entry_2017.csv")
  return {
    r[0]: np.array([name in r[1].split("|") for name in FINDINGS])
    for r in entries
  }


def test_label_noise_flips_training_labels_at_its_rate(folder, tmp_path):
  noisy = phantom.write_phantom(
    tmp_path / "n", **SMALL, label_noise=0.2, workers=1
  )
  true, got = labels_of(folder), labels_of(noisy)
  test = set((folder / "test_list.txt").read_text().split())
  assert all((true[name] == got[name]).all() for name in test)
  flips = np.array([true[n] != got[n] for n in true if n not in test])
  # Three standard deviations of the share of about 500 flips.
  assert abs(flips.mean() - 0.2) < 3 * np.sqrt(0.16 / flips.size)
  assert flips.any(0).sum() == len(FINDINGS)
  images = [
    {k: v for k, v in content(p).items() if "png" in k} for p in (folder, noisy)
  ]
  assert images[0] == images[1]
  assert (
    json.loads((noisy / "phantom.json").read_text())["arguments"]["label_noise"]
    == 0.2
  )
  with pytest.raises(ValueError, match="label_noise"):
    phantom.write_phantom(tmp_path / "m", **SMALL, label_noise=0.5)


def test_boxed_fraction_leaves_boxes_out(tmp_path, folder):
  fewer = phantom.write_phantom(
    tmp_path / "f", **SMALL, boxed_fraction=0.3, workers=1
  )
  some, every = (
    {r[0] for r in rows(p / "BBox_List_2017.csv")} for p in (fewer, folder)
  )
  assert some < every


def test_ensure_takes_what_is_there_and_refuses_another(folder):
  before = content(folder)
  assert phantom.ensure_phantom(folder, **SMALL) == folder
  assert content(folder) == before
  with pytest.raises(ValueError, match="seed is 0 there and 1 here"):
    phantom.ensure_phantom(folder, **SMALL, seed=1)
  with pytest.raises(ValueError, match="already"):
    phantom.write_phantom(folder, **SMALL)


@pytest.mark.parametrize("size", [512, 1024])
def test_a_coarse_layer_is_enlarged_bilinearly(size):
  canvas = Canvas(size, Pose())
  layer = np.random.default_rng(0).random((256, 256), dtype=np.float32)
  want = skimage.transform.resize(
    layer, (size, size), order=1, mode="edge", anti_aliasing=False
  )
  assert len(canvas.coarse().x) == 256
  # Sums of four numbers below 1 in float32.
  np.testing.assert_allclose(canvas.enlarge(layer), want, atol=1e-6)
  small = Canvas(128, Pose())
  assert small.coarse() is small
