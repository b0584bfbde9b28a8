"""Operations that make one number from one number of each operand.

Each writer takes the graph, an equation of the jaxpr and its operands.
"""

import numpy as np

from chexjax.export._onnx.graph import constant

_ONE = {
  "abs": "Abs",
  "ceil": "Ceil",
  "exp": "Exp",
  "floor": "Floor",
  "log": "Log",
  "logistic": "Sigmoid",
  "neg": "Neg",
  "not": "Not",
  "sign": "Sign",
  "sqrt": "Sqrt",
  "tanh": "Tanh",
}
_TWO = {
  "add": "Add",
  "add_any": "Add",
  "and": "And",
  "div": "Div",
  "eq": "Equal",
  "ge": "GreaterOrEqual",
  "gt": "Greater",
  "le": "LessOrEqual",
  "lt": "Less",
  "max": "Max",
  "min": "Min",
  "mul": "Mul",
  "or": "Or",
  "pow": "Pow",
  "sub": "Sub",
}


def _joined(operands):
  """Return the shape that broadcasting gives."""
  rank = max(len(x.held) for x in operands)
  held = [1] * rank
  for x in operands:
    for axis, size in enumerate(x.held, rank - len(x.held)):
      held[axis] = size if held[axis] == 1 else held[axis]
  return tuple(held)


def _write(graph, op, operands, dtype, **attributes):
  return graph.add(op, operands, _joined(operands), dtype, **attributes)


def _simple(graph, eqn, operands):
  name = eqn.primitive.name
  return _write(graph, (_ONE | _TWO)[name], operands, eqn.outvars[0].aval.dtype)


def _ne(graph, eqn, operands):
  equal = _write(graph, "Equal", operands, bool)
  return _write(graph, "Not", [equal], bool)


def _rsqrt(graph, eqn, operands):
  root = _write(graph, "Sqrt", operands, operands[0].dtype)
  return _write(graph, "Reciprocal", [root], root.dtype)


def _square(graph, eqn, operands):
  return _write(graph, "Mul", operands * 2, operands[0].dtype)


def _integer_pow(graph, eqn, operands):
  power = constant(np.array(eqn.params["y"], operands[0].dtype))
  return _write(graph, "Pow", [*operands, power], operands[0].dtype)


def _convert(graph, eqn, operands):
  from onnx import helper

  (x,), dtype = operands, np.dtype(eqn.params["new_dtype"])
  if x.dtype == dtype:
    return x
  kind = helper.np_dtype_to_tensor_dtype(dtype)
  return _write(graph, "Cast", [x], dtype, to=kind)


def _is_finite(graph, eqn, operands):
  infinite = _write(graph, "IsInf", operands, bool)
  undefined = _write(graph, "IsNaN", operands, bool)
  either = _write(graph, "Or", [infinite, undefined], bool)
  return _write(graph, "Not", [either], bool)


def _select(graph, eqn, operands):
  which, *cases = operands
  if len(cases) != 2 or which.dtype != bool:
    raise ValueError("a choice must be between two cases")
  no, yes = cases
  slope = _slope(graph, which, no, yes)
  if slope is not None:  # ONNX Runtime takes several times as long to choose.
    return _write(graph, "LeakyRelu", [yes], yes.dtype, alpha=slope)
  return _write(graph, "Where", [which, yes, no], yes.dtype)


def _slope(graph, which, no, yes):
  """Return c of a choice between x where x >= 0 and c x elsewhere, or None."""
  compared, scaled = graph.origin(which), graph.origin(no)
  if compared is None or scaled is None:
    return None
  (least, x), (factor, same) = (
    sorted(operands, key=lambda operand: operand.value is None)
    for _, operands in (compared, scaled)
  )
  if (
    (compared[0], scaled[0]) != ("GreaterOrEqual", "Mul")
    or compared[1][0] is not x
    or not x.name == same.name == yes.name
    or any(c.value is None or c.value.size != 1 for c in (least, factor))
    or least.value.item() != 0
  ):
    return None
  return factor.value.item()


def _clamp(graph, eqn, operands):
  low, x, high = operands
  above = _write(graph, "Max", [x, low], x.dtype)
  return _write(graph, "Min", [above, high], x.dtype)


def _round(graph, eqn, operands):
  if eqn.params["rounding_method"].name != "TO_NEAREST_EVEN":
    raise ValueError("ONNX rounds halves to even numbers alone")
  return _write(graph, "Round", operands, operands[0].dtype)


WRITERS = {
  **dict.fromkeys((*_ONE, *_TWO), _simple),
  "clamp": _clamp,
  "convert_element_type": _convert,
  "integer_pow": _integer_pow,
  "is_finite": _is_finite,
  "ne": _ne,
  "round": _round,
  "rsqrt": _rsqrt,
  "select_n": _select,
  "square": _square,
}
