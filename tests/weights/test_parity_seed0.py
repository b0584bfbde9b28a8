"""The authors' PyTorch model at full size: every quantity that is known."""

import numpy as np
import parity_table
import pytest


@pytest.mark.shared
def test_every_quantity_agrees_with_the_authors_model(shared):
  expected = np.load(shared / "parity" / "expected_seed0.npz")
  state = parity_table.make_state(shared / "parity", 0)
  found = parity_table.compute(state, expected["image"])
  table = parity_table.compare(
    parity_table.ours(found, (512, 512)), parity_table.published(expected)
  )
  assert table.keys() == parity_table.ALLOWED.keys()
  over = {k: v for k, v in table.items() if v > parity_table.ALLOWED[k]}
  assert not over, table
