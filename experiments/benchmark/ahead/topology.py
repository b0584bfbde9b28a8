"""Chips that programs are compiled for, and the rates of their vendors."""

import dataclasses
import os
from collections.abc import Mapping, Sequence

import jax
from jax.experimental import topologies

from chexjax.extras import require

# How a product is multiplied: `bfloat16` also stands for float32 in one pass of
# a TPU, `high` for TF32 or three such passes, `highest` for float32.
KINDS = ("bfloat16", "high", "highest")


@dataclasses.dataclass(frozen=True)
class Chip:
  """A chip's peak rates, as its vendor prints them.

  Attributes:
    platform: as JAX names it.
    products: FLOP/s by kind of product, two for a multiply-add.
    bandwidth: of its memory, bytes/s.
    memory: bytes.
    link: to other chips, bytes/s in one direction.
    clock: cycles/s, where the compiler estimates cycles.
    launch: seconds that an operation takes at least.
  """

  platform: str
  products: Mapping[str, float]
  bandwidth: float
  memory: float
  link: float
  clock: float = 0.0
  launch: float = 0.0


def _tpu(tera: float, giga: float, gib: int, link: float, clock: float) -> Chip:
  """Returns a TPU: bfloat16 TFLOP/s, GB/s, GiB, GB/s of links, GHz."""
  return Chip(
    platform="tpu",
    # A float32 is the sum of three bfloat16: six products of parts count.
    products={
      "bfloat16": tera * 1e12,
      "high": tera * 1e12 / 3,
      "highest": tera * 1e12 / 6,
    },
    bandwidth=giga * 1e9,
    memory=gib * 2**30,
    link=link * 1e9,
    clock=clock * 1e9,
  )


CHIPS = {
  "v5e": _tpu(197, 819, 16, 200, 1.5),
  "v5p": _tpu(459, 2765, 95, 600, 1.75),
  "v6e": _tpu(918, 1640, 32, 448, 1.75),
  "h100": Chip(
    platform="cuda",
    products={"bfloat16": 989e12, "high": 495e12, "highest": 67e12},
    bandwidth=3352e9,
    memory=80e9,
    link=450e9,
    launch=2.5e-6,
  ),
}

# What XLA asks a GPU for, of an H100 (SXM) with the cuDNN that JAX brings.
_H100 = """
gpu_device_info {
  cuda_compute_capability { major: 9 }
  core_count: 132 fpus_per_core: 128 clock_rate_ghz: 1.98
  threads_per_warp: 32 threads_per_block_limit: 1024
  threads_per_core_limit: 2048
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535
  block_dim_limit_z: 65535
  registers_per_core_limit: 65536 registers_per_block_limit: 65536
  shared_memory_per_block: 49152 shared_memory_per_block_optin: 232448
  shared_memory_per_core: 233472
  l2_cache_size: 52428800
  device_memory_size: 84942979072 memory_bandwidth: 3352320000000
}
platform_name: "CUDA"
dnn_version_info { major: 9 minor: 10 }
device_description_str: "NVIDIA H100 80GB HBM3"
"""


def chip_of(topology: str) -> Chip:
  """Returns the chip that a topology is made of.

  Args:
    topology: `h100:N`, or a TPU's `NAME:AxB` or `NAME:AxBxC`.

  Raises:
    ValueError: no such chip is known, or its number is missing.
  """
  name, _, grid = topology.partition(":")
  known = name in CHIPS and grid
  if not known or (CHIPS[name].platform == "cuda" and not grid.isdecimal()):
    raise ValueError(
      f"--topology={topology} must be NAME:GRID, such as h100:8 or v5e:2x2, "
      f"with a name among {', '.join(CHIPS)}"
    )
  return CHIPS[name]


def be_quiet() -> None:
  """Keeps this process from looking for devices or a cloud."""
  jax.config.update("jax_platforms", "cpu")
  os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
  os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
  os.environ.setdefault("TPU_ACCELERATOR_TYPE", "v5litepod-4")
  os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
  os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def devices_of(topology: str) -> Sequence[jax.Device]:
  """Returns the devices of a topology; they can be compiled for, not used.

  Args:
    topology: see `chip_of`.

  Raises:
    ImportError: the platform's compiler is not installed.
    ValueError: there is no such topology.
  """
  chip = chip_of(topology)
  try:
    if chip.platform == "tpu":
      require("ahead", "libtpu")
      found = topologies.get_topology_desc(
        platform="tpu", topology_name=topology
      )
    else:
      require("ahead", "jax_cuda13_plugin")
      count = int(topology.partition(":")[2])
      found = topologies.get_topology_desc(
        platform="cuda",
        topology_name="",
        topology=f"1x1x{count}",
        target_config=_H100,
      )
  except (jax.errors.JaxRuntimeError, ValueError) as error:
    raise ValueError(f"--topology={topology}: {error}") from error
  return found.devices
