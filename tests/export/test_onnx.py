"""A converted graph agrees with JAX, whatever the model and the batch."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_models import random_variables, shapes_of, tiny_model

import chexjax
from chexjax.export._onnx import walk
from chexjax.export._onnx.graph import Graph, constant
from chexjax.export.onnx_file import make_onnx
from chexjax.export.program import make_program, outputs_of, read_weights
from chexjax.weights.loading import load_model
from chexjax.weights.model_info import ModelInfo

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def run_onnx(made, films):
  session = onnxruntime.InferenceSession(
    made, providers=["CPUExecutionProvider"]
  )
  names = [output.name for output in session.get_outputs()]
  return dict(zip(names, session.run(None, {"films": films})))


def check_agreement(model, variables, info, films, made=None):
  """Compares both; returns JAX's outputs.

  Logits to 1e-4 of their range and boxes to 0.05 px is what float32 sums in
  another order leave, with a factor of ten to spare. A box may be another
  proposal's where the two best scores are nearly equal.
  """
  made = made or make_onnx(model, variables, info)
  program = jax.jit(make_program(model, info))
  want = jax.device_get(program(read_weights(variables), films))
  got = run_onnx(made, films)
  assert set(got) == set(want) == set(outputs_of(info))
  for name in want:
    assert got[name].shape == want[name].shape
    assert got[name].dtype == np.float32
  span = np.ptp(want["logits"])
  np.testing.assert_allclose(got["logits"], want["logits"], atol=1e-4 * span)
  np.testing.assert_allclose(got["sal"], want["sal"], atol=1e-4)
  if info.stage > 1:
    far = np.abs(got["boxes"] - want["boxes"]).max(-1) > 0.05
    if far.any():  # Rare, and the scores take seconds to compile.
      _, found = model.apply(variables, chexjax.ops.normalize(films))
      best = np.sort(np.asarray(found["proposal_scores"]), -1)[..., -2:]
      assert not (far & (best[..., 1] - best[..., 0] > 1e-4)).any()
  return want, got


def info_of(model, **options):
  names = tuple(f"finding {k}" for k in range(model.num_classes))
  kept = {"preset": "released", "image_size": 64, "stage": 3} | options
  return ModelInfo(names, options={}, source="drawn", **kept)


def drawn_films(num, size):
  return np.asarray(chexjax.phantom(num=num, size=size, seed=3).images).reshape(
    num, size, size, 1
  )


def test_a_run_and_any_number_of_films(tiny_run, exported):
  made = (exported / "exported_onnx" / "model.onnx").read_bytes()
  loaded = load_model(tiny_run)
  films = drawn_films(3, 128)
  want, three = check_agreement(*loaded, films, made)
  one = run_onnx(made, films[:1])
  np.testing.assert_allclose(one["logits"][0], three["logits"][0], rtol=1e-4)
  np.testing.assert_allclose(three["mix"], want["mix"], atol=1e-4)
  (about,) = onnx.load_from_string(made).metadata_props
  record = json.loads((exported / "exported_onnx/export.json").read_text())
  del record["files"]
  assert json.loads(about.value) == record


def test_the_released_options():
  model = tiny_model()
  variables = random_variables(shapes_of(model))
  want, got = check_agreement(
    model, variables, info_of(model), drawn_films(2, 64)
  )
  assert want["mix"].shape == (2, 3, 64, 64)
  # Boxes are rounded to pixels, so that few cells may be of another box.
  other = np.abs(got["det"] - want["det"]) > 1e-3 * np.ptp(want["det"])
  assert other.mean() < 1e-3


def test_a_classifier_has_no_boxes(tiny_run):
  model, variables, info = load_model(tiny_run)
  keep = {
    part: {"classification": tree["classification"]}
    for part, tree in variables.items()
  }
  info = dataclasses.replace(info, stage=1)
  want, _ = check_agreement(model, keep, info, drawn_films(1, 128))
  assert set(want) == {"logits", "probabilities", "sal"}


def write(function, films):
  """Converts a function of films; returns what ONNX Runtime makes of it."""
  from onnx import TensorProto, helper

  (batch,) = jax.export.symbolic_shape("batch")
  shape = (batch, *films.shape[1:])
  traced = jax.make_jaxpr(function)(jax.ShapeDtypeStruct(shape, np.uint8))
  graph = Graph("films", shape)
  (out,) = walk.write(graph, traced, [graph.films])
  graph.add("Identity", [graph.full(out, traced.out_avals[0].shape)],
            out.held, out.dtype, name="out")  # fmt: skip
  kind = helper.np_dtype_to_tensor_dtype(out.dtype)
  rank = len(traced.out_avals[0].shape)
  made = helper.make_model(
    helper.make_graph(
      graph.nodes, "test",
      [helper.make_tensor_value_info(
        "films", TensorProto.UINT8, ["batch", *films.shape[1:]])],
      [helper.make_tensor_value_info("out", kind, [None] * rank)],
      graph.constants,
    ),
    opset_imports=[helper.make_opsetid("", 18)], ir_version=8,
  )  # fmt: skip
  return run_onnx(made.SerializeToString(), films)["out"]


def padded_pool(x):
  window = (1, 3, 3, 1), (1, 2, 2, 1)
  pads = ((0, 0), (1, 1), (0, 1), (0, 0))
  return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, *window, pads)


def backwards(x):
  def step(carry, row):
    carry = carry + row.sum()
    return carry, row * carry

  carry, rows = jax.lax.scan(step, jnp.float32(0), x.sum(0), reverse=True)
  return rows + carry


@pytest.mark.parametrize(
  "function",
  [
    padded_pool,
    backwards,
    lambda x: x.repeat(2, axis=1) + jnp.arange(3.0),
    lambda x: jnp.einsum("bhwc,bkwc->bhk", x, x[:, :2]),
    lambda x: jnp.broadcast_to(x.mean((1, 2)), (4, *x.mean((1, 2)).shape)),
    lambda x: x.reshape(-1, 3) @ jnp.ones((3, 2)),
    lambda x: jnp.where(x > 100, x, 0.1 * x),
    lambda x: jax.nn.logsumexp(x / 9, axis=(1, 2)),
    lambda x: jnp.clip(jnp.round(x / 2), 3, 50) ** 2,
    lambda x: jax.nn.one_hot(x[..., 0].argmax(-1), x.shape[2]),
  ],
)
def test_an_operation(function):
  films = np.random.default_rng(0).integers(0, 256, (2, 6, 6, 3), np.uint8)

  def floats(x):
    return function(x.astype(jnp.float32))

  want = np.asarray(floats(films))
  np.testing.assert_allclose(write(floats, films), want, rtol=1e-5)


def test_an_operation_that_is_not_known_is_named():
  films = np.zeros((1, 4, 4, 1), np.uint8)
  with pytest.raises(ValueError, match="no ONNX form of sort"):
    write(lambda x: jnp.sort(x, 1), films)


def test_equal_constants_are_written_once():
  graph = Graph("films", (1, 4))
  for _ in range(2):
    graph.add("Add", [graph.films, constant(np.ones(4, "u1"))], (1, 4), "u1")
  assert len(graph.constants) == 1
