"""Drawing the films of a plan to files, in one process or in several."""

import json
import os
import pathlib
import subprocess
import sys
import zlib
from typing import Any

from PIL import Image

from chexjax.data.phantom.draw import draw_film
from chexjax.data.phantom.sampling import Film
from chexjax.progress import Progress
from chexjax.types import BOXED_FINDINGS

Boxes = dict[str, dict[str, list[float]]]

# Seconds of work, roughly, that make one more process worth starting: a worker
# needs a second or two to start.
_SECONDS_A_WORKER = 6.0


def draw_all(
  folder: pathlib.Path,
  films: list[Film],
  arguments: dict[str, Any],
  *,
  workers: int,
) -> Boxes:
  """Draw all films into a folder.

  Args:
    folder: must exist.
    films: the plan.
    arguments: of `write_phantom`, from which a worker repeats the plan.
    workers: processes; 1 draws in this process.

  Returns:
    See `draw_share`.

  Raises:
    RuntimeError: a worker failed; its own output says why.
  """
  # Whoever draws them, a film that is done is a file.
  with Progress(
    "drawing phantom films",
    total=len(films),
    count=lambda: len(os.listdir(folder)),
  ):
    if workers == 1:
      return draw_share(
        folder, films, seed=arguments["seed"], size=arguments["size"]
      )
    return _draw_in_workers(folder, arguments, workers)


def _draw_in_workers(
  folder: pathlib.Path, arguments: dict[str, Any], workers: int
) -> Boxes:
  children = [
    _start_worker(folder, arguments, number, workers)
    for number in range(workers)
  ]
  boxes: Boxes = {}
  try:
    for child in children:
      answer, _ = child.communicate()
      if child.returncode:
        raise RuntimeError(
          f"a phantom worker ended with code {child.returncode}; its message "
          "is above. workers=1 draws in this process."
        )
      boxes |= json.loads(answer)
  finally:
    for child in children:
      if child.poll() is None:
        child.kill()
        child.communicate()
  return boxes


def draw_share(
  folder: pathlib.Path, films: list[Film], *, seed: int, size: int
) -> Boxes:
  """Draw films into a folder as 8-bit grey PNG files.

  Args:
    folder: must exist.
    films: to draw.
    seed: of the plan.
    size: pixels a side.

  Returns:
    File name -> finding -> x1, y1, x2, y2 in pixels, for the findings that
    ChestX-ray14 boxes.
  """
  boxes = {}
  for film in films:
    example = draw_film(film, seed=seed, size=size)
    path = folder / film.file_name
    # Noise does not repeat: a search for matches costs time and saves nothing.
    Image.fromarray(example.image).save(
      path, compress_level=1, compress_type=zlib.Z_RLE
    )
    boxes[film.file_name] = {
      name: example.boxes[name].tolist()
      for name in BOXED_FINDINGS
      if name in example.boxes
    }
  return boxes


def default_workers(num_images: int, size: int) -> int:
  """Return how many processes are worth starting.

  Args:
    num_images: to draw.
    size: pixels a side.
  """
  seconds = num_images * (0.005 + 0.03 * (size / 512) ** 2)
  if hasattr(os, "sched_getaffinity"):
    cores = len(os.sched_getaffinity(0))
  else:
    cores = os.cpu_count() or 1
  return max(1, min(cores, int(seconds / _SECONDS_A_WORKER)))


def _start_worker(
  folder: pathlib.Path, arguments: dict[str, Any], number: int, workers: int
) -> subprocess.Popen[str]:
  # A plain child process: a fork of a process that runs JAX may hang, and
  # multiprocessing's spawn imports the caller's script again.
  return subprocess.Popen(
    [
      *(sys.executable, "-m", "chexjax.data.phantom.worker"),
      *(str(folder), json.dumps(arguments), str(number), str(workers)),
    ],
    env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    stdout=subprocess.PIPE,
    text=True,
  )
