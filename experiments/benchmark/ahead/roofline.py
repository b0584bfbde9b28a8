"""The least time of a compiled program on a chip, by part of the model.

The time of an instruction is the longest of what its products, its memory and
the compiler's own estimate (of a TPU) take, and of a launch. These are added
up. A real chip is slower where it waits, and quicker where it does two at once.
"""

import collections
import re
from typing import Any

from experiments.benchmark.ahead import costs
from experiments.benchmark.ahead.costs import Cost
from experiments.benchmark.ahead.program import Instruction, Program
from experiments.benchmark.ahead.topology import Chip

# What a collective takes before the first byte arrives, seconds: assumed.
_LATENCY = 2e-6
# Parts of a step by what JAX was tracing; the first that fits.
_PARTS = (
  ("augmentation", r"map_coordinates|affine_warp|augment"),
  ("DenseNet stem", r"densenet/(conv0|norm0|select|reduce_window|max_pool)"),
  *(
    (f"dense block {i}", rf"densenet/.*(block|transition){i}")
    for i in (1, 2, 3, 4)
  ),
  ("DenseNet, rest", r"densenet"),
  ("FPN", r"/fpn"),
  ("detection head", r"DetectionHead|/detection"),
  ("saliency heads", r"classification"),
  ("crop ResNet", r"resnet"),
  ("crop heads", r"crop_classifier"),
  ("boxes and crops", r"ChexModel"),
)


def summary(program: Program, chip: Chip, *, top: int) -> dict[str, Any]:
  """Returns what a program costs on a chip, as JSON values.

  Args:
    program: compiled.
    chip: that it is compiled for.
    top: number of instructions to list, those that take longest.
  """
  single = "bfloat16" if chip.platform == "tpu" else "high"
  found = costs.costs(program, single_pass=single)
  times = [seconds(cost, chip) for cost in found]
  flops: collections.Counter = collections.Counter()
  parts: dict[str, list[float]] = collections.defaultdict(lambda: [0.0] * 4)
  exchanged: dict[str, list[float]] = collections.defaultdict(lambda: [0, 0.0])
  for cost, time in zip(found, times):
    flops.update(cost.flops)
    row = parts[part(cost.instruction)]
    own = (time, cost.bytes, sum(cost.flops.values()), cost.times)
    parts[part(cost.instruction)] = [a + b for a, b in zip(row, own)]
    if kind := cost.collective:
      exchanged[kind][0] += cost.times
      exchanged[kind][1] += cost.times * costs.sent(cost.instruction)
  moved = sum(cost.bytes for cost in found)
  ranked = sorted(zip(times, found), key=lambda pair: -pair[0])
  return {
    "seconds": sum(times),
    "flops": dict(flops),
    "bytes": moved,
    "seconds_of_products": sum(n / chip.products[k] for k, n in flops.items()),
    "seconds_of_memory": moved / chip.bandwidth,
    "operations": sum(cost.times for cost in found),
    "at_the_least": sum(cost.times for cost in found if _is_launch(cost, chip)),
    "parts": {
      name: dict(zip(("seconds", "bytes", "flops", "operations"), row))
      for name, row in sorted(parts.items(), key=lambda item: -item[1][0])
    },
    "collectives": {
      kind: {"count": int(count), "bytes": size}
      for kind, (count, size) in exchanged.items()
    },
    "host_calls": costs.host_calls(program),
    "gathers": sum(cost.times for cost in found if _is_gather(program, cost)),
    "longest": [_described(time, cost) for time, cost in ranked[:top]],
  }


def seconds(cost: Cost, chip: Chip) -> float:
  """Returns the least time of an instruction, all times together."""
  each = cost.instruction
  if cost.collective:
    return cost.times * (_LATENCY + 2 * costs.sent(each) / chip.link)
  if each.op in ("copy-start", "slice-start"):
    return 0.0  # It goes on beside the others.
  longest = max(_busy(cost, chip), chip.launch * cost.times)
  return max(longest, cost.cycles / chip.clock) if chip.clock else longest


def _busy(cost, chip):
  products = sum(n / chip.products[kind] for kind, n in cost.flops.items())
  return max(products, cost.bytes / chip.bandwidth)


def _is_launch(cost, chip):
  return not cost.collective and _busy(cost, chip) < chip.launch * cost.times


def _is_gather(program, cost):
  """Whether single elements are read or written at computed places."""
  each = cost.instruction
  if each.op in ("gather", "scatter"):
    return True
  if each.op != "fusion":
    return False
  inside = program.computations[each.called("calls")].values()
  return any(inner.op in ("gather", "scatter") for inner in inside)


def part(instruction: Instruction) -> str:
  """Returns the part of the model that an instruction belongs to."""
  if costs.collective(instruction):
    return "exchange between devices"
  scope = instruction.scope
  if not scope:
    return "without a name"
  plain = re.sub(
    r"(transpose|jvp|rematted_computation|checkpoint|vmap)\(?", "", scope
  )
  way = "backward" if "transpose(" in scope else "forward"
  for name, pattern in _PARTS:
    if re.search(pattern, plain):
      return f"{name}, {way}"
  return "optimizer, loss and the rest"


def _described(time, cost):
  each = cost.instruction
  shape = each.arrays[0] if each.arrays else None
  return {
    "seconds": time,
    "times": cost.times,
    "bytes": cost.bytes,
    "flops": sum(cost.flops.values()),
    "cycles": cost.cycles,
    "name": each.name,
    "shape": f"{shape.type}{list(shape.sides)}" if shape else "",
    "scope": each.scope,
  }
