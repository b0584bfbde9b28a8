"""Pictures of scored cases; one that fails costs itself alone."""

import errno

import numpy as np
import pytest
from PIL import Image
from test_page import FINDINGS, make_run

from chexjax.report import case_figures, curves, drawn_figures
from chexjax.report.examples import draw_examples
from chexjax.report.submission_pictures import SubmissionPictures


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  return make_run(tmp_path_factory.mktemp("a") / "run", "run")


@pytest.fixture
def draw(run, tmp_path):
  """Draws examples of a table whose findings are renamed."""

  def drawn(names=FINDINGS, film=None):
    renamed = dict(zip(FINDINGS, names))
    table = run.record.table
    table = table._replace(
      finding=np.array([renamed[f] for f in table.finding], object)
    )
    heat = {"sal": np.eye(4, dtype=np.float16)}
    cases = [{"index": i, "maps": heat} for i in range(len(table.finding))]
    return draw_examples(
      tmp_path / "figures",
      table,
      cases,
      findings=list(names),
      film=film or (lambda index: np.zeros((16, 16, 1), np.uint8)),
      per_finding=2,
    )

  return drawn


def test_a_finding_may_be_called_anything(draw, tmp_path):
  assert draw(("Nodule/Mass", "Nodule:Mass")) == 4
  found = sorted(path.name for path in (tmp_path / "figures").iterdir())
  assert found == [
    "Nodule_Mass_1.png", "Nodule_Mass_2.png",
    "Nodule_Mass_2_1.png", "Nodule_Mass_2_2.png", "grid.png",
  ]  # fmt: skip
  with Image.open(tmp_path / "figures" / "grid.png") as picture:
    picture.load()


def test_a_picture_that_fails_is_named_and_the_others_are_drawn(
  draw, tmp_path, capsys
):
  (tmp_path / "figures" / "Mass_1.png").mkdir(parents=True)
  assert draw() == 3
  assert "Mass_1.png is not drawn" in capsys.readouterr().err
  names = {p.name for p in (tmp_path / "figures").iterdir() if p.is_file()}
  assert names == {"Mass_2.png", "Nodule_1.png", "Nodule_2.png", "grid.png"}


def test_a_film_that_fails_costs_its_picture(draw, capsys):
  def film(index):
    if index % 2:
      raise ValueError("truncated")
    return np.zeros((16, 16), np.uint8)

  assert draw(film=film) == 2
  assert capsys.readouterr().err.count("is not drawn: truncated") == 3


def test_a_file_in_the_folders_place_is_no_end(draw, tmp_path, capsys):
  (tmp_path / "figures").write_text("")
  assert draw() == 0
  assert "grid.png is not drawn" in capsys.readouterr().err


def test_a_full_disk_is_told_as_one(draw):
  def film(index):
    raise OSError(errno.ENOSPC, "No space left on device")

  with pytest.raises(OSError, match="No space"):
    draw(film=film)


def test_a_figure_of_the_report_that_fails_is_left_out(
  run, tmp_path, monkeypatch, capsys
):
  whole = drawn_figures.draw_figures(run, tmp_path)

  def broken(*args, **options):
    raise RuntimeError("no font")

  monkeypatch.setattr(curves, "iou_figure", broken)
  monkeypatch.setattr(case_figures, "_case", broken)
  left = [of.caption for of in drawn_figures.draw_figures(run, tmp_path)]
  lost = [of.caption for of in whole if of.caption not in left]
  assert lost == [
    "How the IoUs are spread",
    *(f"{f}: best, median and worst case" for f in FINDINGS),
  ]
  err = capsys.readouterr().err
  assert all(f"{caption!r} is not drawn: no font" in err for caption in lost)


def test_two_evaluations_do_not_write_to_one_folder(tmp_path):
  def pictures():
    return SubmissionPictures({}, tmp_path / "out")

  with (
    pictures(),
    pytest.raises(BlockingIOError, match=r"another evaluation .*out; wait"),
  ):
    pictures()
  with pictures():
    pass
