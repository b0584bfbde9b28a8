"""Boxes that are not in NIH's frame are refused as a whole."""

import pytest

import tfds_chestxray14


def rewritten(drawn, factor, count):
  """Write boxes all over the frame, scaled."""
  drawn.boxes = [
    f"{row.split(',')[0]},Mass,{','.join(f'{v * factor:g}' for v in box)},,,"
    for row, box in zip(
      (row for row in drawn.rows if "Mass" in row),
      ((30 * i, 25 * i, 300, 250) for i in range(count)),
    )
  ]
  return drawn.write()


@pytest.mark.parametrize(
  ("factor", "said"),
  [
    (1 / 1024, "look like fractions of the image"),
    (0.25, "look scaled to smaller images"),
    (0.5, "look scaled to smaller images"),
  ],
)
def test_boxes_of_another_frame_are_one_fault(drawn, factor, said):
  folder = rewritten(drawn, factor, 22)
  with pytest.raises(ValueError, match=r"1 fault in .*") as caught:
    tfds_chestxray14.read_lists(folder)
  assert said in str(caught.value)
  assert "BBox_List_2017.csv" in str(caught.value)


@pytest.mark.parametrize(("factor", "count"), [(1, 22), (0.5, 3)])
def test_boxes_of_the_frame_and_a_few_small_ones_are_read(drawn, factor, count):
  read = tfds_chestxray14.read_lists(rewritten(drawn, factor, count))
  assert sum(map(len, read.boxes.values())) == count
