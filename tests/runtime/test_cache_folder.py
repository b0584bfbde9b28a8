"""What is listed of a cache, and removed."""

import pathlib

from chexjax.runtime.cache_folder import entries, prune


def test_half_done_work_is_listed_and_locks_are_not(tmp_path):
  for name in (
    "phantom/.ab.1.0.tmp/images/a.png", "phantom/.locks/ab/.lock",
    "records/ab/source.json", "records/.locks/ab/.lock",
  ):  # fmt: skip
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("x")
  names = {entry.path.name for entry in entries(tmp_path)}
  assert names == {".ab.1.0.tmp", "ab"}
  prune(tmp_path, days=0)
  left = {p.name for p in tmp_path.rglob("*") if p.is_file()}
  assert left == {".lock"}


def test_a_file_that_goes_while_it_is_looked_at_is_no_fault(
  tmp_path, monkeypatch
):
  for name in ("a", "b"):
    (tmp_path / "records" / "ab").mkdir(parents=True, exist_ok=True)
    (tmp_path / "records" / "ab" / name).write_text("xyz")
  is_file = pathlib.Path.is_file

  def gone(path):
    found = is_file(path)
    if path.name == "a":
      path.unlink(missing_ok=True)
    return found

  monkeypatch.setattr(pathlib.Path, "is_file", gone)
  assert [entry.size for entry in entries(tmp_path)] == [3]
