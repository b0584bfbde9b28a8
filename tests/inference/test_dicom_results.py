"""Which findings are drawn, and maps in a film's stored pixels."""

import numpy as np
import pytest

from chexjax.dicom.placement import place
from chexjax.inference.dicom_results import stored_map
from chexjax.inference.film_findings import drawn


def said(*predicted):
  return {
    name: {"probability": 0.1 * i, "predicted": p}
    for i, (name, p) in enumerate(zip("abcde", predicted))
  }


def test_drawn_is_what_is_predicted_or_most_probable():
  assert drawn(said(None, None, None, None, None)) == ["e", "d", "c"]
  assert drawn(said(True, None, False, True, None)) == ["d", "a"]
  assert drawn(said(False, False)) == []


@pytest.mark.parametrize(
  "orientation", ["LF", "RF", "LH", "RH", "FL", "FR", "HL", "HR"]
)
def test_a_map_is_where_its_box_is(orientation):
  placement, _ = place(
    80, 40, orientation=tuple(orientation), pixel=(0.5, 0.25)
  )
  heat = np.zeros((placement.height, placement.width), np.float32)
  box = np.array([4, 6, 20, 26])
  heat[box[1] : box[3], box[0] : box[2]] = 1
  stored = stored_map(heat, placement)
  assert stored.shape == (40, 80)
  ys, xs = np.nonzero(stored > 0.5)
  x1, y1, x2, y2 = placement.to_original(box)
  # Half a pixel, where the map is made smaller.
  assert np.allclose((xs.min(), xs.max() + 1), (x1, x2), atol=0.51)
  assert np.allclose((ys.min(), ys.max() + 1), (y1, y2), atol=0.51)
