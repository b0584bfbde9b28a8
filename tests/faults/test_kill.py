"""Killed runs of the real programs end as if nothing had happened."""

import kill_and_resume
import kill_shards
import pytest

pytestmark = pytest.mark.slow


def test_a_killed_run_ends_as_one_that_was_not(tmp_path):
  # The seed has it killed twice.
  argv = ["--runs=1", "--stages=1", "--seed=5", f"--folder={tmp_path}"]
  assert kill_and_resume.main(argv) == 0


def test_a_killed_shard_loses_and_doubles_no_film(tmp_path):
  argv = ["--films=60", "--shards=1", "--kills=2", f"--folder={tmp_path / 'a'}"]
  assert kill_shards.main(argv) == 0
