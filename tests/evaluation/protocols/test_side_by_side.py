"""Several systems beside each other: means over seeds, paired differences."""

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation import LocalizationCollector, MapRule, make_images
from chexjax.evaluation.collected.scored_model import ScoredModel
from chexjax.evaluation.outputs.side_by_side_tables import (
  published_notes,
  published_tables,
  run_here_tables,
  side_by_side_notes,
)
from chexjax.evaluation.protocols.side_by_side import (
  Trained,
  side_by_side,
  spread,
)

NAMES = ["Mass", "Nodule"]
FILMS = 40


def trained(skill, seed, name):
  """Score a made-up model; with more skill its map is nearer to the box."""
  truth, rng = np.random.default_rng(0), np.random.default_rng(seed)
  collector = LocalizationCollector((32, 32), maps={name: MapRule()})
  labels = np.zeros((FILMS, 2))
  for film in range(FILMS):
    k = film % 2
    labels[film, k] = 1
    x, y = truth.integers(0, 20, 2)
    heat = rng.random((32, 32))
    heat[y : y + 10, x : x + 10] += skill
    collector.add(
      image=f"{film}.png",
      patient=film // 2,
      finding=NAMES[k],
      boxes=[x, y, x + 10, y + 10],
      maps={name: heat},
    )
  scores = np.clip(rng.random((FILMS, 2)) + 0.3 * skill * labels, 0, 2) / 2
  images = make_images(
    [f"{i}.png" for i in range(FILMS)],
    [i // 2 for i in range(FILMS)],
    labels,
    scores,
    NAMES,
  )
  table = collector.table()
  return Trained(
    ScoredModel(images, table, "largest"),
    evaluation.measure_table(table, NAMES),
  )


@pytest.fixture(scope="module")
def tree():
  systems = {
    "ours": [trained(1.5, seed, "mix") for seed in (1, 2)],
    "cam": [trained(0.1, seed, "cam") for seed in (3, 4)],
  }
  maps = {"ours": "mix", "cam": "cam"}
  return systems, side_by_side(systems, reference="ours", maps=maps, draws=200)


def test_a_figure_is_the_mean_over_seeds(tree):
  systems, found = tree
  for name, map_name in (("ours", "mix"), ("cam", "cam")):
    every = [
      np.mean(
        [one.measures[map_name]["crossfit"][f].means()["iou",] for f in NAMES]
      )
      for one in systems[name]
    ]
    of = found["systems"][name]["localization"][map_name]["crossfit"]["iou"]
    assert of["mean"]["value"] == pytest.approx(np.mean(every))
    assert of["mean"]["seeds"] == pytest.approx(every)
    low, high = of["mean"]["interval"]
    assert low < of["mean"]["value"] < high


def test_the_difference_is_paired_and_of_the_right_sign(tree):
  _, found = tree
  cam = found["systems"]["cam"]
  gain = cam["against"]["localization"]["cam"]["crossfit"]["iou"]["mean"]
  value = cam["localization"]["cam"]["crossfit"]["iou"]["mean"]["value"]
  ours = found["systems"]["ours"]["localization"]["mix"]["crossfit"]["iou"]
  assert gain["difference"] == pytest.approx(value - ours["mean"]["value"])
  assert gain["interval"][1] < 0
  assert gain["apart"]
  # The reference is not compared with itself.
  assert found["systems"]["ours"]["against"] == {}
  assert found["baselines"]["image_blind"]["crossfit"]["iou"]["mean"]["value"]


def test_tables_have_every_row_and_published_ones_stand_apart(tree):
  _, found = tree
  titles = {"ours": "chexjax", "cam": "CAM"}
  auc, places, hits = run_here_tables(found, titles)
  assert [row[0] for row in auc.rows] == ["chexjax", "CAM"]
  labels = {(row[0], row[1], row[2]) for row in places.rows}
  assert ("IoU", "crossfit", "image-blind box") in labels
  assert ("IoU", "oracle", "CAM") in labels
  assert ("cDice", "crossfit", "chexjax") in labels
  assert {row[0] for row in hits.rows} == {"T(0.3)", "T(0.5)", "T(0.6)"}
  for table in (auc, places, hits):
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert not table.foreign
  for table in published_tables():
    assert len(table.foreign) == len(table.rows)
    assert {len(row) for row in table.rows} == {len(table.header)}
  notes = side_by_side_notes(found, titles, {"cam": "Assumed."})
  assert "CAM: Assumed." in notes
  said = " ".join(published_notes())
  for correction in (".739", "ChestX-ray8", "order of its classes"):
    assert correction in said


def test_published_means_are_computed_here():
  auc, rest = published_tables()
  means = {row[1]: row[-1] for row in auc.rows}
  want = {
    "Wang et al. 2017": 0.7451,
    "Li et al. 2018, quoted by Hermoza et al.": 0.7354,
    "CRAL, quoted by Hermoza et al.": 0.8159,
    "Ma et al. 2019, quoted by Hermoza et al.": 0.8166,
    "Hermoza et al. 2020": 0.8206,
  }
  for name, mean in want.items():
    assert means[name] == pytest.approx(mean, abs=5e-5)
  mix = next(row for row in rest.rows if row[1].endswith("Mix"))
  # Both the findings' figures and the printed mean are rounded.
  assert mix[-1] == pytest.approx(0.370, abs=1e-3)


def test_other_films_are_refused(tree):
  systems, _ = tree
  one = systems["cam"][0]
  named = [f"other{i}.png" for i in range(FILMS)]
  images = one.model.images._replace(image=np.array(named))
  other = one._replace(model=one.model._replace(images=images))
  with pytest.raises(ValueError, match="not scored on the same data"):
    side_by_side(
      {"ours": systems["ours"], "cam": [other]},
      reference="ours",
      maps={"ours": "mix", "cam": "cam"},
      draws=10,
    )


def test_the_spread_of_one_seed_is_none():
  assert spread([0.5]) is None
  assert spread([0.5, None, 0.3]) == (0.3, 0.5)
