"""Whatever the lists say, the readers answer; boxes and maps keep their rules.

Faults are collected, never raised, and what is read without a fault is within
the rules that everything after relies on.
"""

import pathlib

import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from chexjax import ops
from chexjax.data import own_tables
from chexjax.evaluation.measures import components, overlap
from chexjax.ops import boxes as box_ops
from tfds_chestxray14 import lists
from tfds_chestxray14.faults import Faults
from tfds_chestxray14.findings import FINDINGS
from tfds_chestxray14.folder import ListFile

few = settings(max_examples=25, deadline=None, derandomize=True)

HEADER = (
  "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,"
  "Patient Gender,View Position"
)
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h]"
NAMES = ("a.png", "b.png")
# Nearly good cells, so that rows get past the first check, and any others.
cells = st.one_of(
  st.sampled_from([*NAMES, "Mass", "No Finding", "M", "PA", "1", "058Y", ""]),
  st.text(max_size=8),
  st.sampled_from(["nan", "inf", "-1", "1e400", "9" * 5000, '"', "\0", "\r"]),
)
tables = st.lists(st.lists(cells, max_size=9).map(",".join), max_size=5)
numbers = st.one_of(
  st.integers(-2, 1030).map(str),
  st.floats().map(str),
  st.sampled_from(["1024.5", "1e-320", "5e-324", "1e308", "x", ""]),
)
coordinates = st.floats(-200, 1200, width=32)
corners = npst.arrays(np.float32, (3, 4), elements=coordinates)


def file(text, name="list.csv"):
  return ListFile(pathlib.Path(name), text, "")


@few
@given(tables)
def test_any_table_gives_entries_or_faults(rows):
  faults = Faults()
  read = lists.read_entries(file("\n".join([HEADER, *rows])), faults)
  if not faults:
    for entry in read.values():
      assert set(entry.labels) <= set(FINDINGS)
      assert 0 <= entry.patient_id < 2**31
      assert 0 <= entry.follow_up < 2**31
      assert 0 <= entry.age < 2**31
      assert entry.sex in ("M", "F")


@few
@given(st.text())
def test_any_text_is_read_as_any_list(text):
  faults = Faults()
  entries = lists.read_entries(file(text), faults)
  lists.read_boxes(file(text), entries, faults)
  lists.read_names(file(text), entries, faults)
  lists.data_entry_version(file(text))
  assert faults


@settings(few, max_examples=50)
@given(st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=4))
def test_a_box_without_a_fault_has_an_area_inside_the_image(rows):
  good = [f"{name},Mass,0,1,50,M,PA" for name in NAMES]
  faults = Faults()
  entries = lists.read_entries(file("\n".join([HEADER, *good])), faults)
  assert not faults
  text = "\n".join([BOXES, *(f"a.png,Mass,{','.join(row)}" for row in rows)])
  boxes = lists.read_boxes(file(text), entries, faults)
  assert len(boxes.get("a", ())) + len(faults) == len(rows)
  for box in boxes.get("a", ()):
    assert 0 <= box.ymin < box.ymax <= 1
    assert 0 <= box.xmin < box.xmax <= 1


@few
@given(st.binary(max_size=80), st.sampled_from([b"", b"file,findings\n"]))
def test_any_bytes_are_read_as_ones_own_tables(tmp_path_factory, data, header):
  path = tmp_path_factory.mktemp("own") / "labels.csv"
  path.write_bytes(header + data)
  faults: list[str] = []
  rows = own_tables.read_rows(path, faults)
  assert faults or rows
  own_tables.read_boxes(path, rows, {}, faults)


@few
@given(corners, corners)
def test_overlaps_are_shares_and_do_not_depend_on_the_order(a, b):
  ours = np.asarray(box_ops.iou(jnp.array(a), jnp.array(b)))
  assert np.isfinite(ours).all()
  # Sums of float32 areas up to 2 million lose their last digits.
  assert ours.min() >= 0
  assert ours.max() <= 1 + 1e-5
  np.testing.assert_allclose(
    ours, np.asarray(box_ops.iou(jnp.array(b), jnp.array(a))).T, atol=1e-6
  )
  # Evaluation has its own, in float64.
  theirs = overlap.iou(a[:, None].astype(float), b[None].astype(float))
  np.testing.assert_allclose(ours, theirs, atol=1e-3)


@few
@given(corners)
def test_clipping_is_final_and_inside(boxes):
  once = box_ops.clip(jnp.array(boxes), height=300, width=500)
  assert (once >= 0).all()
  assert (once <= jnp.array([500, 300, 500, 300])).all()
  np.testing.assert_array_equal(once, box_ops.clip(once, height=300, width=500))


@few
@given(corners, npst.arrays(np.float32, 3, elements=coordinates))
def test_a_detection_map_is_finite_whatever_the_boxes(boxes, scores):
  heat = ops.detection_map(
    jnp.array(boxes), jnp.array(scores), height=32, width=32
  )
  assert heat.shape == (8, 8)
  assert np.isfinite(heat).all()
  assert heat.min() >= 0
  assert heat.max() <= 1


@few
@given(
  npst.arrays(np.float32, (8, 9), elements=st.floats(0, 1, width=16)),
  st.floats(0, 1, width=16),
)
def test_a_components_box_is_in_the_map_and_holds_a_pixel_above_the_cut(
  heat, cut
):
  box = components.component_box(heat, cut)
  if box is None or not np.any(box):
    assert not (heat > cut).any()
    return
  x1, y1, x2, y2 = map(int, box)
  assert 0 <= x1 < x2 <= 9
  assert 0 <= y1 < y2 <= 8
  assert (heat[y1:y2, x1:x2] >= cut).any()
