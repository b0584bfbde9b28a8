"""A whole phantom data set, written as the NIH's official layout."""

import json
import os
import pathlib
import subprocess
import sys
import zlib

from PIL import Image

from chexjax.data.phantom.draw import check_size, draw_film
from chexjax.data.phantom.sampling import Film, finding_weights, plan_films
from chexjax.data.phantom.tables import write_tables
from chexjax.io import new_folder
from chexjax.types import BOXED_FINDINGS

# Raised whenever the same arguments would give other bytes.
VERSION = 4
MANIFEST = "phantom.json"
_TRAIN_VAL_BOXES = "train_val_boxes.json"
MIN_IMAGES = 32

# A worker needs a second or two to start; below this much work a core (in
# seconds, roughly) one process is quicker.
_SECONDS_A_WORKER = 6.0


def write_phantom(
  out_dir: str | os.PathLike,
  *,
  num_images: int = 4000,
  size: int = 128,
  seed: int = 0,
  prevalence: str = "balanced",
  boxed_fraction: float = 1.0,
  label_noise: float = 0.0,
  workers: int | None = None,
) -> pathlib.Path:
  """Draw a data set and write it in ChestX-ray14's official layout.

  Writes images/*.png, Data_Entry_2017.csv, BBox_List_2017.csv,
  train_val_list.txt, test_list.txt, train_val_boxes.json (see
  `train_val_boxes`) and phantom.json (these arguments). The bytes depend on
  the arguments alone, not on `workers`; image number i does not depend on
  `num_images`. The folder appears at once, when complete.

  Args:
    out_dir: folder to make; it must be absent or empty.
    num_images: images in all, 32 or more; about 23 % are on the test list.
    size: pixels a side, a multiple of 32 between 64 and 1024.
    seed: of everything, 0 or more.
    prevalence: "balanced" (every finding in 4 to 9 % of the images) or
      "natural" (ChestX-ray14's frequencies, Hernia in 0.2 %).
    boxed_fraction: share of the test images whose boxed findings are listed
      in BBox_List_2017.csv. The NIH boxed 880 of 25,596 test images; here
      all of them by default, for a small set is to have enough.
    label_noise: chance that a label of a train+val image is flipped, for
      each of the 14; test labels stay true. Below 0.5.
    workers: processes; by default as many as the cores and the work allow.

  Returns:
    `out_dir` as a path.

  Raises:
    ValueError: an argument is out of range, or `out_dir` holds something.
  """
  arguments = _checked(
    num_images, size, seed, prevalence, boxed_fraction, label_noise
  )
  if workers is not None and workers < 1:
    raise ValueError(f"workers must be 1 or more, or None, got {workers}")
  out_dir = pathlib.Path(out_dir)
  _check_free(out_dir)
  films = plan_films(num_images, seed=seed, prevalence=prevalence)
  out_dir.parent.mkdir(parents=True, exist_ok=True)
  with new_folder(out_dir) as partial:
    (partial / "images").mkdir(parents=True)
    count = workers or _default_workers(num_images, size)
    boxes = _draw_all(partial / "images", films, arguments, count)
    write_tables(
      partial,
      films,
      boxes,
      size=size,
      seed=seed,
      boxed_fraction=boxed_fraction,
      label_noise=label_noise,
    )
    hidden = {f.file_name: boxes[f.file_name] for f in films if not f.test}
    (partial / _TRAIN_VAL_BOXES).write_text(json.dumps(hidden) + "\n")
    manifest = {"version": VERSION, "arguments": arguments}
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
  return out_dir


def ensure_phantom(out_dir: str | os.PathLike, **arguments) -> pathlib.Path:
  """Return `out_dir` if it is this phantom already, else write it.

  Args:
    out_dir: folder, absent, empty, or written by an earlier call.
    **arguments: as for `write_phantom`.

  Raises:
    ValueError: `out_dir` holds something else, or a phantom of other
      arguments or of another version of the drawing.
  """
  out_dir = pathlib.Path(out_dir)
  if not (out_dir / MANIFEST).is_file():
    return write_phantom(out_dir, **arguments)
  defaults = dict(write_phantom.__kwdefaults__ or {})
  unknown = sorted(set(arguments) - set(defaults))
  if unknown:
    raise TypeError(f"unknown arguments {unknown}; there are {list(defaults)}")
  wanted = defaults | arguments
  del wanted["workers"]
  wanted = {"version": VERSION, "arguments": _checked(**wanted)}
  found = json.loads((out_dir / MANIFEST).read_text())
  if found != wanted:
    raise ValueError(
      f"{out_dir} holds another phantom: {_difference(found, wanted)}. Give "
      "another folder, or delete this one."
    )
  return out_dir


