"""The frame of the benchmarks, and the smallest run of `input`."""

import importlib.util
import json
import math
import time

from experiments.benchmark import frame
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
