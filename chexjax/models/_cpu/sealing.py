"""Parts of a program that XLA's CPU backend compiles each on its own.

That backend fuses cheap operations into every reader of their result. So it
added up the gradient of a dense block's last layer again for each shifted copy
of an early layer's gradient. A call that is not inlined ends this: nothing is
fused across its border, and what the gradient repeats stays apart from what the
forward pass has done.

Other backends fuse well and are left alone. So are several CPU devices: XLA may
order a sum over devices inside such a call and another one outside of it
differently on each device, and then all devices wait for each other for ever.

JAX says only when it lowers a program which platform that is for. What is
sealed is decided before, while it is traced, so whoever builds a program says
where it will run (`for_platform`). Without that nothing is sealed, and a sealed
program that is lowered for another platform is refused.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator
from typing import Any

import flax.linen as nn
import jax
from jax.experimental.xla_metadata import set_xla_metadata
from jax.extend import core
from jax.interpreters import ad, batching, mlir

from chexjax.ops import _primitive

_cpus = contextvars.ContextVar("CPU devices of what is traced", default=0)
_inside = contextvars.ContextVar("inside a sealed part", default=False)


@contextlib.contextmanager
def for_platform(platform: str | None, *, devices: int) -> Iterator[None]:
  """Trace programs for so many devices of a platform; None is for any."""
  token = _cpus.set(devices if platform == "cpu" else 0)
  try:
    yield
  finally:
    _cpus.reset(token)


def is_for_cpu() -> bool:
  """Return whether what is traced now is known to be for a CPU alone."""
  return _cpus.get() > 0 and not _primitive.is_portable()


def applies() -> bool:
  """Return whether parts are sealed: on one CPU device."""
  return is_for_cpu() and _cpus.get() == 1


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
  """Make a function of arrays a call that XLA does not inline."""

  def body(*args):
    with _interior():
      return function(*args)

  compiled = jax.jit(body)

  @functools.wraps(function)
  def call(*args):
    if not applies():
      return function(*args)
    args = _marked(args)
    with set_xla_metadata(inlineable="false"):
      return compiled(*args)

  return call


def sealed(method: Callable[..., Any]) -> Callable[..., Any]:
  """Make a linen module's method such a call, which its gradient repeats.

  The gradient keeps the arguments, the variables and what the method has named
  `"kept"` with `checkpoint_name`, and computes the rest again. Where sealing
  does not apply, the method is left as it is.

  Args:
    method: `__call__` of a module, of arrays by position and hashable options
      by name. It draws no random numbers.
  """

  # Made once, so that JAX finds again what it has compiled.
  @functools.cache
  def lift(options):
    def body(module, *args):
      with _interior():
        return method(module, *args, **dict(options))

    policy = jax.checkpoint_policies.save_only_these_names("kept")
    return nn.jit(nn.remat(body, rngs=False, policy=policy), rngs=False)

  @functools.wraps(method)
  def call(module: nn.Module, *args, **options):
    # Initial weights are drawn in the open, as they are on other backends.
    if not applies() or module.is_initializing():
      return method(module, *args, **options)
    args = _marked(args)
    with set_xla_metadata(inlineable="false"):
      return lift(tuple(sorted(options.items())))(module, *args)

  return call


def is_inside() -> bool:
  """Return whether the code that runs is traced as part of a sealed call."""
  return _inside.get()


@contextlib.contextmanager
def _interior() -> Iterator[None]:
  """Trace the inside of a call that is not inlined."""
  token = _inside.set(True)
  try:
    # Calls inside would inherit "false", and would not be fused.
    with set_xla_metadata(inlineable="true"):
      yield
  finally:
    _inside.reset(token)


def _marked(args):
  """Mark the first array of the arguments as read by a CPU's form."""
  leaves, tree = jax.tree.flatten(args)
  return jax.tree.unflatten(tree, [_mark.bind(leaves[0]), *leaves[1:]])


def _refuse(ctx, x):
  raise ValueError(
    f"this program was traced for one CPU and is lowered for "
    f"{', '.join(ctx.module_context.platforms)}: give platform= where it is "
    "made"
  )


# Does nothing on a CPU, where it leaves no operation.
_mark = core.Primitive("for_one_cpu")
_mark.def_impl(lambda x: x)
_mark.def_abstract_eval(lambda x: x)
mlir.register_lowering(_mark, lambda ctx, x: [x], platform="cpu")
mlir.register_lowering(_mark, _refuse)
ad.deflinear2(_mark, lambda cotangent, x: (cotangent,))
batching.defvectorized(_mark)
