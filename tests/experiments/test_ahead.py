"""The reader of compiled programs, on programs short enough to count by hand.

That it compiles for a chip needs the extra `ahead`, which the tests do without.
"""

import importlib.util

import pytest

from experiments.benchmark.__main__ import main
from experiments.benchmark.ahead import costs, program, roofline, table
from experiments.benchmark.ahead.topology import CHIPS

# A loop of three runs, each of which reads one of three slices of 1 KiB and
# multiplies it; then a sum over devices.
LOOP = """HloModule jit_f

%sliced (p0: f32[3,16,16], p1: s32[]) -> f32[16,16] {
  %p0 = f32[3,16,16]{2,1,0} parameter(0)
  %p1 = s32[] parameter(1)
  %zero = s32[] constant(0)
  %part = f32[1,16,16]{2,1,0} dynamic-slice(%p0, %p1, %zero, %zero), dynamic_slice_sizes={1,16,16}
  ROOT %flat = f32[16,16]{1,0} bitcast(%part)
}

%body (state: (s32[], f32[16,16], f32[3,16,16])) -> (s32[], f32[16,16], f32[3,16,16]) {
  %state = (s32[], f32[16,16]{1,0}, f32[3,16,16]{2,1,0}) parameter(0)
  %i = s32[] get-tuple-element(%state), index=0
  %x = f32[16,16]{1,0} get-tuple-element(%state), index=1
  %all = f32[3,16,16]{2,1,0} get-tuple-element(%state), index=2
  %fused = f32[16,16]{1,0} fusion(%all, %i), kind=kLoop, calls=%sliced, metadata={op_name="jit(f)/jvp(ChexModel)/classification/densenet/block1_layer1/mul"}
  %dot = f32[16,16]{1,0} dot(%x, %fused), lhs_contracting_dims={1}, rhs_contracting_dims={0}, operand_precision={highest,highest}, metadata={op_name="jit(f)/transpose(jvp(ChexModel))/classification/fpn/dot_general"}
  ROOT %next = (s32[], f32[16,16]{1,0}, f32[3,16,16]{2,1,0}) tuple(%i, %dot, %all)
}

%condition (state: (s32[], f32[16,16], f32[3,16,16])) -> pred[] {
  %state = (s32[], f32[16,16]{1,0}, f32[3,16,16]{2,1,0}) parameter(0)
  %i = s32[] get-tuple-element(%state), index=0
  %limit = s32[] constant(3)
  ROOT %less = pred[] compare(%i, %limit), direction=LT
}

ENTRY %main (a: f32[16,16], b: f32[3,16,16]) -> f32[16,16] {
  %a = f32[16,16]{1,0} parameter(0)
  %b = f32[3,16,16]{2,1,0} parameter(1)
  %zero = s32[] constant(0)
  %start = (s32[], f32[16,16]{1,0}, f32[3,16,16]{2,1,0}) tuple(%zero, %a, %b)
  %loop = (s32[], f32[16,16]{1,0}, f32[3,16,16]{2,1,0}) while(%start), condition=%condition, body=%body
  %last = f32[16,16]{1,0} get-tuple-element(%loop), index=1
  ROOT %sum = f32[16,16]{1,0} all-reduce(%last), replica_groups={}, to_apply=%add
}
"""  # noqa: E501


def of_line(*lines):
  """Reads a program of one computation, and returns its costs."""
  text = "\n".join(f"  {line}" for line in lines)
  read = program.read(f"ENTRY %main () -> f32[] {{\n{text}\n}}\n")
  return costs.costs(read, single_pass="high")


def test_loops_are_multiplied_out_and_slices_are_slices():
  found = costs.costs(program.read(LOOP), single_pass="high")
  by_name = {cost.instruction.name: cost for cost in found}
  assert set(by_name) == {"fused", "dot", "sum"}
  kib = 16 * 16 * 4
  # A slice is read and written, the two matrices read and the result written.
  # (The fusion reads its index too.)
  assert by_name["fused"].bytes == pytest.approx(3 * 2 * kib, abs=3 * 4)
  assert by_name["dot"].bytes == 3 * 3 * kib
  assert by_name["dot"].times == 3
  assert by_name["dot"].flops == {"highest": 3 * 2 * 16**3}


