"""The README's Python runs as it is printed."""

import pathlib
import re

import pytest
from tiny_workdir import make_workdir

README = (pathlib.Path(__file__).parents[2] / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_runs(number, tmp_path, monkeypatch, capsys):
  make_workdir(tmp_path / "runs" / "phantom")
  monkeypatch.chdir(tmp_path)
  exec(compile(BLOCKS[number], "README.md", "exec"), {})
  said = capsys.readouterr().out
  assert "(300, 14, 32, 32)" in said
  assert "## Table 1" in said
  # The films are enough for means.
  assert "The mean AUC over" in said
  assert "the cross-fitted mean IoU is" in said
  # Scoring writes nothing.
  assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_there_is_a_block():
  assert len(BLOCKS) == 1
