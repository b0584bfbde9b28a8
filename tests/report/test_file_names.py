"""Names of files, made from names that people chose."""

import pytest

from chexjax.report.file_names import file_stems


def test_a_name_that_can_stay_stays():
  names = ["Mass", "Pleural_Thickening", "Pneumopathie à éosinophiles", "肺"]
  assert file_stems(names) == {name: name for name in names}


@pytest.mark.parametrize(
  "name", ["Nodule/Mass", "a\\b", "<5 mm", "a\nb", "..", ".", "", "CON", "x. "]
)
def test_what_no_file_system_takes_is_changed(name, tmp_path):
  (stem,) = file_stems([name]).values()
  assert stem != name
  (tmp_path / f"{stem}_1.png").write_text("")
  assert [p.name for p in tmp_path.iterdir()] == [f"{stem}_1.png"]


def test_distinct_names_stay_distinct():
  names = ["a/b", "a:b", "A_B", "a_b_2", "x" * 300, "x" * 301, "é" * 200]
  stems = file_stems(names)
  assert list(stems) == names
  assert len({stem.casefold() for stem in stems.values()}) == len(names)
  assert stems["A_B"] == "A_B"
  assert stems["a_b_2"] == "a_b_2"
  assert max(len(stem.encode()) for stem in stems.values()) < 200


def test_a_lone_surrogate_is_no_fault(tmp_path):
  (stem,) = file_stems(["a\udc80"]).values()
  (tmp_path / stem).write_text("")
