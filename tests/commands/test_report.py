"""From a folder of predictions to the page."""

import pytest
from PIL import Image

from chexjax.commands import evaluate, report
from chexjax.report.cases import Cases


@pytest.fixture
def out(lists, tmp_path):
  """An evaluation whose folder of lists has films too."""
  (lists.folder / "images").mkdir()
  for i, name in enumerate(lists.names[:20]):
    Image.new("L", (96, 96), 9 * i).save(lists.folder / "images" / name)
  folder = tmp_path / "predictions"
  lists.write_scores(folder)
  lists.write_maps(folder)
  out = tmp_path / "out"
  argv = [f"--predictions={folder}", f"--data_dir={lists.folder}"]
  more = [f"--out={out}", "--draws=10", "--frame=64"]
  assert evaluate.main([*argv, *more]) == 0
  return out


@pytest.mark.slow
def test_a_page_of_two(out, capsys):
  cases = Cases(out / "cases.zip")
  assert len(cases.images) == 20
  assert len(cases.rows) == 36
  assert cases.pixels(cases.images["00000002_001"]).mean() == pytest.approx(
    45, abs=2
  )
  # A page of one run is written in test_run.py.
  both = [f"--workdir={out}", f"--workdir={out}", f"--out={out / 'both.html'}"]
  assert report.main(both) == 0
  text = (out / "both.html").read_text(encoding="utf-8")
  assert "<h2>Comparison</h2>" in text
  assert "Options that differ" not in text  # There are none.
  assert "Effusion: best, median and worst case" in text
  assert "released split" in text
  assert "MB" in capsys.readouterr().out


def test_what_is_missing_is_named(out, tmp_path, capsys):
  # Films of wrong calls are there, maps are asked of boxed films alone.
  wrong = Cases(out / "cases.zip").wrong
  assert wrong
  assert not any(wrong.values())
  assert report.main([f"--workdir={tmp_path}"]) == 2
  said = capsys.readouterr().err
  assert "lacks results.json and evaluation.npz" in said
  assert "chexjax evaluate" in said
  (out / "cases.zip").unlink()
  assert report.main([f"--workdir={out}"]) == 0
  assert "without pictures" in capsys.readouterr().out
