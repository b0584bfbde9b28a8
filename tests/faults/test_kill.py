"""A killed run of the real program ends as if nothing had happened."""

import kill_and_resume
import pytest

pytestmark = pytest.mark.slow


def test_a_killed_run_ends_as_one_that_was_not(tmp_path):
  # The seed has it killed twice.
  argv = ["--runs=1", "--stages=1", "--seed=5", f"--folder={tmp_path}"]
  assert kill_and_resume.main(argv) == 0
