"""FLOPs of the products in a compiled program, of XLA and of GPU libraries."""

import math
from collections.abc import Iterator, Mapping

import numpy as np

from experiments.benchmark.ahead.program import Instruction, Program

Body = Mapping[str, Instruction]


def flops(
  program: Program, each: Instruction, body: Body, single_pass: str
) -> Iterator[tuple[str, float]]:
  """Yields the kind and FLOPs of every product in an instruction.

  Args:
    program: that holds the computations of fusions.
    each: the instruction.
    body: the computation that it is in.
    single_pass: kind of a product of float32 at default precision.
  """
  if each.op == "fusion":
    inside = program.computations[each.called("calls")]
    for inner in inside.values():
      yield from flops(program, inner, inside, single_pass)
    return
  count = 0.0
  if each.op == "dot":
    count = _dot(each, body, each.find(r"lhs_contracting_dims=\{([\d,]*)\}"))
  elif each.op == "convolution":
    count = _convolution(each, body)
  elif each.target.startswith("__cudnn$conv"):
    count = _library_convolution(each, body)
  elif each.target.startswith("__cublas$"):
    listed = each.find(r'"lhs_contracting_dimensions":\[([^\]]*)\]')
    count = _dot(each, body, listed.replace('"', ""))
  elif each.target == "__gpu$xla.gpu.triton":
    count = _heads(each, body)
  if count:
    yield _kind(each, body, single_pass), count


def _kind(each, body, single_pass):
  if body[each.operands[0]].arrays[0].type in ("bf16", "f16", "s8", "u8"):
    return "bfloat16"
  asked = each.find(r'operand_precision"?[=:][{\[]"?(\w+)').lower()
  return asked if asked in ("high", "highest") else single_pass


def _sides(body, name):
  return body[name].arrays[0].sides


def _dot(each, body, contracted):
  left = _sides(body, each.operands[0])
  terms = math.prod(left[int(axis)] for axis in contracted.split(",") if axis)
  # A GPU's library returns its scratch memory beside the result.
  result = max((array for array in each.arrays), key=lambda a: a.size)
  if each.target:
    result = next(a for a in each.arrays if a.type not in ("u8", "s8"))
  return 2.0 * result.size * terms


def _axes(each):
  """Returns the letters of input, kernel and output axes."""
  read, written = each.find(r"dim_labels=([\w>?\-]+)").split("->")
  return (*read.split("_"), written)


def _convolution(each, body):
  """Counts the pairs of an element that is read and one that is written."""
  image, kernel, written = _axes(each)
  sides = _sides(body, each.operands[0])
  taps = _sides(body, each.operands[1])
  result = each.arrays[0].sides
  window = dict(
    item.split("=") for item in each.find(r"window=\{([^}]*)\}").split()
  )
  pairs = 1
  for place, axis in enumerate(c for c in written if c.isdigit()):

    def of(name, default, place=place):
      values = window.get(name)
      return values.split("x")[place] if values else default

    start = np.arange(result[written.index(axis)]) * int(of("stride", "1"))
    start -= int(of("pad", "0_0").split("_")[0])
    step = np.arange(taps[kernel.index(axis)]) * int(of("rhs_dilate", "1"))
    spread = int(of("lhs_dilate", "1"))
    at = start[:, None] + step
    length = sides[image.index(axis)]
    pairs *= int(
      ((at % spread == 0) & (at >= 0) & (at < length * spread)).sum()
    )
  groups = int(each.find(r"batch_group_count=(\d+)") or 1)
  outer = result[written.index("b")] * result[written.index("f")]
  return 2.0 * pairs * outer * taps[kernel.index("i")] / groups


def _heads(each, body):
  """Counts a kernel of `chexjax.ops._norm_product`, by what it reads."""
  pixels, channels = _sides(body, each.operands[0])
  last = _sides(body, each.operands[3])
  if len(last) == 3:  # The kernels of all heads, else a head's gradient.
    return 2.0 * pixels * math.prod(last)
  return 2.0 * pixels * channels * last[1]


def _library_convolution(each, body):
  """Counts every tap of every pixel, those outside of the image too."""
  kernel = _axes(each)[1]
  first, second = (_sides(body, name) for name in each.operands[:2])
  result = each.arrays[0].sides
  if "BackwardFilter" in each.target:
    small, weights = second, result
  elif "BackwardInput" in each.target:
    small, weights = first, second
  else:
    small, weights = result, second
  features = weights[kernel.index("o")]
  return 2.0 * math.prod(small) * math.prod(weights) / features
