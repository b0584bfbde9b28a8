"""Tables of boxes as people have them."""

import numpy as np
import pytest

from chexjax.data import own_tables
from chexjax.data.own_set import open_own_set
from chexjax.data.own_tables import Row

ROWS = [
  Row(2, "a.png", ("Cat", "Dog"), "", "1"),
  Row(3, "b.png", ("Cat",), "", "2"),
  Row(4, "c.png", (), "", "3"),
]
SIZES = {"a.png": (200, 100), "b.png": (100, 50), "c.png": (64, 64)}
# Two boxes of one finding on one film.
GOOD = {"a.png": [(50, 20, 150, 60), (0, 0, 20, 10)], "b.png": [(5, 5, 50, 45)]}


def read(tmp_path, header, lines):
  path = tmp_path / "boxes.csv"
  path.write_text("\n".join([header, *lines]) + "\n")
  faults, notes = [], []
  boxes = own_tables.read_boxes(path, ROWS, SIZES, faults, notes=notes)
  return boxes, faults, " ".join(notes)


def lines_of(write):
  return [
    f"{file},Cat,{','.join(map(str, write(*box, *SIZES[file])))}"
    for file, boxes in GOOD.items()
    for box in boxes
  ]


def xywh(x1, y1, x2, y2, *_):
  return x1, y1, x2 - x1, y2 - y1


def corners(x1, y1, x2, y2, *_):
  return x1, y1, x2, y2


def centred(x1, y1, x2, y2, width, height):
  return (
    (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width,
    (y2 - y1) / height,
  )  # fmt: skip


FORMS = [
  ("x,y,w,h", xywh, "x, y, width, height in pixels"),
  ("x,y,width,height", xywh, "x, y, width, height in pixels"),
  ("x1,y1,x2,y2", corners, "the corners x1, y1, x2, y2"),
  ("xmin,ymin,xmax,ymax", corners, "the corners x1, y1, x2, y2"),
  ("x_min,y_min,x_max,y_max", corners, "the corners x1, y1, x2, y2"),
  ("x_center,y_center,width,height", centred, "centre and size"),
]


@pytest.mark.parametrize(("columns", "write", "said"), FORMS)
def test_a_form_is_known_by_its_header_and_told(tmp_path, columns, write, said):
  boxes, faults, notes = read(
    tmp_path, f"file,finding,{columns}", lines_of(write)
  )
  assert not faults
  for file, own in GOOD.items():
    width, height = SIZES[file]
    found = [box.bbox for box in boxes[file]]
    want = [
      (y1 / height, x1 / width, y2 / height, x2 / width)
      for x1, y1, x2, y2 in own
    ]
    np.testing.assert_allclose(found, want)
  assert f"3 boxes, read as {said}" in notes


@pytest.mark.parametrize(
  ("columns", "write", "said"),
  [
    ("x,y,w,h", centred, "no number is above 1"),
    ("x1,y1,x2,y2", centred, "no number is above 1"),
    ("x_center,y_center,width,height", xywh, "the largest number is 120;"),
    ("x,y,w,h", corners, "look like the other corner"),
    ("x1,y1,x2,y2", xywh, "look like width and height"),
    ("x,y,w,h", lambda *b: [10 * v for v in xywh(*b)], "another frame?"),
    ("x1,y1,x2,y2", lambda *b: [10 * v for v in corners(*b)], "another frame?"),
    ("x,y,w,h,width,height", lambda *b: [*xywh(*b), 1, 1], "more than one box"),
    ("a,b,c,d", xywh, "the header lacks the numbers of a box"),
  ],
)
def test_numbers_that_cannot_mean_that_are_one_fault(
  tmp_path, columns, write, said
):
  # Boxes far from the corner of their films.
  far = {"a.png": [(120, 60, 160, 90), (90, 55, 150, 80)],
         "b.png": [(60, 30, 80, 45)]}  # fmt: skip
  lines = [
    f"{file},Cat,{','.join(map(str, write(*box, *SIZES[file])))}"
    for file, boxes in far.items()
    for box in boxes
  ]
  boxes, faults, _ = read(tmp_path, f"file,finding,{columns}", lines)
  assert not boxes
  (fault,) = faults
  assert any(part in fault for part in said.split("|"))


def test_readers_and_films_without_a_finding(tmp_path):
  header = "file,rad_id,finding,x_min,y_min,x_max,y_max"
  lines = [
    "a.png,R1,Cat,1,1,50,50",
    "a.png,R2,Cat,1,1,50,50",
    "a.png,R2,Cat,1,1,50,51",
    "a.png,R2,Dog,5,5,50,50",
    "c.png,R1,No finding,,,,",
    "c.png,R2,No finding,0,0,1,1",
  ]
  boxes, faults, notes = read(tmp_path, header, lines)
  assert not faults
  assert [b.finding for b in boxes["a.png"]] == ["Cat", "Cat", "Dog"]
  assert "c.png" not in boxes
  assert "2 lines are films without a finding" in notes
  assert "2 readers (rad_id)" in notes
  assert "1 boxes that are there twice are one" in notes


def test_targets_and_empty_cells(tmp_path):
  header = "file,finding,x,y,width,height,Target"
  lines = ["a.png,Cat,1,1,9,9,1", "c.png,Cat,,,,,0"]
  boxes, faults, notes = read(tmp_path, header, lines)
  assert not faults
  assert list(boxes) == ["a.png"]
  assert "1 lines are films without" in notes
  for line, said in (
    ("b.png,Cat,,,,,1", "must be four numbers"),
    ("b.png,Cat,1,1,5,5,0", "Target is 0, but the box is"),
    ("b.png,,1,1,5,5,", "has no finding"),
    ('b.png,Cat,"1,5",1,5,5,1', "write 1.5, not 1,5"),
    ("b.png,Cat,1,1,inf,5,1", "must be four numbers"),
  ):
    _, faults, _ = read(tmp_path, header, [*lines, line])
    assert said in faults[0], line
    assert faults[0].startswith("boxes.csv line 4: ")


def test_a_single_finding_needs_no_column(own_folder, tmp_path):
  own = own_folder(tmp_path / "own")
  own.labels = [line.replace("Dog", "Cat") for line in own.labels]
  own.boxes = ["file,x,y,width,height,Target", "a/00.png,1,2,9,9,1",
               "a/29.png,,,,,0"]  # fmt: skip
  dataset = open_own_set(own.write(), size=32)
  assert dataset.metadata["boxed_findings"] == ["Cat"]


def test_a_column_that_is_nearly_ours_is_a_fault(tmp_path):
  _, faults, _ = read(tmp_path, "image_id,class_name,x,y,w,h", lines_of(xywh))
  assert "file instead of 'image_id'" in faults[0]
  assert "finding instead of 'class_name'" in faults[0]
