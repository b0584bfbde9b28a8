"""Operations that sum or compare: reductions, windows, products, convolutions.

Each writer takes the graph, an equation of the jaxpr and its operands. Maps
are `[B, H, W, C]` in a jaxpr and `[B, C, H, W]` in ONNX's convolutions and
pools.
"""

import math

import numpy as np

from chexjax.export._onnx.graph import constant

_INWARDS, _OUTWARDS = (0, 3, 1, 2), (0, 2, 3, 1)


def _reduce(op):
  def write(graph, eqn, operands):
    axes = [int(axis) for axis in eqn.params["axes"]]
    x = graph.full(operands[0], eqn.invars[0].aval.shape)
    shape = eqn.outvars[0].aval.shape
    wanted = constant(np.array(axes, np.int64))
    return graph.add(op, [x, wanted], shape, x.dtype, keepdims=0)

  return write


def _argmax(graph, eqn, operands):
  from onnx import helper

  (axis,), out = eqn.params["axes"], eqn.outvars[0].aval
  x = graph.full(operands[0], eqn.invars[0].aval.shape)
  found = graph.add(
    "ArgMax", [x], out.shape, np.int64, axis=int(axis), keepdims=0,
    select_last_index=0,
  )  # fmt: skip
  kind = helper.np_dtype_to_tensor_dtype(np.dtype(out.dtype))
  return graph.add("Cast", [found], out.shape, out.dtype, to=kind)


def _pool(op, factor):
  """Write a window of `[B, H, W, C]` along H and W."""

  def write(graph, eqn, operands):
    params, x = eqn.params, operands[0]
    size, steps = params["window_dimensions"], params["window_strides"]
    pads = params["padding"][1:3]
    dilations = {*params["base_dilation"], *params["window_dilation"]}
    if len(size) != 4 or dilations != {1} or (size[0], size[3]) != (1, 1):
      raise ValueError("a window must be of [B, H, W, C], along H and W")
    x = graph.transpose(graph.full(x, eqn.invars[0].aval.shape), _INWARDS)
    batch, height, width, channels = eqn.outvars[0].aval.shape
    held = (batch, channels, height, width)
    y = graph.add(
      op, [x], held, x.dtype, kernel_shape=list(size[1:3]),
      strides=list(steps[1:3]), pads=[p[i] for i in (0, 1) for p in pads],
      **({"count_include_pad": 1} if factor else {}),
    )  # fmt: skip
    if factor:  # ONNX averages.
      count = constant(np.array(math.prod(size), x.dtype))
      y = graph.add("Mul", [y, count], held, x.dtype)
    return graph.transpose(y, _OUTWARDS)

  return write


def _convolve(graph, eqn, operands):
  params, (x, kernel) = eqn.params, operands
  numbers = params["dimension_numbers"]
  specs = (numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec)
  if (
    specs != (_INWARDS, (3, 2, 0, 1), _INWARDS)
    or {*params["lhs_dilation"], *params["rhs_dilation"]} != {1}
    or (params["feature_group_count"], params["batch_group_count"]) != (1, 1)
  ):
    raise ValueError("a convolution must be plain, of [B, H, W, C]")
  x = graph.transpose(graph.full(x, eqn.invars[0].aval.shape), _INWARDS)
  kernel = graph.full(kernel, eqn.invars[1].aval.shape)
  kernel = graph.transpose(kernel, (3, 2, 0, 1))
  batch, height, width, channels = eqn.outvars[0].aval.shape
  padding = params["padding"]
  y = graph.add(
    "Conv", [x, kernel], (batch, channels, height, width), x.dtype,
    strides=list(params["window_strides"]),
    pads=[p[i] for i in (0, 1) for p in padding],
  )  # fmt: skip
  return graph.transpose(y, _OUTWARDS)


def _product(graph, eqn, operands):
  """Write a product of tensors as one of (batches of) matrices."""
  (sums, batches), out = eqn.params["dimension_numbers"], eqn.outvars[0].aval
  left, right = (
    graph.full(x, atom.aval.shape) for x, atom in zip(operands, eqn.invars)
  )
  rest = [
    [i for i in range(len(x.held)) if i not in (*sums[n], *batches[n])]
    for n, x in enumerate((left, right))
  ]
  whole = tuple(left.held[i] for i in batches[0])
  rows = tuple(left.held[i] for i in rest[0])
  columns = tuple(right.held[i] for i in rest[1])
  summed = math.prod(left.held[i] for i in sums[0])
  left = graph.transpose(left, (*batches[0], *rest[0], *sums[0]))
  right = graph.transpose(right, (*batches[1], *sums[1], *rest[1]))
  held: tuple = (*whole, *rows)
  if len(rows) != 1 and (whole or len(rows) == 0):
    held = (*whole, math.prod(rows))
  left = graph.reshape(left, (*held, summed))
  right = graph.reshape(right, (*whole, summed, math.prod(columns)))
  result = graph.add(
    "MatMul", [left, right], (*held, math.prod(columns)), out.dtype
  )
  return graph.reshape(result, (*whole, *rows, *columns))


WRITERS = {
  "argmax": _argmax,
  "conv_general_dilated": _convolve,
  "dot_general": _product,
  "reduce_max": _reduce("ReduceMax"),
  "reduce_min": _reduce("ReduceMin"),
  "reduce_sum": _reduce("ReduceSum"),
  "reduce_window_max": _pool("MaxPool", 0),
  "reduce_window_sum": _pool("AveragePool", 1),
}