def train_val_boxes(
  folder: str | os.PathLike,
) -> dict[str, dict[str, list[float]]]:
  """Read the boxes of a phantom's films that are not on the test list.

  No box of the NIH's is outside of the test list, so these are in a file of
  their own, which no builder reads: to watch a training by, not to train on.

  Args:
    folder: written by `write_phantom`.

  Returns:
    File name to boxed finding to x1, y1, x2, y2 in pixels of the image.
  """
  return json.loads((pathlib.Path(folder) / _TRAIN_VAL_BOXES).read_text())


def draw_share(
  folder: pathlib.Path, films: list[Film], *, seed: int, size: int
) -> dict[str, dict[str, list[float]]]:
  """Draw films into `folder` as 8-bit grey PNG files.

  Returns:
    File name to finding to x1, y1, x2, y2 in pixels, for the boxed findings.
  """
  boxes = {}
  for film in films:
    example = draw_film(film, seed=seed, size=size)
    path = folder / film.file_name
    # Noise has no repeats: looking for them costs time and saves nothing.
    Image.fromarray(example.image).save(
      path, compress_level=1, compress_type=zlib.Z_RLE
    )
    boxes[film.file_name] = {
      name: example.boxes[name].tolist()
      for name in BOXED_FINDINGS
      if name in example.boxes
    }
  return boxes


def _draw_all(folder, films, arguments, workers) -> dict:
  """Draw all films, in this process or in several."""
  if workers == 1:
    return draw_share(
      folder, films, seed=arguments["seed"], size=arguments["size"]
    )
  # Plain child processes: a fork of a process that runs JAX may hang, and
  # multiprocessing's spawn imports the caller's script once more.
  environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
  command = [sys.executable, "-m", "chexjax.data.phantom.worker"]
  children = [
    subprocess.Popen(
      [*command, str(folder), json.dumps(arguments), str(k), str(workers)],
      env=environment,
      stdout=subprocess.PIPE,
      text=True,
    )
    for k in range(workers)
  ]
  boxes: dict[str, dict] = {}
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


def _default_workers(num_images: int, size: int) -> int:
  """Return how many processes are worth starting."""
  seconds = num_images * (0.005 + 0.03 * (size / 512) ** 2)
  if hasattr(os, "sched_getaffinity"):
    cores = len(os.sched_getaffinity(0))
  else:
    cores = os.cpu_count() or 1
  return max(1, min(cores, int(seconds / _SECONDS_A_WORKER)))


def _checked(
  num_images, size, seed, prevalence, boxed_fraction, label_noise
) -> dict:
  """Return the arguments that make the bytes, or raise a ValueError."""
  check_size(size)
  if num_images < MIN_IMAGES:
    raise ValueError(
      f"num_images must be {MIN_IMAGES} or more, for both lists to have "
      f"several patients; got {num_images}"
    )
  if seed < 0:
    raise ValueError(f"seed must be 0 or more, got {seed}")
  finding_weights(prevalence, test=False)
  if not 0 <= boxed_fraction <= 1:
    raise ValueError(f"boxed_fraction must be in 0..1, got {boxed_fraction}")
  if not 0 <= label_noise < 0.5:
    raise ValueError(
      f"label_noise must be at least 0 and below 0.5, got {label_noise}"
    )
  return {
    "num_images": int(num_images),
    "size": int(size),
    "seed": int(seed),
    "prevalence": prevalence,
    "boxed_fraction": float(boxed_fraction),
    "label_noise": float(label_noise),
  }


def _check_free(out_dir: pathlib.Path) -> None:
  """Raise a ValueError unless `out_dir` is absent or an empty folder."""
  if not out_dir.exists():
    return
  if not out_dir.is_dir():
    raise ValueError(f"out_dir must be a folder, {out_dir} is a file")
  content = sorted(p.name for p in out_dir.iterdir())
  if MANIFEST in content:
    raise ValueError(
      f"{out_dir} holds a phantom already; ensure_phantom reuses it"
    )
  if content:
    raise ValueError(
      f"out_dir must be absent or empty, {out_dir} holds "
      f"{len(content)} entries: {', '.join(content[:5])}"
    )


def _difference(found: dict, wanted: dict) -> str:
  """Say which arguments differ, old and new."""
  old = {"version": found.get("version"), **found.get("arguments", {})}
  new = {"version": wanted["version"], **wanted["arguments"]}
  return ", ".join(
    f"{key} is {old.get(key)!r} there and {new[key]!r} here"
    for key in new
    if old.get(key) != new[key]
  )
