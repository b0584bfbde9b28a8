"""A full disk ends a run cleanly, and loses nothing."""

import subprocess

import full_disk
import pytest

pytestmark = pytest.mark.slow


def test_a_run_goes_on_once_there_is_room(tmp_path):
  (tmp_path / "try").mkdir()
  mounting = ["mount", "-t", "tmpfs", "tmpfs", str(tmp_path / "try")]
  try:
    refused = subprocess.run(mounting, check=False).returncode
  except OSError:
    refused = True
  if refused:
    pytest.skip("no right to mount a file system")
  subprocess.run(["umount", str(tmp_path / "try")], check=True)
  options = [f"--folder={tmp_path}", "--moments", "2", "--faults", "full"]
  assert full_disk.main(options) == 0
