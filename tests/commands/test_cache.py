"""What the cache holds is listed, and removed by its age."""

import os
import time

from chexjax.commands.cache import main


def fill(cache):
  for name, days in (
    ("phantom/old/images/a.png", 40),
    ("phantom/new/images/a.png", 1),
    ("records/old/x", 40),
    ("compiled/jit_f-abc-cache", 40),
    ("compiled/traced/abc", 2),
    ("notes.txt", 400),
  ):
    path = cache / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(1_000_000))
    os.utime(path, (time.time() - 86400 * days,) * 2)


def test_the_idle_are_removed_and_nothing_else(tmp_path, capsys):
  fill(tmp_path)
  assert main([f"--cache_dir={tmp_path}"]) == 0
  said = capsys.readouterr().out
  assert said.count("40 days idle") == 2
  assert "2 MB  phantom, 2" in said
  assert "1 MB  compiled, 1" in said
  assert main([f"--cache_dir={tmp_path}", "--prune", "--days=30"]) == 0
  assert "removed 3 of 5, 3 MB" in capsys.readouterr().out
  left = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")}
  assert left >= {"phantom/new/images/a.png", "compiled/traced/abc"}
  assert "notes.txt" in left
  assert not any("old" in name or "jit" in name for name in left)


def test_no_cache_is_no_fault(tmp_path, capsys):
  assert main([f"--cache_dir={tmp_path / 'none'}"]) == 0
  assert "holds nothing" in capsys.readouterr().out
  assert main([f"--cache_dir={tmp_path}", "--days=-1"]) == 2
