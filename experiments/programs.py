"""Programs kept as they were traced, so that the next start traces nothing.

JAX keeps what XLA has compiled, but to find it traces and lowers the function
first, which for a full-size step takes longer than to load it.
"""

import functools
import hashlib
import importlib.metadata
import os
import pathlib
import pickle
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax import export

_PACKAGES = ("jax", "jaxlib", "flax", "optax", "chex", "numpy", "flatbuffers")


class Program(NamedTuple):
  """A compiled function.

  Attributes:
    run: the function, for arguments of the same shapes and shardings.
    compiled: of JAX, with the compiler's plan of its memory.
  """

  run: Callable[..., Any]
  compiled: jax.stages.Compiled


class _Traced(NamedTuple):
  program: bytes  # of jax.export, from flat arguments to flat results
  donated: tuple[int, ...]
  results: Any  # their tree


def compiled(function: Any, args: tuple[Any, ...], recipe: str) -> Program:
  """Compiles a jitted function, or loads what was compiled before.

  Like `function.lower(*args).compile()`, but what was traced is kept too.

  Args:
    function: of `jax.jit`.
    args: arrays, or trees of them.
    recipe: see `kept`.
  """
  if _folder() is None:
    whole = function.lower(*args).compile()
    return Program(whole, whole)
  found = kept(lambda: _trace(function, args), recipe, args)
  called = jax.jit(
    export.deserialize(bytearray(found.program)).call,
    donate_argnums=found.donated,
  )
  flat = called.lower(*jax.tree.leaves(args)).compile()

  def run(*args):
    return jax.tree.unflatten(found.results, flat(*jax.tree.leaves(args)))

  return Program(run, flat)


def at_first_call(function: Any, recipe: str) -> Callable[..., Any]:
  """Returns a jitted function that is `compiled` when it is first called.

  All calls must have arguments of the same shapes and shardings.
  """
  known: list[Program] = []

  def run(*args):
    if not known:
      known.append(compiled(function, args, recipe))
    return known[0].run(*args)

  return run


def kept(make: Callable[[], Any], recipe: str, args: Any = ()) -> Any:
  """Returns what `make` returns, or what it returned in an earlier process.

  It is kept beside JAX's compiled programs, which are as much to be trusted
  as the owner of that folder; without a folder, or in a run of several
  processes, nothing is kept.

  Args:
    make: returns what can be pickled.
    recipe: everything that `make` depends on, in words, beside `args`. Where
      it is the same, and so are the settings of JAX, the devices, the versions
      of the libraries and the text of this project, `make` is not called.
    args: a tree of arrays, of whose values nothing depends.
  """
  folder = _folder()
  if folder is None:
    return make()
  path = folder / _digest(recipe, args)
  try:
    return pickle.loads(path.read_bytes())
  except FileNotFoundError:
    pass
  except Exception as error:  # Of whatever kind what is unpickled stumbles on.
    print(f"note: {path} is made anew: {error}", flush=True)
  made = make()
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
      file.write(pickle.dumps(made))
    os.replace(file.name, path)
  except OSError as error:
    print(f"note: {path} cannot be written: {error}", flush=True)
  return made


def _folder():
  """Returns where to keep things; a folder in a bucket is JAX's alone."""
  settings = jax.config.values
  folder = settings["jax_compilation_cache_dir"]
  if not folder or not settings["jax_enable_compilation_cache"]:
    return None
  if "://" in folder or jax.process_count() > 1:
    return None
  return pathlib.Path(folder) / "traced"


def _trace(function, args):
  leaves, tree = jax.tree.flatten(args)
  traced = function.trace(*args)
  infos = jax.tree.leaves(traced.args_info)
  # Trees of one's own classes cannot be written by jax.export.
  flat = jax.jit(
    lambda *leaves: jax.tree.leaves(function(*jax.tree.unflatten(tree, leaves)))
  )
  return _Traced(
    bytes(export.export(flat)(*leaves).serialize()),
    tuple(i for i, info in enumerate(infos) if info.donated),
    jax.tree.structure(traced.out_info),
  )


def _digest(recipe, args):
  leaves, tree = jax.tree.flatten(args)
  parts = (
    recipe,
    str(tree),
    str([_kind(leaf) for leaf in leaves]),
    str([(d.id, d.device_kind) for d in jax.devices()]),
    str(sorted(jax.config.values.items())),
    *map(importlib.metadata.version, _PACKAGES),
    sys.version,
    _sources(),
  )
  return hashlib.sha256(repr(parts).encode()).hexdigest()


def _kind(array):
  """Returns all of an array that a program depends on."""
  kind, sharding = jax.typeof(array), getattr(array, "sharding", None)
  ids = sorted(d.id for d in sharding.device_set) if sharding else None
  return kind, kind.weak_type, sharding, ids


@functools.cache
def _sources():
  """Returns a digest of the text of this project."""
  root = pathlib.Path(__file__).parents[1]
  digest = hashlib.sha256()
  for package in ("chexjax", "experiments"):
    for path in sorted((root / package).rglob("*.py")):
      digest.update(path.read_bytes())
  return digest.hexdigest()
