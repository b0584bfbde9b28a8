"""What the instructions of a compiled program multiply, move and send.

XLA's own `cost_analysis` counts the body of a loop once, and a whole array
where a slice of it is read or written.
"""

import collections
import dataclasses
import re
from collections.abc import Iterator, Mapping

from experiments.benchmark.ahead import products
from experiments.benchmark.ahead.program import Array, Instruction, Program

# Instructions that do nothing when they run, or end what was counted at its
# start.
_FREE = {
  "parameter", "constant", "tuple", "get-tuple-element", "bitcast",
  "after-all", "partition-id", "replica-id", "opt-barrier", "domain",
}  # fmt: skip
_COLLECTIVES = (
  "all-reduce", "all-gather", "all-to-all", "reduce-scatter",
  "collective-permute", "collective-broadcast", "ragged-all-to-all",
)  # fmt: skip
# Reads of some elements of the first operand.
_READS = ("slice", "dynamic-slice", "gather")
# The result needs all elements of the operands, whatever is read of it.
_WHOLE = {"reduce", "reduce-window", "dot", "convolution", "sort", "scatter"}
_TO_HOST = re.compile(r"callback|host|infeed|outfeed", re.IGNORECASE)

Body = Mapping[str, Instruction]


@dataclasses.dataclass(frozen=True)
class Cost:
  """What an instruction costs on one device, all times together.

  Attributes:
    instruction: of the program.
    times: how often it runs.
    bytes: read from the main memory and written to it.
    flops: two for each multiply-add that meets an element, by kind.
    cycles: the compiler's own estimate, 0 where it has none.
  """

  instruction: Instruction
  times: int
  bytes: float
  flops: Mapping[str, float]
  cycles: float

  @property
  def collective(self) -> str:
    """Kind of exchange between devices, empty if it is none."""
    return collective(self.instruction)


def costs(program: Program, *, single_pass: str) -> list[Cost]:
  """Lists what runs in a step, loops multiplied out.

  Args:
    program: compiled.
    single_pass: kind of the products of float32 at default precision.
  """
  return list(_walk(program, program.entry, 1, single_pass))


def collective(instruction: Instruction) -> str:
  """Returns the kind of a collective or of its start, empty of others."""
  for kind in _COLLECTIVES:
    if instruction.op in (kind, f"{kind}-start"):
      return kind
  return ""


def sent(instruction: Instruction) -> float:
  """Returns the bytes of a collective's result, without its operands'."""
  arrays = instruction.arrays
  if instruction.op.endswith("-start") and len(arrays) > 1:
    arrays = arrays[len(arrays) // 2 :]
  return sum(array.stored for array in arrays)


def host_calls(program: Program) -> list[str]:
  """Names what a program asks of the host while it runs."""
  found = []
  for body in program.computations.values():
    for each in body.values():
      direct = each.op in ("infeed", "outfeed", "send", "recv")
      if direct or _TO_HOST.search(each.target):
        found.append(f"{each.op} {each.target}".strip())
  return found


def _walk(program, name, times, single_pass) -> Iterator[Cost]:
  body = program.computations[name]
  for each in body.values():
    if each.op == "while":
      trips = times * program.trips(each)
      yield from _walk(program, each.called("body"), trips, single_pass)
    elif each.op == "conditional":
      branches = [
        list(_walk(program, branch, times, single_pass))
        for branch in _branches(each)
      ]
      yield from max(branches, key=lambda found: sum(c.bytes for c in found))
    elif each.op in ("call", "async-start"):
      inner = each.called("to_apply") or each.called("calls")
      yield from _walk(program, inner, times, single_pass)
    elif each.op not in _FREE and not each.op.endswith(("-done", "-update")):
      cycles = each.find(r'"estimated_cycles":"(\d+)"')
      flops: collections.Counter = collections.Counter()
      for kind, count in products.flops(program, each, body, single_pass):
        flops[kind] += times * count
      yield Cost(
        each,
        times,
        times * _bytes(program, each, body),
        flops,
        times * float(cycles or 0),
      )


def _branches(each):
  listed = each.find(r"branch_computations=\{([^}]*)\}")
  if not listed:
    return [each.called("true_computation"), each.called("false_computation")]
  return re.findall(r"[\w.\-]+", listed)


def _moved(arrays):
  return sum(array.moved for array in arrays)


def _arrays_of(body: Body, name: str) -> tuple[Array, ...]:
  return body[name].arrays if name in body else ()


def _bytes(program, each, body):
  """Returns the bytes of the main memory that one run reads and writes."""
  operands = [_arrays_of(body, name) for name in each.operands]
  if each.op == "fusion":
    inside = each.called("calls")
    return _read(program, inside, operands) + _written(program, inside, each)
  if each.op in ("copy-start", "slice-start"):  # To or from a nearer memory.
    here, there = each.arrays[:2]
    part = min(here.stored, there.stored)
    return part * ((not here.near) + (not there.near))
  if each.op in _READS:
    return 2 * _moved(each.arrays)
  if each.op == "dynamic-update-slice":
    return 2 * _moved(operands[1])
  if collective(each):
    return 2 * sent(each)
  # The scratch memory of a GPU's library is not all read and written.
  results = [a for a in each.arrays if a.type != "u8" or not each.target]
  return _moved(results) + sum(map(_moved, operands))


def _written(program, inside, fusion):
  """Returns what a fusion writes: of an array updated in place, the update."""
  body = program.computations[inside]
  root = body[program.roots[inside]]
  names = root.operands if root.op == "tuple" else (root.name,)
  total = 0.0
  for array, name in zip(fusion.arrays, names):
    each = body[name]
    while each.op in ("bitcast", "copy", "convert") and each.operands:
      each = body[each.operands[0]]
    if each.op == "dynamic-update-slice":
      share = body[each.operands[1]].arrays[0].size / max(array.size, 1)
      total += array.moved * min(share, 1)
    else:
      total += array.moved
  return total


def _read(program, inside, operands):
  """Returns what a fusion reads: of each operand the elements it asks for."""
  body = program.computations[inside]
  asked: dict[str, float] = collections.defaultdict(float)
  asked[program.roots[inside]] = float("inf")
  total = 0.0
  for each in reversed(body.values()):
    size = sum(array.size for array in each.arrays)
    wanted = min(asked[each.name], size)
    if not wanted:
      continue
    if each.op == "parameter":
      place = int(each.find(r"^\((\d+)\)"))
      total += _moved(operands[place]) * wanted / max(size, 1)
    for place, name in enumerate(each.operands):
      asked[name] += _asked_of(each, place, body[name], wanted, size)
  return total


def _asked_of(each, place, operand, wanted, size):
  """Returns how many elements of an operand some of a result need."""
  if each.op == "dynamic-update-slice" and place == 0:
    return 0.0  # It stays where it is.
  own = sum(array.size for array in operand.arrays)
  if each.op in _WHOLE or each.op in ("tuple", "fusion"):
    return own
  if each.op in (*_READS, "concatenate") or own == size:
    return wanted
  return own
