"""Records are built anew when the folder they came from has changed."""

from chexjax.data.sources import _folder_digest


def test_a_list_corrected_in_place_gives_other_records(tmp_path):
  boxes = tmp_path / "BBox_List_2017.csv"
  boxes.write_text("a.png,Mass,210\n")
  (tmp_path / "a.png").write_bytes(b"1")
  before = _folder_digest(tmp_path)
  boxes.write_text("a.png,Mass,310\n")
  corrected = _folder_digest(tmp_path)
  (tmp_path / "b.png").write_bytes(b"2")
  assert len({before, corrected, _folder_digest(tmp_path)}) == 3
