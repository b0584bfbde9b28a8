"""A scene that the tests of several rooms measure."""

import numpy as np
import pytest

from chexjax import evaluation

FINDINGS = ("Mass", "Nodule")
FRAME = (64, 64)


def draw_scene(seed=0, num=30):
  """Images and a table of `num` cases of 10 patients; maps near the boxes."""
  rng, where = np.random.default_rng(seed), np.random.default_rng(9)
  collector = evaluation.LocalizationCollector(
    FRAME, maps={"mix": evaluation.MapRule("percentile", "minmax")}
  )
  names = np.array([f"{i}.png" for i in range(num)])
  patients = np.arange(num) // 3
  for i in range(num):
    x, y = where.integers(0, 8, 2) * 4
    heat = rng.random((16, 16)) * 0.5
    heat[y // 4 : y // 4 + 6, x // 4 : x // 4 + 7] += rng.random()
    collector.add(
      image=names[i],
      patient=patients[i],
      finding=FINDINGS[i % 2],
      boxes=[x, y, x + 28, y + 24],
      maps={"mix": heat},
    )
  labels = np.array([[i % 2 == 0, i % 2 == 1] for i in range(num)])
  images = evaluation.make_images(
    names, patients, labels, labels * 0.4 + rng.random((num, 2)), FINDINGS,
    view=np.where(np.arange(num) < 12, "AP", "PA"), sex=["F"] * num,
    age=np.where(np.arange(num) == 0, 414, 20 + np.arange(num)),
  )  # fmt: skip
  return images, collector.table()


@pytest.fixture(scope="session")
def scene():
  """Draws images and a table, of a seed and a number of cases."""
  return draw_scene


@pytest.fixture(scope="session")
def parts():
  """The images and the table of the default scene."""
  return draw_scene()
