"""The frame of the benchmarks, the yardsticks, each one's smallest run."""

import importlib.util
import json
import math
import pathlib
import subprocess
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tyro

from chexjax import models, ops
from chexjax.runtime import operation_count
from experiments.benchmark import clock, frame, scaling, train
from experiments.benchmark import ops as benchmark_ops
from experiments.benchmark.__main__ import main


def test_an_unknown_benchmark_is_named(capsys):
  assert main(["inputs"]) == 2
  assert "input: images a second" in capsys.readouterr().err
  assert main([]) == 0


def test_turns_alternate_and_the_first_is_not_counted():
  calls = []

  def run(name):
    calls.append(name)
    return frame.Rate(len(calls), 0.0)

  runs = {name: lambda name=name: run(name) for name in "ab"}
  found = frame.in_turns(runs, repeats=2)
  assert "".join(calls) == "ababab"
  assert [r.per_second for r in found["a"]] == [3, 5]


def test_a_rate_counts_items_and_cpu_time():
  def sleep_then_work():
    time.sleep(0.1)
    end = time.process_time() + 0.1
    while time.process_time() < end:
      pass
    return 10

  found = frame.rate(sleep_then_work)
  assert found.per_second <= 10 / 0.2
  # The kernel counts in ticks of 10 ms; a sleep costs nothing.
  assert math.isnan(found.cpu_ms) or 7 < found.cpu_ms < 20


def test_input_runs_without_torch(tmp_path, monkeypatch, capsys):
  there = importlib.util.find_spec
  monkeypatch.setattr(
    importlib.util, "find_spec", lambda n: None if n == "torch" else there(n)
  )
  out = tmp_path / "deep" / "input.json"
  argv = ["input", "--toy", f"--cache_dir={tmp_path}", f"--out={out}"]
  assert main(argv) == 0
  result = json.loads(out.read_text())
  assert result["benchmark"] == "input"
  assert result["versions"]["opencv-python-headless"]
  rows = {(r["name"], r["unit"]): r for r in result["rows"]}
  speed = rows["128 px records, threads", "images/s"]
  assert len(speed["values"]) == 2
  assert 0 < speed["low"] <= speed["median"] <= speed["high"]
  notes = [r["note"] for n, r in rows.items() if n[0].startswith("torch")]
  assert notes == ["torch not installed"] * 3
  shown = capsys.readouterr().out
  assert "| 256 px PNGs to 128, threads | " in shown


@pytest.mark.parametrize(
  ("argv", "wanted"),
  [
    (
      ["ops"],
      ["matrix product of 64", "RoIAlign, gather, forward and gradient",
       "detection map, paper, a fourth of the side"],
    ),
    (
      ["model"],
      ["whole model, released, 32 px, batch 1: logits, maps and boxes",
       "ours, DenseNet 1-1, 32 px, batch 1"],
    ),
    (
      ["train", "--presets", "paper", "--stages", "1", "--remat",
       "--profile"],
      ["paper stage 1, 32 px, batch 2: floor / step",
       "paper stage 1, 32 px, batch 2: peak memory",
       "paper stage 1, 32 px, batch 2: operation 1"],
    ),
    (
      ["evaluate"],
      ["3 boxes x 41 thresholds x 3 maps x 2 rules, 32 px",
       "AUC and average precision, 60 x 2, scikit-learn, one draw"],
    ),
  ],
)  # fmt: skip
@pytest.mark.slow
def test_each_benchmark_runs_at_toy_size(argv, wanted, tmp_path, monkeypatch):
  there = importlib.util.find_spec
  monkeypatch.setattr(
    importlib.util, "find_spec", lambda n: None if n == "torch" else there(n)
  )
  out = tmp_path / "rows.json"
  assert main([*argv, "--toy", f"--out={out}"]) == 0
  result = json.loads(out.read_text())
  assert result["benchmark"] == argv[0]
  rows = {row["name"]: row for row in result["rows"]}
  for name in wanted:
    assert rows[name]["median"] > 0, name
  assert all(row["values"] for row in result["rows"])


def test_growth_is_compared_with_the_first(tmp_path, monkeypatch):
  def step(point, options):
    times = (10.0 * point.size**2 / 32**2 * point.batch,)
    return frame.Row("step", "ms", times), frame.Row("memory", "MiB", (1.0,))

  monkeypatch.setattr(scaling, "_step", step)
  plot = tmp_path / "a" / "plot.png"
  argv = ["--image_sizes", "32", "64", "--proposals", "4", "16"]
  out = tmp_path / "rows.json"
  assert main(["scaling", *argv, f"--out={out}", f"--plot={plot}"]) == 0
  rows = {r["name"]: r for r in json.loads(out.read_text())["rows"]}
  found = rows["image side 64: step"]
  assert found["median"] == 80
  assert found["note"] == "4.00 times the first; law: its square"
  assert rows["proposals 16: RoIAlign with gradient"]["median"] > 0
  assert plot.stat().st_size > 1000
  # What was measured is drawn again, the same.
  again = tmp_path / "again.png"
  assert main(["scaling", f"--drawn={out}", f"--plot={again}"]) == 0
  assert again.read_bytes() == plot.read_bytes()
  assert main(["scaling", f"--drawn={out}"]) == 2
  frame.save({"rows": [{"name": "x", "unit": "ms", "note": ""}]}, out)
  assert main(["scaling", f"--drawn={out}", f"--plot={again}"]) == 2


