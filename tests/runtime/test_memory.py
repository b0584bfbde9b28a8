"""What is free, and what is taken to fit."""

import jax
import pytest

from chexjax.runtime import memory


class Compiled:
  """A program with a plan, as JAX gives it."""

  temp_size_in_bytes = 600
  output_size_in_bytes = 100

  def memory_analysis(self):
    return self


@pytest.mark.parametrize(
  ("free", "calls", "fits"),
  # A fifth of what is free is left alone.
  [(1000, 2, True), (999, 2, False), (999, 1, True), (None, 9, True)],
)
def test_a_plan_fits_with_all_results_held(free, calls, fits, monkeypatch):
  monkeypatch.setattr(memory, "free_bytes", lambda: free)
  assert memory.fits(Compiled(), calls=calls) == fits


def test_the_lesser_of_the_system_and_its_container(tmp_path):
  meminfo, cgroup = tmp_path / "meminfo", tmp_path / "cgroup"
  assert memory._host(meminfo, cgroup) is None
  meminfo.write_text("MemTotal: 9 kB\nMemAvailable:   5 kB\nHugePages: 0\n")
  assert memory._host(meminfo, cgroup) == 5120
  cgroup.mkdir()
  (cgroup / "memory.current").write_text("1000\n")
  (cgroup / "memory.stat").write_text("anon 700\ninactive_file 300\n")
  for limit, free in (("max\n", 5120), ("4000\n", 3300), ("99999\n", 5120)):
    (cgroup / "memory.max").write_text(limit)
    assert memory._host(meminfo, cgroup) == free


def test_a_device_that_counts_is_asked(monkeypatch):
  stats = {"bytes_limit": 9, "bytes_in_use": 4}

  class Device:
    platform = "gpu"

    def memory_stats(self):
      return stats

  monkeypatch.setattr(jax, "local_devices", lambda: [Device()])
  assert memory.free_bytes() == 5
  stats.clear()
  assert memory.free_bytes() is None
