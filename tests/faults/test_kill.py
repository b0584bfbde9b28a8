"""A killed run of the real program ends as if nothing had happened."""

import kill_and_resume
import pytest

pytestmark = pytest.mark.slow


def test_a_killed_run_ends_as_one_that_was_not(tmp_path):
  assert (
    kill_and_resume.main(["--runs=1", "--stages=1", f"--folder={tmp_path}"])
    == 0
  )
