"""An ONNX graph under construction."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

# ONNX Runtime 1.14 (2023) and TensorRT 8.6 read these versions.
OPSET, IR_VERSION = 18, 8
# Sizes are numbers, or JAX's expressions of the free batch size.
Shape = tuple[Any, ...]


@dataclasses.dataclass(frozen=True, eq=False)
class Tensor:
  """A value of the graph.

  ONNX broadcasts, so what JAX repeats need not be repeated: `held` is 1 along
  such an axis, whatever size the jaxpr gives it.

  Attributes:
    held: the shape that is there.
    dtype: of its numbers.
    name: of the value in the graph, or None for a constant.
    value: `held` numbers of a constant, else None.
  """

  held: Shape
  dtype: np.dtype
  name: str | None = None
  value: np.ndarray | None = None


def constant(value: Any) -> Tensor:
  """Return a constant."""
  array = np.asarray(value)
  return Tensor(array.shape, array.dtype, value=array)


class Graph:
  """Nodes and constants, in the order in which they are needed.

  Attributes:
    nodes: of the graph.
    constants: initialisers of the graph.
    films: the input.
  """

  def __init__(self, films: str, shape: Shape):
    """Begin with the input alone.

    Args:
      films: name of the input.
      shape: `[b, S, S, 1]`, b JAX's symbol of the free size.
    """
    self.nodes: list[Any] = []
    self.constants: list[Any] = []
    self.films = Tensor(shape, np.dtype(np.uint8), films)
    self._batch: Tensor | None = None
    self._symbol = shape[0]
    self._names: dict[Any, str] = {}
    self._origins: dict[str, tuple[str, list[Tensor]]] = {}

  def add(
    self,
    op: str,
    operands: Sequence[Tensor],
    held: Shape,
    dtype: Any,
    *,
    name: str | None = None,
    **attributes: Any,
  ) -> Tensor:
    """Append a node.

    Args:
      op: ONNX's name of the operation.
      operands: of the node.
      held: shape of the result.
      dtype: of the result.
      name: of the result; a new one by default.
      **attributes: of the node.

    Returns:
      Its result.
    """
    from onnx import helper

    name = name or f"{op}_{len(self.nodes)}"
    given = [self._name_of(x) for x in operands]
    self.nodes.append(helper.make_node(op, given, [name], name, **attributes))
    self._origins[name] = op, list(operands)
    return Tensor(held, np.dtype(dtype), name)

  def origin(self, x: Tensor) -> tuple[str, list[Tensor]] | None:
    """Return the operation and operands of a value that a node has made."""
    return self._origins.get(x.name or "")

  def drop_unread(self, outputs: Sequence[str]) -> None:
    """Take off the nodes and constants that no output needs.

    Args:
      outputs: names of the results of the graph.
    """
    needed, kept = set(outputs), []
    for node in reversed(self.nodes):
      if needed & set(node.output):
        needed |= set(node.input)
        kept.append(node)
    self.nodes = kept[::-1]
    self.constants = [x for x in self.constants if x.name in needed]

  def full(self, x: Tensor, shape: Shape) -> Tensor:
    """Repeat what is held until it has the shape that the jaxpr gives it.

    Args:
      x: the value.
      shape: with what is held 1 or the same along each axis.
    """
    if x.held == shape:
      return x
    if all(isinstance(size, int) for size in shape) and x.value is not None:
      return constant(np.broadcast_to(x.value, shape))
    parts = [self._size(size) for size in shape]
    wanted = self.add("Concat", parts, (len(shape),), np.int64, axis=0)
    return self.add("Expand", [x, wanted], shape, x.dtype)

  def reshape(self, x: Tensor, shape: Shape) -> Tensor:
    """Give what is held another shape.

    Args:
      x: the value.
      shape: of as many numbers, with one free size at most.

    Raises:
      ValueError: two sizes are free.
    """
    if x.held == shape:
      return x
    free = [not isinstance(size, int) for size in shape]
    if x.value is not None and not any(free):
      return constant(x.value.reshape(shape))
    if sum(free) > 1:
      raise ValueError(f"a shape may have one free size, not {shape}")
    sizes = [-1 if f else size for f, size in zip(free, shape)]
    wanted = constant(np.array(sizes, np.int64))
    return self.add("Reshape", [x, wanted], shape, x.dtype)

  def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
    """Change the order of the axes of what is held.

    Args:
      x: the value.
      order: the axes of `x`, as they come in the result.
    """
    order = [int(axis) for axis in order]
    if order == list(range(len(order))):
      return x
    if x.value is not None:
      return constant(x.value.transpose(order))
    held = tuple(x.held[axis] for axis in order)
    # Axes of size 1 move without a copy.
    long = [axis for axis in order if x.held[axis] != 1]
    if long == sorted(long):
      return self.reshape(x, held)
    return self.add("Transpose", [x], held, x.dtype, perm=order)

  def _size(self, size: Any) -> Tensor:
    """Return a size as a `[1]` tensor of the graph."""
    if isinstance(size, int):
      return constant(np.array([size], np.int64))
    if self._batch is None:
      self._batch = self.add(
        "Shape", [self.films], (1,), np.int64, start=0, end=1
      )
    if size == self._symbol:
      return self._batch
    factor, rest = divmod(size, self._symbol)
    if not isinstance(factor, int) or rest != 0:
      raise ValueError(f"a size may be a multiple of the batch, not {size}")
    times = constant(np.array([factor], np.int64))
    return self.add("Mul", [self._batch, times], (1,), np.int64)

  def _name_of(self, x: Tensor) -> str:
    """Return the name of a value; equal constants are written once."""
    from onnx import numpy_helper

    if x.value is None:
      assert x.name is not None
      return x.name
    array = np.ascontiguousarray(x.value)
    # `ascontiguousarray` turns a scalar into `[1]`.
    array = array.reshape(x.value.shape)
    key = (array.dtype.str, array.shape, array.tobytes())
    if key not in self._names:
      name = f"constant_{len(self._names)}"
      self.constants.append(numpy_helper.from_array(array, name))
      self._names[key] = name
    return self._names[key]
