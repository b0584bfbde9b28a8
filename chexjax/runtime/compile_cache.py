"""Traced programs on disk, so that the next start need not trace again.

JAX's own compilation cache stores what XLA has compiled. To look a function up
there, JAX must trace and lower it first, and for a full-size step that takes
longer than loading the compiled program.
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

# A kernel is kept in a form that another version may not read; by its recipe
# what is kept belongs to this one.
_KERNELS = export.DisabledSafetyCheck.custom_call("__gpu$xla.gpu.triton")
_PACKAGES = ("jax", "jaxlib", "flax", "optax", "chex", "numpy", "flatbuffers")


class Program(NamedTuple):
  """A compiled function.

  Attributes:
    run: the function; takes arguments of the same shapes and shardings only.
    compiled: JAX's stage, which knows the compiler's memory plan.
  """

  run: Callable[..., Any]
  compiled: jax.stages.Compiled


class _Traced(NamedTuple):
  """A traced function, in a form that can be pickled.

  Attributes:
    program: serialised by `jax.export`; takes and returns flat leaves.
    donated: positions of the donated leaves.
    results: tree structure of the results.
  """

  program: bytes
  donated: tuple[int, ...]
  results: Any


def use_folder(folder: pathlib.Path) -> None:
  """Store compiled programs in a folder, so that the next start is fast.

  A folder that JAX already has, for example from its environment variable, is
  left as it is.

  Args:
    folder: where to store them, an absolute path.
  """
  if not jax.config.values["jax_compilation_cache_dir"]:
    jax.config.update("jax_compilation_cache_dir", str(folder))


def compiled(function: Any, args: tuple[Any, ...], recipe: str) -> Program:
  """Compile a jitted function, or load an earlier compilation.

  As `function.lower(*args).compile()`, except that the traced program is
  stored too. Nothing traced is stored when several processes share the run.

  Args:
    function: result of `jax.jit`.
    args: positional arguments, each an array or a tree of arrays.
    recipe: see `kept`; it need not contain the function's name.

  Returns:
    The program; `run` accepts only trees with the structure of `args`.
  """
  folder = _folder()
  if folder is None or jax.process_count() > 1:
    return _plain(function, args)
  tree = jax.tree.structure(args)
  name = f"{function.__module__}.{function.__qualname__}"
  try:
    found = kept(lambda: _trace(function, args), f"{name} {recipe}", args)
    called = export.deserialize(bytearray(found.program)).call
  except Exception as error:  # An error of the function is raised again below.
    messages.tell(
      f"note: {name} cannot be kept as it was traced, in {folder}: {error}",
    )
    return _plain(function, args)
  flat = (
    jax.jit(called, donate_argnums=found.donated)
    .lower(*jax.tree.leaves(args))
    .compile()
  )

  def run(*args: Any) -> Any:
    leaves, given = jax.tree.flatten(args)
    if given != tree:  # type: ignore[operator]  # JAX's stub has no __ne__.
      raise TypeError(f"{name} is compiled for arguments of another tree")
    return jax.tree.unflatten(found.results, flat(*leaves))

  return Program(run, flat)


def at_first_call(
  function: Any,
  recipe: str,
  make: Callable[[Any, tuple[Any, ...], str], Program] = compiled,
) -> Callable[..., Any]:
  """Return a jitted function that is compiled at its first call.

  All calls must have arguments of the same shapes and shardings.

  Args:
    function: result of `jax.jit`.
    recipe: see `kept`.
    make: compiles it; takes the arguments of `compiled`.

  Returns:
    A function with the arguments and results of `function`.
  """
  known: list[Program] = []

  def run(*args: Any) -> Any:
    if not known:
      known.append(make(function, args, recipe))
    return known[0].run(*args)

  return run


def kept(make: Callable[[], Any], recipe: str, args: Any = ()) -> Any:
  """Return the result of `make`, from an earlier process if one stored it.

  Results are pickles beside JAX's compiled programs. Loading a pickle can run
  code, as loading a compiled program can, so the folder must be trusted.
  Without a folder nothing is stored.

  Args:
    make: called without arguments; its result must be picklable.
    recipe: text of everything that the result depends on, except `args`. A
      stored result is used if its recipe, the types and shardings of `args`,
      the settings of JAX and Flax, the devices, the library versions and the
      source text of this package are all unchanged.
    args: tree of arrays; the result must not depend on their values.

  Returns:
    What `make` returns.
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


def _folder() -> pathlib.Path | None:
  """Return where to store traced programs, None where nothing is stored.

  JAX can write to a bucket (a path with `://`); `pathlib` cannot.
  """
  settings = jax.config.values
  folder = settings["jax_compilation_cache_dir"]
  if not folder or not settings["jax_enable_compilation_cache"]:
    return None
  if "://" in folder:
    return None
  return pathlib.Path(folder) / "traced"


def _read(path: pathlib.Path) -> Any:
  text = path.read_bytes()
  size = hashlib.sha256().digest_size
  digest, data = text[:size], text[size:]
  if hashlib.sha256(data).digest() != digest:
    raise ValueError("it is damaged")
  return pickle.loads(data)


def _plain(function: Any, args: tuple[Any, ...]) -> Program:
  whole = function.lower(*args).compile()
  return Program(whole, whole)


def _trace(function: Any, args: tuple[Any, ...]) -> _Traced:
  leaves, tree = jax.tree.flatten(args)
  traced = function.trace(*args)
  infos = jax.tree.leaves(traced.args_info)
  # jax.export cannot serialise trees of custom classes, only flat leaves.
  flat = jax.jit(
    lambda *leaves: jax.tree.leaves(function(*jax.tree.unflatten(tree, leaves)))
  )
  exported = export.export(flat, disabled_checks=[_KERNELS])(*leaves)
  return _Traced(
    bytes(exported.serialize()),
    tuple(i for i, info in enumerate(infos) if info.donated),
    jax.tree.structure(traced.out_info),
  )


def _digest(recipe: str, args: Any) -> str:
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


def _version(package: str) -> str:
  try:
    return importlib.metadata.version(package)
  except importlib.metadata.PackageNotFoundError:
    return "absent"


def _text_of(package: pathlib.Path) -> str:
  """Return a digest of all source files of a package."""
  digest = hashlib.sha256()
  for path in sorted(package.rglob("*.py")):
    text = path.read_bytes()
    digest.update(f"{path.relative_to(package)} {len(text)}\n".encode() + text)
  return digest.hexdigest()


# Read at import, because the files may change while the program runs.
_TEXT = _text_of(pathlib.Path(__file__).parents[1])
