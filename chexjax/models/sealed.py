"""Parts of a program that XLA's CPU backend compiles each on its own.

That backend fuses what is cheap into everything that reads it, with all that
it was made of: the gradient of a dense block's last layer was added up anew for
each shifted copy of an early one's. A call that is not inlined ends that, and
keeps apart what the gradient repeats and what the forward pass has done. Other
backends are left as free as they are, and so are several CPU devices: a sum
over these in such a call and another outside can come in either order, and
then each device waits in another of the two for ever.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata


def applies() -> bool:
  """Returns whether parts are sealed: on a CPU that is one device."""
  return jax.default_backend() == "cpu" and jax.device_count() == 1


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
  """Returns `function`, of arrays alone, as a call that is not inlined."""

  def body(*args):
    # Else calls inside inherit "false", and are not fused with what is around.
    with set_xla_metadata(inlineable="true"):
      return function(*args)

  compiled = jax.jit(body)

  @functools.wraps(function)
  def call(*args):
    if not applies():
      return function(*args)
    with set_xla_metadata(inlineable="false"):
      return compiled(*args)

  return call


def sealed(function: Callable[..., Any]) -> Callable[..., Any]:
  """Returns `function` as such a call, most of which its gradient repeats.

  Where this `applies` the gradient keeps the arguments and what `function` has
  named `"kept"` with `checkpoint_name`; elsewhere what it always would.

  Args:
    function: of arrays by position and hashable options by name.
  """
  policy = jax.checkpoint_policies.save_only_these_names("kept")

  @functools.cache
  def build(options):
    bound = functools.partial(function, **dict(options))
    return apart(jax.checkpoint(bound, policy=policy))

  @functools.wraps(function)
  def call(*args, **options):
    if not applies():
      return function(*args, **options)
    return build(tuple(sorted(options.items())))(*args)

  return call