def test_the_summary_adds_up_by_part():
  chip = CHIPS["h100"]
  found = roofline.summary(program.read(LOOP), chip, top=2)
  assert found["collectives"] == {"all-reduce": {"count": 1, "bytes": 1024}}
  assert found["host_calls"] == []
  assert set(found["parts"]) == {
    "FPN, backward",
    "dense block 1, forward",
    "exchange between devices",
  }
  assert found["seconds"] == pytest.approx(
    sum(part["seconds"] for part in found["parts"].values())
  )
  # So small that a launch is all the time there is.
  assert found["parts"]["FPN, backward"]["seconds"] == 3 * chip.launch
  assert found["at_the_least"] == found["operations"] - 1
  assert len(found["longest"]) == 2


def test_a_convolution_counts_the_taps_inside_the_image():
  (cost,) = of_line(
    "%x = f32[2,8,8,4]{3,2,1,0} parameter(0)",
    "%k = f32[3,3,4,5]{3,2,1,0} parameter(1)",
    "ROOT %y = f32[2,4,4,5]{3,2,1,0} convolution(%x, %k), "
    "window={size=3x3 stride=2x2 pad=0_1x0_1}, dim_labels=b01f_01io->b01f",
  )
  # Of the last pixel's three taps along each side, one is outside.
  assert cost.flops == {"high": 2 * 2 * (3 + 3 + 3 + 2) ** 2 * 4 * 5}


def test_a_convolution_counts_no_zeros_between_pixels():
  (cost,) = of_line(
    "%g = bf16[2,4,4,5]{3,2,1,0} parameter(0)",
    "%k = bf16[3,3,5,4]{3,2,1,0} parameter(1)",
    "ROOT %y = bf16[2,8,8,4]{3,2,1,0} convolution(%g, %k), window={size=3x3 "
    "pad=2_1x2_1 lhs_dilate=2x2 rhs_reversal=1x1}, dim_labels=b01f_01io->b01f",
  )
  # The gradient of the one above: as many pairs.
  assert cost.flops == {"bfloat16": 2 * 2 * (3 + 3 + 3 + 2) ** 2 * 4 * 5}


@pytest.mark.parametrize(
  ("target", "first", "second", "result"),
  [
    ("Forward", "2,8,8,4", "5,3,3,4", "2,8,8,5"),
    ("BackwardInput", "2,8,8,5", "5,3,3,4", "2,8,8,4"),
    ("BackwardFilter", "2,8,8,4", "2,8,8,5", "5,3,3,4"),
  ],
)
def test_a_gpus_convolutions_count_every_tap(target, first, second, result):
  (cost,) = of_line(
    f"%a = bf16[{first}]{{3,2,1,0}} parameter(0)",
    f"%b = bf16[{second}]{{3,2,1,0}} parameter(1)",
    f"ROOT %c = (bf16[{result}]{{3,2,1,0}}, u8[999]{{0}}) custom-call(%a, %b),"
    " window={size=3x3 pad=1_1x1_1}, dim_labels=b01f_o01i->b01f, "
    f'custom_call_target="__cudnn$conv{target}"',
  )
  assert cost.flops == {"bfloat16": 2 * 2 * 64 * 5 * 4 * 9}
  sizes = [2 * 64 * 4, 2 * 64 * 5, 5 * 9 * 4]
  assert cost.bytes == 2 * sum(sizes)  # Without the library's scratch memory.


def test_a_gpus_product_asks_for_a_precision():
  (cost,) = of_line(
    "%a = f32[8,16]{1,0} parameter(0)",
    "%b = f32[16,4]{1,0} parameter(1)",
    "ROOT %c = (f32[8,4]{1,0}, s8[99]{0}) custom-call(%a, %b), "
    'custom_call_target="__cublas$gemm", backend_config={"gemm_backend_config":'
    '{"dot_dimension_numbers":{"lhs_contracting_dimensions":["1"]},'
    '"precision_config":{"operand_precision":["HIGHEST","HIGHEST"]}}}',
  )
  assert cost.flops == {"highest": 2 * 8 * 16 * 4}


@pytest.mark.parametrize(
  ("last", "results"),
  [("2,16,4", "bf16[8,4], bf16[8,4]"), ("8,4", "f32[16,4]")],
)
def test_a_kernel_counts_the_products_of_its_heads(last, results):
  (cost,) = of_line(
    "%x = bf16[8,16] parameter(0)",
    "%a = f32[2,16] parameter(1)",
    "%b = f32[2,16] parameter(2)",
    f"%k = bf16[{last}] parameter(3)",
    f"ROOT %c = ({results}) custom-call(%x, %a, %b, %k), "
    'custom_call_target="__gpu$xla.gpu.triton"',
  )
  heads = 2 if last.count(",") == 2 else 1
  assert cost.flops == {"bfloat16": heads * 2 * 8 * 16 * 4}


