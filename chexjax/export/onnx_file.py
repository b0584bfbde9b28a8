"""The program as an ONNX model."""

from typing import Any

import jax
import numpy as np

from chexjax.export._onnx import walk
from chexjax.export._onnx.graph import IR_VERSION, OPSET, Graph, constant
from chexjax.export.program import (
  make_program,
  outputs_of,
  read_weights,
)
from chexjax.extras import require
from chexjax.ops._primitive import plain_forms
from chexjax.systems import Model
from chexjax.weights.model_info import ModelInfo

FILMS = "films"


def make_onnx(
  model: Model, variables: Any, info: ModelInfo, *, record: str = ""
) -> bytes:
  """Write a model with its weights as ONNX, the number of films free.

  The graph consists of ONNX's own operations (opset 18). Scans over the
  findings are unrolled, constants computed, parameters of the norms among them.

  Args:
    model: the linen module.
    variables: `params` and `batch_stats`.
    info: input size, stage and preset.
    record: text that the model carries as metadata `chexjax`.

  Returns:
    The file's content. The model takes `films` `[B, S, S, 1]` uint8 and
    returns `outputs_of(info)` by name.

  Raises:
    ImportError: onnx is absent.
    ValueError: the model has an operation that is not known here.
  """
  require("onnx", "onnx")
  from onnx import checker, helper

  weights = read_weights(variables)
  size = info.image_size
  (batch,) = jax.export.symbolic_shape("batch")
  films = jax.ShapeDtypeStruct((batch, size, size, 1), np.uint8)
  with plain_forms():
    traced = jax.make_jaxpr(make_program(model, info))(weights, films)
  graph = Graph(FILMS, films.shape)
  results = walk.write(
    graph, traced, [*map(constant, weights.values()), graph.films]
  )
  # The leaves of a dict are in the order of its keys.
  names = sorted(outputs_of(info))
  outputs = []
  for name, x, aval in zip(names, results, traced.out_avals):
    whole = graph.full(x, aval.shape)
    graph.add("Identity", [whole], aval.shape, x.dtype, name=name)
    outputs.append(_described(name, x.dtype, aval.shape))
  graph.drop_unread(names)
  made = helper.make_model(
    helper.make_graph(
      graph.nodes,
      "chexjax",
      [_described(FILMS, np.dtype(np.uint8), films.shape)],
      outputs,
      graph.constants,
    ),
    opset_imports=[helper.make_opsetid("", OPSET)],
    ir_version=IR_VERSION,
    producer_name="chexjax",
  )
  if record:
    helper.set_model_props(made, {"chexjax": record})
  checker.check_model(made)
  return made.SerializeToString()


def _described(name: str, dtype: np.dtype, shape: tuple[Any, ...]) -> Any:
  """Return the description of an input or output; the free size has a name."""
  from onnx import helper

  kind = helper.np_dtype_to_tensor_dtype(dtype)
  sizes = [size if isinstance(size, int) else "batch" for size in shape]
  return helper.make_tensor_value_info(name, kind, sizes)
