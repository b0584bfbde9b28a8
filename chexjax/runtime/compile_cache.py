"""Programs kept as they were traced, so that the next start traces nothing.

JAX keeps what XLA has compiled, but to find it traces and lowers the function
first, which for a full-size step takes longer than to load it.
"""

import hashlib
import importlib.metadata
import pathlib
import pickle
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import flax
import jax
from jax import export

from chexjax import messages
from chexjax.io import replacing

# Where the commands keep what they compile, unless they are told otherwise.
DEFAULT_FOLDER = pathlib.Path("~/.cache/chexjax/compiled")
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


def use_folder(folder: pathlib.Path) -> None:
  """Keep what is compiled in a folder, so that the next start is quick.

  A folder that JAX was given already, such as by its environment variable,
  stays.
  """
  if not jax.config.values["jax_compilation_cache_dir"]:
    jax.config.update("jax_compilation_cache_dir", str(folder.expanduser()))


def compiled(function: Any, args: tuple[Any, ...], recipe: str) -> Program:
  """Compiles a jitted function, or loads what was compiled before.

  Like `function.lower(*args).compile()`, but what was traced is kept too,
  unless several processes share the run.

  Args:
    function: of `jax.jit`.
    args: arrays, or trees of them.
    recipe: see `kept`; the function's name need not be in it.

  Returns:
    The program, of which `run` takes trees like `args` alone.
  """
  folder = _folder()
  if folder is None or jax.process_count() > 1:
    return _plain(function, args)
  tree = jax.tree.structure(args)
  name = f"{function.__module__}.{function.__qualname__}"
  try:
    found = kept(lambda: _trace(function, args), f"{name} {recipe}", args)
    called = export.deserialize(bytearray(found.program)).call
  except Exception as error:  # One of the function itself comes again.
    messages.tell(
      f"note: {name} cannot be kept as it was traced, in {folder}: {error}",
    )
    return _plain(function, args)
  flat = (
    jax.jit(called, donate_argnums=found.donated)
    .lower(*jax.tree.leaves(args))
    .compile()
  )

  def run(*args):
    leaves, given = jax.tree.flatten(args)
    if given != tree:
      raise TypeError(f"{name} is compiled for arguments of another tree")
    return jax.tree.unflatten(found.results, flat(*leaves))

  return Program(run, flat)


def at_first_call(
  function: Any,
  recipe: str,
  make: Callable[[Any, tuple[Any, ...], str], Program] = compiled,
) -> Callable[..., Any]:
  """Returns a jitted function that is compiled when it is first called.

  All calls must have arguments of the same shapes and shardings.

  Args:
    function: of `jax.jit`.
    recipe: see `kept`.
    make: compiles it, as `compiled` does.
  """
  known: list[Program] = []

  def run(*args):
    if not known:
      known.append(make(function, args, recipe))
    return known[0].run(*args)

  return run


def kept(make: Callable[[], Any], recipe: str, args: Any = ()) -> Any:
  """Returns what `make` returns, or what it returned in an earlier process.

  It is kept beside JAX's compiled programs, which are as much to be trusted
  as the owner of that folder; without a folder nothing is kept.

  Args:
    make: returns what can be pickled.
    recipe: everything that `make` depends on, in words, beside `args`. Where
      it is the same, and so are the settings of JAX and Flax, the devices, the
      versions of the libraries and the text of this project, `make` is not
      called.
    args: a tree of arrays, on whose values nothing depends.
  """
  folder = _folder()
  if folder is None:
    return make()
  path = folder / _digest(recipe, args)
  try:
    return _read(path)
  except FileNotFoundError:
    pass
  except Exception as error:  # Unpickling may raise anything.
    messages.tell(f"note: {path} is made anew: {error}")
  made = make()
  data = pickle.dumps(made)
  try:
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(path) as scratch:
      scratch.write_bytes(hashlib.sha256(data).digest() + data)
  except OSError as error:
    messages.tell(f"note: {path} cannot be written: {error}")
  return made


def _folder():
  """Returns where to keep things; a folder in a bucket is JAX's alone."""
  settings = jax.config.values
  folder = settings["jax_compilation_cache_dir"]
  if not folder or not settings["jax_enable_compilation_cache"]:
    return None
  if "://" in folder:
    return None
  return pathlib.Path(folder) / "traced"


def _read(path):
  text = path.read_bytes()
  size = hashlib.sha256().digest_size
  digest, data = text[:size], text[size:]
  if hashlib.sha256(data).digest() != digest:
    raise ValueError("it is damaged")
  return pickle.loads(data)


def _plain(function, args):
  whole = function.lower(*args).compile()
  return Program(whole, whole)


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
  kinds = [(jax.typeof(x), getattr(x, "sharding", None)) for x in leaves]
  parts = (
    recipe,
    str(tree),
    str(kinds),
    str([(d.id, d.device_kind) for d in jax.devices()]),
    str(sorted(jax.config.values.items())),
    repr(flax.config),
    *map(_version, _PACKAGES),
    sys.version,
    _TEXT,
  )
  return hashlib.sha256(repr(parts).encode()).hexdigest()


def _version(package):
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return "absent"


def _text_of(package: pathlib.Path) -> str:
  """Return a digest of the program text of a package."""
  digest = hashlib.sha256()
  for path in sorted(package.rglob("*.py")):
    text = path.read_bytes()
    digest.update(f"{path.relative_to(package)} {len(text)}\n".encode() + text)
  return digest.hexdigest()


# Now, since the files may change while the program runs.
_TEXT = _text_of(pathlib.Path(__file__).parents[1])
