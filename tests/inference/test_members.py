"""What the test split computes for films with and without a true box."""

import jax
import numpy as np
import pytest
from small_models import random_variables, shapes_of, tiny_model

from chexjax.inference.maps import map_plan
from chexjax.inference.members import Member, Ready
from chexjax.runtime.sharding import make_mesh, replicated


@pytest.fixture(scope="module")
def seen():
  """What a member answers with and without maps, and what it was asked."""
  model, mesh = tiny_model(), make_mesh()
  variables = random_variables(shapes_of(model))
  plan = map_plan(model, 64)
  ready = Ready(
    Member(model, jax.device_put(variables, replicated(mesh)), 64),
    mesh,
    plan,
    stage=3,
  )
  rng = np.random.default_rng(0)
  images = rng.integers(0, 256, (jax.device_count(), 64, 64, 1), np.uint8)
  return plan, ready.run(images, maps=False), ready.run(images, maps=True)


def test_a_film_without_a_box_has_the_same_logits(seen):
  _, (plain, _), (whole, _) = seen
  # Two programs, each with sums in its own order.
  np.testing.assert_allclose(plain, whole, rtol=1e-4, atol=1e-5)


def test_a_film_without_a_box_gets_no_proposals(seen):
  plan, (_, plain), (_, whole) = seen
  assert list(plain) == ["saliency_logits"]
  assert set(plan.keep) < set(whole)
  fresh = {name for name in whole if name.startswith("untrained_")}
  assert fresh == {"untrained_proposal_boxes", "untrained_proposal_scores"}
