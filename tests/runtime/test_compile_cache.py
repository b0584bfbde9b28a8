"""What was traced once is not traced again, and only where it is the same."""

import hashlib
import pathlib

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from chexjax.runtime import compile_cache


@flax.struct.dataclass
class State:
  count: jax.Array
  tree: dict


@pytest.fixture
def folder(tmp_path):
  """JAX's folder of compiled programs, an empty one."""
  before = jax.config.values["jax_compilation_cache_dir"]
  jax.config.update("jax_compilation_cache_dir", str(tmp_path))
  yield tmp_path / "traced"
  jax.config.update("jax_compilation_cache_dir", before)


class Step:
  """A step in a training step's form, that counts how often it is traced."""

  def __init__(self):
    self.traced = 0
    self.function = jax.jit(self._step, donate_argnums=0)

  def _step(self, state, x, key):
    self.traced += 1
    noise = jax.random.normal(key, x.shape)
    tree = {"w": state.tree["w"] + x * noise, "none": None}
    return State(state.count + 1, tree), {"mean": x.mean()}


def arguments():
  state = State(jnp.zeros((), jnp.int32), {"w": jnp.ones(3), "none": None})
  return state, jnp.arange(3.0), jax.random.key(1)


def test_the_second_process_traces_nothing_and_computes_the_same(folder):
  plain = Step().function(*arguments())
  for times in (1, 0):
    step = Step()  # Jitted anew, as in another process.
    program = compile_cache.compiled(step.function, arguments(), "a step")
    assert step.traced == times
    args = arguments()
    got = program.run(*args)
    assert jax.tree.structure(got) == jax.tree.structure(plain)
    jax.tree.map(np.testing.assert_array_equal, got, plain)
    # The state is donated, the rest is not.
    deleted = [leaf.is_deleted() for leaf in jax.tree.leaves(args)]
    assert deleted == [True, True, False, False]
  assert len(list(folder.iterdir())) == 1


def other_values(state, x, key):
  return State(state.count + 3, state.tree), 2 * x, jax.random.key(2)


def other_shape(state, x, key):
  return state.replace(tree={"w": jnp.ones((2, 3)), "none": None}), x, key


def other_type(state, x, key):
  return state, jnp.arange(3), key


def other_tree(state, x, key):
  return state.replace(tree={**state.tree, "more": x}), x, key


def other_key(state, x, key):
  return state, x, jax.random.key(1, impl="rbg")


@pytest.mark.filterwarnings("ignore:Some donated buffers")  # of `more`
@pytest.mark.parametrize(
  ("change", "traced"),
  [
    (other_values, 0),
    (other_shape, 1),
    (other_type, 1),
    (other_tree, 1),
    (other_key, 1),
  ],
)
def test_other_arguments_are_another_program(folder, change, traced):
  compile_cache.compiled(Step().function, arguments(), "a step")
  step = Step()
  compile_cache.compiled(step.function, change(*arguments()), "a step")
  assert step.traced == traced


def test_whatever_else_may_matter_makes_another(folder, monkeypatch):
  made = []

  def make(recipe="a number"):
    return compile_cache.kept(lambda: made.append(0) or len(made), recipe)

  assert [make(), make(), make("another"), make("another")] == [1, 1, 2, 2]
  with monkeypatch.context() as patch:
    patch.setattr(compile_cache, "_TEXT", "a changed file")
    assert make() == 3
  with monkeypatch.context() as patch:
    patch.setattr(
      compile_cache.importlib.metadata, "version", lambda name: "99"
    )
    assert make() == 4
  with jax.default_matmul_precision("bfloat16"):
    assert make() == 5
  with flax.config.temp_flip_flag("return_frozendict", True):
    assert make() == 6
  assert make() == 1


def test_the_projects_text_is_all_of_it(tmp_path):
  def text_of(**files):
    for path in tmp_path.rglob("*.py"):
      path.unlink()
    for name, text in files.items():
      path = tmp_path / "chexjax" / f"{name}.py"
      path.parent.mkdir(exist_ok=True)
      path.write_text(text)
    return compile_cache._text_of(tmp_path)

  found = [
    text_of(a="x = 1\n", b="y = 2\n"),
    text_of(a="x = 1\n", b="y = 3\n"),
    text_of(a="x = 1\ny = 2\n", b=""),
    text_of(a="x = 1\n", c="y = 2\n"),
    text_of(a="x = 1\n"),
  ]
  assert len(set(found)) == len(found)
  # It is this project's.
  root = pathlib.Path(compile_cache.__file__).parents[1]
  assert (root / "models" / "model.py").exists()
  assert compile_cache._text_of(root) == compile_cache._TEXT


def test_another_tree_of_the_same_arrays_is_refused(folder):
  program = compile_cache.compiled(Step().function, arguments(), "a step")
  state, x, key = arguments()
  with pytest.raises(TypeError, match="of another tree"):
    program.run(State(state.count, {"v": x, "none": None}), x, key)


def test_what_cannot_be_kept_is_said_and_runs_all_the_same(folder, capsys):
  @jax.jit
  def ask(x):
    return jax.pure_callback(np.sin, x, x)

  x = jnp.ones(3)
  np.testing.assert_allclose(
    compile_cache.compiled(ask, (x,), "").run(x), np.sin(1), rtol=1e-6
  )
  assert "ask cannot be kept as it was traced" in capsys.readouterr().out
  assert not folder.exists()


def test_a_damaged_program_is_named_and_traced_anew(folder, capsys):
  def traced():
    step = Step()
    state, _ = compile_cache.compiled(step.function, arguments(), "a step").run(
      *arguments()
    )
    assert int(state.count) == 1
    return step.traced

  assert traced() == 1
  (path,) = folder.iterdir()
  data = bytearray(path.read_bytes())
  data[len(data) // 2] ^= 1
  path.write_bytes(data)
  assert traced() == 1
  assert f"{path} is made anew: it is damaged" in capsys.readouterr().out
  assert traced() == 0


def whole(data):
  """As a file that nothing has damaged."""
  return hashlib.sha256(data).digest() + data


@pytest.mark.parametrize(
  "broken", [b"", b"short", whole(b"no pickle"), whole(b"cno\nmodule\n.")]
)
def test_a_broken_file_is_named_and_made_anew(folder, broken, capsys):
  assert compile_cache.kept(lambda: 1, "x") == 1
  (path,) = folder.iterdir()
  path.write_bytes(broken)
  assert compile_cache.kept(lambda: 2, "x") == 2
  assert str(path) in capsys.readouterr().out
  assert compile_cache.kept(lambda: 3, "x") == 2


def test_a_folder_that_takes_nothing_stops_nothing(folder, capsys):
  folder.write_text("a file in its place")
  assert compile_cache.kept(lambda: 1, "x") == 1
  assert "cannot be written" in capsys.readouterr().out


@pytest.mark.parametrize("off", ["bucket", "disabled"])
def test_nothing_is_kept_without_a_folder_on_this_machine(folder, off):
  bucket, enabled = "jax_compilation_cache_dir", "jax_enable_compilation_cache"
  if off == "bucket":
    jax.config.update(bucket, "gs://bucket/compiled")
  else:
    jax.config.update(enabled, False)
  try:
    values = iter((1, 2))
    assert [compile_cache.kept(lambda: next(values), "x") for _ in "12"] == [
      1,
      2,
    ]
  finally:
    jax.config.update(enabled, True)
  assert not folder.exists()