def test_a_step_is_measured_in_a_process_with_its_devices(monkeypatch):
  def child(command, *, env, **_):
    assert env["XLA_FLAGS"].endswith("device_count=4")
    out = next(a for a in command if a.startswith("--out="))[6:]
    rows = [
      frame.Row("released stage 3, 32 px, batch 8", "ms", (2.0,)),
      frame.Row("released stage 3, 32 px, batch 8: buffers", "MiB", (3.0,)),
    ]
    frame.save({"rows": [r.as_json() for r in rows]}, pathlib.Path(out))
    # The options are known to the program that is started.
    tyro.cli(train.Options, args=command[4:], use_underscores=True)
    return subprocess.CompletedProcess(command, 0)

  monkeypatch.setattr(scaling.subprocess, "run", child)
  point = scaling.Point(size=32, findings=2, batch=8, devices=4)
  rows = scaling._step(point, scaling.Options())
  assert [row.values for row in rows] == [(2.0,), (3.0,)]


def test_a_size_that_fails_costs_its_own_row_alone(monkeypatch, capsys):
  def child(command, **_):
    return subprocess.CompletedProcess(command, -6, stdout="")

  monkeypatch.setattr(scaling.subprocess, "run", child)
  point = scaling.Point(size=32, findings=2, batch=8, devices=4)
  for row in scaling._step(point, scaling.Options()):
    assert row.values == ()
    assert row.note == "failed with -6"
  assert f"failed: {point}" in capsys.readouterr().err
  assert scaling.main(["--toy"]) == 1


def test_quick_calls_are_repeated():
  calls = []
  milliseconds = clock.timed(lambda: calls.append(1), least=0.02)()
  assert len(calls) > 10
  assert milliseconds * len(calls) >= 20


def test_the_floor_is_the_longer_of_operations_and_memory():
  rates = [
    frame.Row("matmul", "GFLOP/s", (100.0, 200.0)),
    frame.Row("copy", "GB/s", (10.0, 10.0)),
  ]
  # 3 GFLOP take 30 and 15 ms, 0.2 GB 20 ms.
  rows = train.floor_rows(
    "step", (60.0, 40.0), rates, operation_count.Work(3e9, 0.2e9)
  )
  values = {row.name: row.values for row in rows}
  assert values["step: floor"] == pytest.approx((30, 20))
  assert values["step: floor / step"] == pytest.approx((50, 50))


def test_products_are_counted_as_often_as_they_run():
  x, matrix = jnp.ones((3, 4)), jnp.ones((4, 4))

  def loop(x, matrix):
    return jax.lax.scan(lambda y, _: (y @ matrix, None), x, length=5)[0]

  found = operation_count.count(jax.make_jaxpr(loop)(x, matrix).jaxpr)
  assert found == (5 * 2 * 3 * 4 * 4, 5 * 4 * (3 * 4 + 4 * 4 + 3 * 4))


@pytest.mark.parametrize("strides", [1, 2])
def test_a_gradient_of_a_convolution_is_two_more_of_it(strides):
  x, kernel = jnp.ones((2, 32, 32, 8)), jnp.ones((3, 3, 8, 4))

  def total(x, kernel):
    return jax.lax.conv_general_dilated(
      x, kernel, (strides, strides), "SAME",
      dimension_numbers=("NHWC", "HWIO", "NHWC"),
    ).sum()  # fmt: skip

  both = jax.make_jaxpr(jax.grad(total, argnums=(0, 1)))(x, kernel)
  one = 2 * 2 * (32 // strides) ** 2 * 3 * 3 * 8 * 4
  # JAX keeps the forward pass, though its result is not read.
  assert operation_count.count(both.jaxpr).flops == 3 * one


def test_a_batch_that_does_not_fit_ends_the_series(monkeypatch):
  tried = []

  def build(config, stage, batch, num_classes):
    tried.append((stage, batch))
    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

  monkeypatch.setattr(train, "build", build)
  options = train.Options(toy=True, stages=(1, 3), batch_sizes=(8, 16))
  rows = [row for found in train.measure(options) for row in found]
  assert tried == [(1, 8), (3, 8)]
  assert [row.note for row in rows] == ["does not fit the memory"] * 2


def test_the_gather_yardstick_computes_the_same():
  maps = np.random.default_rng(0).standard_normal((16, 16, 3), np.float32)
  boxes = jnp.asarray(ops.make_proposals(64))
  np.testing.assert_allclose(
    benchmark_ops.roi_align_gather(jnp.asarray(maps), boxes),
    ops.roi_align(jnp.asarray(maps), boxes),
    atol=1e-5,
  )


def test_the_torch_yardsticks_compute_the_same():
  pytest.importorskip("torch")
  from experiments.benchmark import torch_models

  maps = np.random.default_rng(0).standard_normal((16, 16, 3), np.float32)
  boxes = ops.make_proposals(64)
  pooled = torch_models.roi_align(
    torch_models.put(maps.transpose(2, 0, 1)[None]), torch_models.put(boxes)
  )
  np.testing.assert_allclose(
    pooled[0].permute(0, 2, 3, 1).cpu(),
    ops.roi_align(jnp.asarray(maps), jnp.asarray(boxes)),
    atol=1e-4,
  )

  def size(module):
    shapes = jax.eval_shape(
      lambda: module.init(
        jax.random.key(0), jnp.zeros((1, 64, 64, 3)), train=False
      )
    )
    return sum(leaf.size for leaf in jax.tree.leaves(shapes["params"]))

  theirs = (
    torch_models.densenet((6, 12, 24, 16), 32, 4, 64),
    torch_models.resnet((3, 4, 6, 3), 64),
  )
  for ours, module in zip((models.DenseNet(), models.ResNet()), theirs):
    assert sum(p.numel() for p in module.parameters()) == size(ours)
