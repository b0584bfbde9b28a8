"""Averages of weights, and the balance of findings."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax

from chexjax.training import setup, steps
from chexjax.training.state import Averaging, create_state
from experiments.configs import CONFIGS


def test_a_state_that_averages_holds_copies_of_the_weights():
  weights = {"classification": jnp.ones(3), "detection": jnp.zeros(2)}
  variables = {"params": weights, "batch_stats": {"classification": {}}}
  state = create_state(variables, optax.sgd(1.0), stage=1, average=True)
  assert isinstance(state.opt_state, Averaging)
  assert state.opt_state.params.keys() == {"classification"}
  mine = state.opt_state.params["classification"]
  # A step donates both; one buffer could not be given twice.
  assert (
    mine.unsafe_buffer_pointer()
    != weights["classification"].unsafe_buffer_pointer()
  )


def test_an_average_forgets_its_start_and_then_follows_slowly():
  average = jax.tree.map(jnp.asarray, ({"w": 9.0}, {"m": 9.0}))
  new = ({"w": jnp.zeros(())}, {"m": jnp.ones(())})
  for step in range(3000):
    average = steps._averaged(*average, *new, decay=0.99, step=step)
  np.testing.assert_allclose(average[0]["w"], 0, atol=1e-5)
  np.testing.assert_allclose(average[1]["m"], 1, atol=1e-5)
  moved = steps._averaged(
    {"w": jnp.zeros(())}, {}, {"w": jnp.ones(())}, {}, decay=0.99, step=3000
  )
  np.testing.assert_allclose(moved[0]["w"], 0.01, rtol=1e-5)


def test_under_root_a_rare_finding_counts_more_than_in_the_paper():
  labels = np.zeros((1000, 3))
  labels[:40, 0] = labels[:300, 1] = labels[:3, 2] = 1
  paper = setup.class_weights(CONFIGS["phantom"], labels)
  config = dataclasses.replace(CONFIGS["phantom"], class_balance="root")
  root = setup.class_weights(config, labels)
  share = labels.mean(0)

  def spread(weights):
    return share * weights.beta_pos + (1 - share) * weights.beta_neg

  np.testing.assert_allclose(
    spread(root) / spread(paper), 0.2 / np.sqrt(share * (1 - share)), rtol=1e-5
  )
  # Positives and negatives of a finding keep their balance.
  np.testing.assert_allclose(
    root.beta_pos / root.beta_neg, paper.beta_pos / paper.beta_neg, rtol=1e-5
  )
