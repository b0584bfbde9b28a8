"""The leak check finds what was planted, and nothing else."""

import cv2
import numpy as np
import pytest

from chexjax.data.film_statistics import film_statistics
from chexjax.data.sources import Dataset
from chexjax.io import read_json
from chexjax.report.build import leak_notes
from chexjax.training import leaks


class Films:
  """Random films of 60 patients, three each, with planted traits."""

  def __init__(self, plant=None, seed=0, known=True):
    rng = np.random.default_rng(seed)
    self.rows = []
    for i in range(180):
      image = cv2.GaussianBlur(
        rng.uniform(0, 255, (48, 48)).astype("f4"), (0, 0), 2
      )
      labels = rng.integers(0, 2, 2).astype(np.float32)
      if plant is not None and rng.uniform() < 0.8:
        image = plant(image, labels[0])
      labels[1] = labels[1] if known else np.nan
      self.rows.append(
        {
          "image": image.astype(np.uint8)[..., None], "labels": labels,
          "patient_id": i // 3, "file_name": b"%d.png" % i, "age": 40 + i % 7,
        }
      )  # fmt: skip

  def __len__(self):
    return len(self.rows)

  def __getitem__(self, index):
    return self.rows[index]


def dataset(plant=None, **options):
  films = Films(plant, **options)
  return Dataset({"validation": films}, {"findings": ["Cat", "Dog"]})


def blurred(image, label):
  return cv2.GaussianBlur(image, (0, 0), 1.5) if label else image


def marked(image, label):
  image = image.copy()
  if label:
    image[1:4, 40:46] = 255
  return image


def darker(image, label):
  return image * (0.8 if label else 1)


def framed(image, label):
  image = image.copy()
  if label:
    image[:, :3] = image[:, -3:] = 0
  return image


@pytest.mark.parametrize(
  ("plant", "statistic"),
  [
    (blurred, "sharpness"), (marked, "corners"),
    (darker, "mean"), (framed, "border"),
  ],
)  # fmt: skip
def test_a_planted_trait_is_found_with_its_label(plant, statistic):
  found = leaks.check(dataset(plant))
  mine = [leak for leak in found if leak.label == "Cat"]
  assert statistic in {leak.statistic for leak in mine}
  assert not [leak for leak in found if leak.label == "Dog"]
  best = next(leak for leak in mine if leak.statistic == statistic)
  assert best.auc > 0.75
  assert best.interval[0] < best.auc < best.interval[1]
  assert best.higher == (statistic in ("corners", "border"))


def test_nothing_is_found_in_films_without_traits():
  assert leaks.check(dataset()) == []


def test_labels_that_are_not_known_do_not_count():
  found = leaks.check(dataset(blurred, known=False))
  assert {leak.label for leak in found} <= {"Cat", leaks.ANY}
  assert found


def test_a_finding_of_few_patients_is_not_judged():
  films = Films(blurred)
  for row in films.rows:
    row["patient_id"] %= 9
  found = leaks.check(Dataset({"validation": films}, {"findings": ["C", "D"]}))
  assert found == []


def test_the_size_of_the_files_is_read(tmp_path):
  films = Films()
  for i, row in enumerate(films.rows):
    side = 24 if row["labels"][0] else 48
    image = cv2.resize(row["image"], (side, side))
    cv2.imwrite(str(tmp_path / f"{i}.png"), image)
  data = Dataset({"validation": films}, {"findings": ["Cat", "Dog"]})
  found = leaks.check(data, folders=[tmp_path])
  assert (found[0].statistic, found[0].label) == ("size", "Cat")
  assert found[0].auc == 1


def test_a_shift_between_the_splits_is_measured():
  splits = {"train": Films(seed=1), "test": Films(darker, seed=2)}
  found = leaks.shift(Dataset(splits, {"findings": ["Cat", "Dog"]}))
  train, test, auc = found["mean"]
  assert test < train
  assert auc < 0.45
  assert abs(found["sharpness"][2] - 0.5) < 0.1


def test_a_run_is_warned_once_and_the_report_has_it(tmp_path, caplog):
  leaks.warn(dataset(blurred), [], tmp_path)
  assert "sharpness predicts Cat" in caplog.text
  stored = read_json(tmp_path / leaks.NAME)
  assert stored["leaks"][0]["label"] == "Cat"
  assert leak_notes(tmp_path) == stored["lines"]
  caplog.clear()
  leaks.warn(dataset(blurred), [], tmp_path)
  assert not caplog.text


def test_an_auc_under_weights_is_that_of_films_repeated():
  rng = np.random.default_rng(0)
  values, positive = rng.integers(0, 6, 40), rng.integers(0, 2, 40) > 0
  times = rng.integers(0, 3, 40)
  again = np.repeat(values, times), np.repeat(positive, times)
  ones, zeros = again[0][again[1]], again[0][~again[1]]
  pairs = ones[:, None] - zeros[None]
  want = ((pairs > 0) + (pairs == 0) / 2).mean()
  got = leaks._aucs(values, positive, times[None].astype(float))
  np.testing.assert_allclose(got, [want], rtol=1e-12)


def test_a_flat_film_has_statistics():
  found = film_statistics(np.zeros((8, 8, 1), np.uint8))
  assert found["sharpness"] == 0
  assert found["dark"] == found["border"] == 1