def test_tiles_pad_and_near_memory_is_free():
  (cost,) = of_line(
    "%a = bf16[100,3]{1,0:T(8,128)(2,1)} parameter(0)",
    "ROOT %b = bf16[100,3]{1,0:T(8,128)(2,1)S(1)} negate(%a)",
  )
  assert cost.bytes == 104 * 128 * 2


def test_an_update_in_place_moves_the_update_alone():
  text = """
%inside (p0: f32[9,256], p1: f32[1,256], p2: s32[]) -> f32[9,256] {
  %p0 = f32[9,256]{1,0} parameter(0)
  %p1 = f32[1,256]{1,0} parameter(1)
  %p2 = s32[] parameter(2)
  ROOT %u = f32[9,256]{1,0} dynamic-update-slice(%p0, %p1, %p2, %p2)
}

ENTRY %main (a: f32[9,256], b: f32[1,256], i: s32[]) -> f32[9,256] {
  %a = f32[9,256]{1,0} parameter(0)
  %b = f32[1,256]{1,0} parameter(1)
  %i = s32[] parameter(2)
  ROOT %f = f32[9,256]{1,0} fusion(%a, %b, %i), kind=kLoop, calls=%inside
}
"""
  (cost,) = costs.costs(program.read(text), single_pass="high")
  assert cost.bytes == pytest.approx(2 * 1024, abs=8)


def test_calls_of_the_host_are_found():
  text = """
ENTRY %main () -> f32[] {
  %t = token[] after-all()
  ROOT %c = f32[] custom-call(%t), custom_call_target="xla_ffi_python_cpu_callback"
}
"""  # noqa: E501
  assert costs.host_calls(program.read(text)) == [
    "custom-call xla_ffi_python_cpu_callback"
  ]


def test_the_table_says_what_failed_and_what_does_not_fit():
  good = {
    "name": "good", "images": 8, "devices": 1, "compile_seconds": 3.0,
    "compile_cpu_seconds": 4.0,
    "memory": {"bytes": 20 * 2**30, "chip": 16 * 2**30, "fits": False},
    "least": {"flops": 1e12, "bytes": 2e9}, "flops": {"high": 1e12},
    "bytes": 5e9, "seconds": 0.01, "seconds_of_products": 0.002,
    "seconds_of_memory": 0.006, "host_calls": [],
    "collectives": {"all-reduce": {"count": 7, "bytes": 3e6},
                    "all-gather": {"count": 1, "bytes": 1e6}},
    "parts": {"FPN, forward": {"seconds": 0.01}},
  }  # fmt: skip
  bad = {"name": "bad", "error": "RESOURCE_EXHAUSTED: too large"}
  text = table.programs([good, bad])
  _, _, first, second = text.splitlines()
  assert "20.00 of 16, **does not fit**" in first
  assert "800 | 7, 3.0 | 1 all-gather, 1.0 MB" in first
  assert "no: RESOURCE_EXHAUSTED" in second
  assert first.count("|") == second.count("|")
  assert "| FPN, forward | 10.00 |" in table.parts([good, bad])


@pytest.mark.parametrize(
  ("topology", "said"),
  [
    ("a100:8", "--topology=a100:8 must be NAME:GRID"),
    ("h100", "--topology=h100 must be NAME:GRID"),
    ("h100:2x2", "--topology=h100:2x2 must be NAME:GRID"),
    ("v5e:2x2", "libtpu not found.*pip install 'chexjax[ahead]'"),
    ("h100:2", "jax_cuda13_plugin not found.*pip install 'chexjax[ahead]'"),
  ],
)
def test_what_is_missing_is_named(
  topology, said, capsys, monkeypatch, tmp_path
):
  there = importlib.util.find_spec
  absent = ("libtpu", "jax_cuda13_plugin")
  monkeypatch.setattr(
    importlib.util, "find_spec", lambda n: None if n in absent else there(n)
  )
  out = tmp_path / "out"
  assert main(["ahead", f"--topology={topology}", f"--out={out}"]) == 2
  error = capsys.readouterr().err
  assert error.startswith("error: ")
  start, _, end = said.partition(".*")
  assert start in error
  assert end in error
  assert not out.exists()
