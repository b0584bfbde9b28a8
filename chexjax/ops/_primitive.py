"""Linear operations with forms of their own for some of XLA's backends.

They are primitives, because JAX has no other operation that has a custom
transpose and can also be differentiated forwards: `jax.custom_vjp` refuses
`jax.jvp`.
"""

import contextlib
import contextvars
import functools
from collections.abc import Callable, Iterator

import jax
from jax.extend import core
from jax.interpreters import mlir

_portable = contextvars.ContextVar("only plain forms are traced", default=False)


@contextlib.contextmanager
def plain_forms() -> Iterator[None]:
  """Trace plain forms alone, for a program that other platforms run too."""
  token = _portable.set(True)
  try:
    yield
  finally:
    _portable.reset(token)


def is_portable() -> bool:
  """Return whether plain forms alone are traced now."""
  return _portable.get()


def define(
  name: str,
  *,
  plain: Callable[..., jax.Array],
  static: tuple[str, ...],
  **forms: Callable[..., jax.Array],
) -> core.Primitive:
  """Define a primitive that has several forms and takes the platform's.

  The platform is that of the lowered program, which can be another one than
  that of the host: a program exported for a TPU has the plain form.

  Derivatives and batching are the caller's to register.

  Args:
    name: shown in a jaxpr.
    plain: the operation in `jax.numpy` and `jax.lax`, of the operands by
      position and the parameters by name.
    static: the names of the parameters, whose values are hashable.
    **forms: platform -> the same in the form for it, such as `cpu` or `cuda`.

  Returns:
    The primitive; `bind` it to the operands and parameters.
  """
  primitive = core.Primitive(name)

  def abstract(*operands, **parameters):
    out = jax.eval_shape(functools.partial(plain, **parameters), *operands)
    return jax.core.ShapedArray(out.shape, out.dtype)

  primitive.def_abstract_eval(abstract)
  primitive.def_impl(jax.jit(primitive.bind, static_argnames=static))
  for platform, form in ((None, plain), *forms.items()):
    lowering = mlir.lower_fun(form, multiple_results=False)
    mlir.register_lowering(primitive, lowering, platform=platform)
  return primitive
