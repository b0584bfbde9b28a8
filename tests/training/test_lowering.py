"""What accelerators are given, seen without one: lowering needs none."""

import os
import re
import subprocess
import sys

import jax
import pytest
from jax.extend import core
from small_steps import traced

from experiments.benchmark.ahead.steps import STEPS


@pytest.mark.parametrize("platform", ["tpu", "cuda"])
@pytest.mark.parametrize("step", STEPS)
def test_every_step_lowers(step, platform):
  found = traced(step, "bfloat16", platform=platform)
  lowered = found.lower(lowering_platforms=(platform,))
  text = lowered.as_text()
  assert "callback" not in text
  assert "f64>" not in text
  assert "inlineable" not in text  # Sealed parts are a CPU's.
  # The augmentation reads single numbers, nothing else does.
  gathers = text.count("stablehlo.gather")
  assert gathers <= (0 if step == "predict" else 8)


def products(jaxpr, scope=""):
  """Yields scope, type of the operands and precision of every product."""
  for equation in jaxpr.eqns:
    name, params = equation.primitive.name, equation.params
    inside = f"{scope}/{equation.source_info.name_stack}"
    kinds = {str(value.aval.dtype) for value in equation.invars}
    if name in ("dot_general", "conv_general_dilated"):
      yield inside, kinds, params["precision"]
    elif name == "constant_product":
      yield inside, kinds, jax.lax.Precision(params["precision"])
    for value in params.values():
      for each in value if isinstance(value, tuple | list) else (value,):
        if isinstance(each, core.ClosedJaxpr):
          each = each.jaxpr
        if isinstance(each, core.Jaxpr):
          yield from products(each, inside)


# A narrow type is multiplied exactly in one pass of an accelerator.
@pytest.mark.parametrize(
  ("precision", "wide"),
  [("float32", "HIGHEST"), ("tf32", "HIGH"), ("bfloat16", "HIGHEST")],
)
@pytest.mark.parametrize("step", ["3", "predict"])
def test_float32_is_multiplied_as_the_precision_says(step, precision, wide):
  asked = {"bfloat16": set(), "float32": set()}
  for scope, kinds, found in products(traced(step, precision).jaxpr.jaxpr):
    (kind,) = kinds
    found = found if isinstance(found, tuple) else (found,)
    names = {each.name for each in found}
    asked[kind] |= names
    if kind == "float32":
      assert names <= {wide, "HIGHEST"}, scope
  assert asked["float32"] == {wide, "HIGHEST"}
  if precision == "bfloat16":
    assert asked["bfloat16"] == {"DEFAULT"}
  else:
    assert not asked["bfloat16"]


def test_devices_exchange_nothing_but_sums():
  flags = os.environ.get("XLA_FLAGS", "")
  done = subprocess.run(
    [sys.executable, __file__],
    env=os.environ
    | {
      "XLA_FLAGS": f"{flags} --xla_force_host_platform_device_count=4",
      "PYTHONPATH": os.pathsep.join(sys.path),
    },
    capture_output=True,
    text=True,
    check=True,
  )
  assert done.stdout == "".join(f"{step} all-reduce\n" for step in "123")


def print_exchanged(step):
  """Prints a step of four devices, and the kinds of exchange in it."""
  lowered = traced(step, "bfloat16", devices=4, remat=True).lower()
  # How a program is divided is decided before it is translated.
  quick = {"xla_backend_optimization_level": 0}
  text = lowered.compile(quick).as_text()
  kinds = r"all-\w+|reduce-scatter|collective-\w+|ragged-all-to-all"
  print(step, *sorted(set(re.findall(rf" ({kinds})(?:-start)?\(", text))))


if __name__ == "__main__":
  for each in "123":
    print_exchanged(each)
