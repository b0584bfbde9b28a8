"""A report that fails costs itself alone."""

from chexjax.report import build
from chexjax.report.own_report import try_report


def test_a_report_that_fails_is_one_line(tmp_path, monkeypatch, capsys):
  def fail(*_):
    raise RuntimeError("no font")

  monkeypatch.setattr(build, "write", fail)
  assert not try_report(tmp_path)
  warned = capsys.readouterr().err
  assert warned.count("\n") == 1
  assert f"warning: no {tmp_path / 'report.html'}: no font" in warned
  assert not list(tmp_path.iterdir())


def test_a_folder_without_results_has_none(tmp_path, capsys):
  assert not try_report(tmp_path)
  assert "lacks results.json" in capsys.readouterr().err
