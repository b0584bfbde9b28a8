"""Reads the text of a compiled program."""

import dataclasses
import functools
import math
import re
from collections.abc import Iterator

# Bits of an element; a program holds no other types.
_BITS = {
  "pred": 8, "s4": 4, "u4": 4, "s8": 8, "u8": 8, "s16": 16, "u16": 16,
  "bf16": 16, "f16": 16, "s32": 32, "u32": 32, "f32": 32, "s64": 64, "u64": 64,
  "f64": 64, "c64": 64, "c128": 128,
}  # fmt: skip
_ARRAY = re.compile(
  r"(?P<type>[a-z]\w*)\[(?P<sides>[\d,]*)\]"
  r"(?:\{(?P<order>[\d,]*)(?::(?P<layout>[^}]*))?\})?"
)
_HEADER = re.compile(r"^(?P<entry>ENTRY )?%(?P<name>[\w.\-]+) .*\{$")
_LINE = re.compile(r"^\s+(?P<root>ROOT )?%(?P<name>[\w.\-]+) = (?P<rest>.*)$")


@dataclasses.dataclass(frozen=True)
class Array:
  """An array as it lies in memory.

  Attributes:
    type: of its elements, as XLA names it.
    sides: of the array.
    stored: bytes with the padding of its tiles.
    near: whether it lies in a memory on the chip's core.
  """

  type: str
  sides: tuple[int, ...]
  stored: float
  near: bool

  @property
  def size(self) -> int:
    """Number of elements."""
    return math.prod(self.sides)

  @property
  def moved(self) -> float:
    """Bytes that reading it takes from the main memory."""
    return 0.0 if self.near else self.stored


@dataclasses.dataclass(frozen=True)
class Instruction:
  """One line of a program.

  Attributes:
    name: unique in its computation.
    op: as XLA names it.
    arrays: of its result, more than one for a tuple.
    operands: names.
    rest: attributes, metadata and the backend's configuration.
  """

  name: str
  op: str
  arrays: tuple[Array, ...]
  operands: tuple[str, ...]
  rest: str

  @property
  def scope(self) -> str:
    """What JAX was tracing, such as `jit(step)/transpose(jvp(X))/dot`."""
    return self.find(r'op_name="([^"]*)"')

  def find(self, pattern: str) -> str:
    """Returns the first group of a pattern in `rest`, empty if absent."""
    found = re.search(pattern, self.rest)
    return found.group(1) if found else ""

  def called(self, attribute: str) -> str:
    """Returns the computation that an attribute names, empty if absent."""
    return self.find(rf"\b{attribute}=%?([\w.\-]+)")

  @property
  def target(self) -> str:
    """Name of a custom call's target, empty for other instructions."""
    return self.find(r'custom_call_target="([^"]*)"')


@dataclasses.dataclass
class Program:
  """A compiled program.

  Attributes:
    computations: their instructions by name, each after what it reads.
    roots: computation -> the instruction that is its result.
    entry: the computation that is run.
  """

  computations: dict[str, dict[str, Instruction]]
  roots: dict[str, str]
  entry: str

  def trips(self, loop: Instruction) -> int:
    """Returns how often a while loop runs; 1 where that is not known."""
    known = loop.find(r'known_trip_count"?:\{"n":"(\d+)"')
    if known:
      return int(known)
    condition = self.computations[loop.called("condition")]
    limits = [
      int(found)
      for each in condition.values()
      if each.op == "constant" and (found := each.find(r"^\((\d+)\)"))
    ]
    return max(limits, default=1)


def read(text: str) -> Program:
  """Reads what `compiled.as_text()` returns."""
  computations: dict[str, dict[str, Instruction]] = {}
  roots: dict[str, str] = {}
  entry, current = "", ""
  for line in text.splitlines():
    if header := _HEADER.match(line):
      current = header["name"]
      computations[current] = {}
      entry = current if header["entry"] else entry
    elif current and (found := _LINE.match(line)):
      each = _instruction(found["name"], found["rest"])
      computations[current][each.name] = each
      if found["root"]:
        roots[current] = each.name
  return Program(computations, roots, entry)


def _instruction(name, text):
  shape, text = _first_word(text)
  op, _, text = text.partition("(")
  inside = _up_to_bracket(text)
  rest = text[len(inside) + 1 :]
  operands = tuple(re.findall(r"%([\w.\-]+)", inside))
  if op in ("constant", "parameter"):
    rest = f"({inside}){rest}"
  return Instruction(name, op, tuple(_arrays(shape)), operands, rest)


def _first_word(text):
  """Splits a shape, which may be a tuple, from what follows."""
  if not text.startswith("("):
    shape, _, rest = text.partition(" ")
    return shape, rest
  inside = _up_to_bracket(text[1:])
  return inside, text[len(inside) + 3 :]


def _up_to_bracket(text):
  """Returns the text before the bracket that closes one opened before it."""
  depth = 1
  for found in re.finditer(r"[()]", text):
    depth += 1 if found[0] == "(" else -1
    if not depth:
      return text[: found.start()]
  return text


def _arrays(text) -> Iterator[Array]:
  for found in _ARRAY.finditer(text):
    if found["type"] in _BITS:
      yield _array(
        found["type"], found["sides"], found["order"], found["layout"]
      )


@functools.cache
def _array(kind, sides, order, layout):
  lengths = tuple(map(int, sides.split(","))) if sides else ()
  padded, layout = list(lengths), layout or ""
  tile = re.match(r"T\((\d[\d,]*)\)", layout)
  if tile and order:
    steps = reversed(tile[1].split(","))
    for axis, step in zip(map(int, order.split(",")), map(int, steps)):
      padded[axis] = math.ceil(lengths[axis] / step) * step
  stored = math.prod(padded) * _BITS[kind] / 8
  return Array(kind, lengths, stored, bool(re.search(r"S\([1-9]", layout)))
