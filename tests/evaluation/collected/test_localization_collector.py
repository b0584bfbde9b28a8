from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from chexjax.evaluation import (
  DEFAULT_MAPS,
  RELEASED_MAPS,
  LocalizationCollector,
  MapRule,
  score_map,
)
from chexjax.evaluation.measures import overlap

FRAME = (64, 96)
BOX = np.array([16.0, 8.0, 48.0, 40.0])


def box_map(box=BOX, step=1, inside=1.0):
  heat = np.zeros(FRAME, np.float32)
  heat[overlap.box_slices(box, FRAME)] = inside
  return heat[::step, ::step]


def test_a_perfect_map_has_the_box():
  score = score_map(box_map(), BOX, FRAME)
  assert score.cdice == 1
  # 17 % of the pixels: from the 84th percentile on, exactly the box.
  assert (overlap.iou(score.boxes["largest"][24:], BOX) == 1).all()
  assert (overlap.iou(score.boxes["most_active"][24:], BOX) == 1).all()
  assert overlap.iou([[*score.peak, *(score.peak + 1)]], BOX) > 0


def test_a_coarse_map_is_enlarged_before_it_is_cut():
  coarse = box_map(step=4)
  boxes = score_map(coarse, BOX, FRAME).boxes["largest"]
  assert overlap.iou(boxes, BOX).max() > 0.85
  # Without, cells of 4 px: boxes lie on their edges.
  rough = score_map(coarse, BOX, FRAME, enlarge=False)
  assert (rough.boxes["largest"] % 4 == 0).all()
  assert overlap.iou(rough.boxes["largest"], BOX).max() == 1
  assert rough.cdice == 1


def test_a_map_larger_than_the_frame_gives_boxes_in_the_frame():
  large = np.kron(box_map(), np.ones((2, 2), np.float32))
  score = score_map(large, BOX, FRAME)
  assert overlap.iou(score.boxes["largest"][-1], BOX) == 1
  assert score.cdice == 1


def test_meanings_differ_as_their_names_say():
  faint = box_map(inside=0.3)
  absolute = score_map(faint, BOX, FRAME, rule=MapRule("absolute", "none"))
  assert (absolute.boxes["largest"] == 0).all()
  percentile = score_map(faint, BOX, FRAME, rule=MapRule("percentile", "none"))
  assert overlap.iou(percentile.boxes["largest"][-1], BOX) == 1
  assert abs(percentile.cdice - 2 * 0.3 / (0.3**2 + 1)) < 1e-6
  scaled = score_map(faint, BOX, FRAME, rule=MapRule("percentile", "minmax"))
  assert scaled.cdice == 1
  assert {r.meaning for r in DEFAULT_MAPS.values()} == {"percentile"}
  assert RELEASED_MAPS["sal"].meaning == "absolute"
  assert RELEASED_MAPS["mix"] == ("percentile", "released")


def test_released_scaling_is_the_slip():
  heat = np.float32([[0.2, 0.4], [0.2, 0.6]])
  rule = MapRule("percentile", "released")
  score = score_map(heat, [1, 0, 2, 2], (2, 2), rule=rule)
  a = (heat + 0.2) / 0.4
  want = 2 * a[:, 1].sum() / ((a**2).sum() + 2)
  assert abs(score.cdice - want) < 1e-6


def test_the_collector_keeps_small_arrays():
  collector = LocalizationCollector(FRAME)
  for i in range(3):
    collector.add(
      image=f"{i}.png",
      patient=7,
      finding="Mass",
      boxes=BOX if i else [BOX, BOX / 2],
      maps={name: box_map(step=2) for name in DEFAULT_MAPS},
    )
  table = collector.table()
  assert collector.several == 1
  assert table.image.tolist() == ["0.png", "1.png", "2.png"]
  assert table.patient.tolist() == ["7"] * 3
  assert table.box_count().tolist() == [2, 1, 1]
  assert table.boxes["mix"]["most_active"].shape == (3, 41, 4)
  assert table.iou("sal").shape == (3, 41)
  assert table.cdice["det"].shape == (3,)
  assert table.peak["det"].shape == (3, 2)
  np.testing.assert_array_equal(
    table.boxes["det"]["largest"][1],
    score_map(box_map(step=2), BOX, FRAME).boxes["largest"],
  )


def test_threads_give_the_same_table_and_the_error_all_the_same():
  def gather(executor, number=40):
    rng = np.random.default_rng(0)
    collector = LocalizationCollector(FRAME, executor=executor)
    for i in range(number):
      maps = {name: rng.random((8, 12)) for name in DEFAULT_MAPS}
      if i == 50:
        maps["sal"][0, 0] = np.nan
      row = {"image": f"{i}.png", "patient": i, "finding": "Mass"}
      collector.add(**row, boxes=BOX, maps=maps)
    return collector.table()

  with ThreadPoolExecutor(2) as executor:
    plain, threaded = gather(None), gather(executor)
    with pytest.raises(ValueError, match=r"50\.png, Mass, sal"):
      gather(executor, 52)
  assert plain.image.tolist() == threaded.image.tolist()
  for name in DEFAULT_MAPS:
    np.testing.assert_array_equal(plain.cdice[name], threaded.cdice[name])
    np.testing.assert_array_equal(plain.iou(name), threaded.iou(name))


def test_an_empty_collector_gives_an_empty_table():
  table = LocalizationCollector(FRAME).table()
  assert table.iou("mix").shape == (0, 41)
  assert table.true_box.shape == (0, 4)


def test_bad_input_is_named():
  collector = LocalizationCollector(FRAME)
  row = {"image": "a.png", "patient": 1, "finding": "Mass"}
  with pytest.raises(ValueError, match="want"):
    collector.add(**row, boxes=BOX, maps={"sal": box_map()})
  maps = {name: box_map() for name in DEFAULT_MAPS}
  with pytest.raises(ValueError, match="x1 < x2"):
    collector.add(**row, boxes=[5, 5, 5, 9], maps=maps)
  maps["det"] = maps["det"] * np.nan
  with pytest.raises(ValueError, match=r"a\.png, Mass, det"):
    collector.add(**row, boxes=BOX, maps=maps)
