"""A whole phantom data set, written in the NIH's official layout."""

import json
import os
import pathlib
import shutil
from typing import Any

from chexjax import messages
from chexjax.data.phantom.content import MANIFEST, content_of, damage_of
from chexjax.data.phantom.draw import check_size
from chexjax.data.phantom.drawing import Boxes, default_workers, draw_all
from chexjax.data.phantom.sampling import finding_weights, plan_films
from chexjax.data.phantom.tables import write_tables
from chexjax.data.turns import turn
from chexjax.io import new_folder, read_json

# Increased whenever the same arguments would give other bytes.
VERSION = 4
_TRAIN_VAL_BOXES = "train_val_boxes.json"
MIN_IMAGES = 32


def write_phantom(
  out_dir: str | os.PathLike[str],
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

  The files are `images/*.png`, Data_Entry_2017.csv, BBox_List_2017.csv,
  train_val_list.txt, test_list.txt, train_val_boxes.json (see
  `train_val_boxes`) and phantom.json (these arguments). Their bytes depend on
  the arguments only, not on `workers`; image number i does not depend on
  `num_images`. The folder appears when it is complete.

  Args:
    out_dir: folder to create; it must be absent or empty.
    num_images: images in all, 32 or more; about 23 % are on the test list.
    size: pixels a side, a multiple of 32 between 64 and 1024.
    seed: of everything, 0 or more.
    prevalence: "balanced" (every finding in 4 to 9 % of the images) or
      "natural" (ChestX-ray14's frequencies, Hernia in 0.2 %).
    boxed_fraction: share of the test images whose boxed findings are listed
      in BBox_List_2017.csv. The NIH boxed 880 of 25,596 test images; the
      default is all of them, so that a small set has enough.
    label_noise: probability that a label of a train+val image is flipped, for
      each of the 14; test labels stay true. Below 0.5.
    workers: processes; by default from the number of cores and of images.

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
    boxes = draw_all(
      partial / "images",
      films,
      arguments,
      workers=workers or default_workers(num_images, size),
    )
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
    manifest = {
      "version": VERSION,
      "arguments": arguments,
      "content": content_of(partial),
    }
    (partial / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")
  return out_dir


def ensure_phantom(
  out_dir: str | os.PathLike[str], *, mend: bool = False, **arguments: Any
) -> pathlib.Path:
  """Write a phantom unless the folder already holds the same one.

  Of several processes one draws; the others wait and take what is there.

  Args:
    out_dir: folder; absent, empty, or written by an earlier call.
    mend: whether a phantom of which something is missing or changed is deleted
      and drawn anew, with a warning.
    **arguments: of `write_phantom`.

  Returns:
    `out_dir` as a path.

  Raises:
    TypeError: `write_phantom` has no such argument.
    ValueError: `out_dir` holds something else, or a phantom that is damaged,
      or with other arguments or of another version.
  """
  out_dir = pathlib.Path(out_dir)
  if _damage(out_dir) or not (out_dir / MANIFEST).is_file():
    with turn(out_dir.parent, out_dir, work=f"draws {out_dir}"):
      # Whoever waited finds it whole.
      if damage := _damage(out_dir):
        if not mend:
          raise ValueError(
            f"the phantom in {out_dir} is damaged ({damage}): delete it, and "
            "it is drawn anew"
          )
        messages.warn(
          f"note: the phantom in {out_dir} is damaged ({damage}); it is drawn "
          "anew"
        )
        shutil.rmtree(out_dir)
      if not (out_dir / MANIFEST).is_file():
        try:
          return write_phantom(out_dir, **arguments)
        except OSError:
          # Another process was first, on a file system without locks.
          if not (out_dir / MANIFEST).is_file():
            raise
  defaults = dict(write_phantom.__kwdefaults__ or {})
  unknown = sorted(set(arguments) - set(defaults))
  if unknown:
    raise TypeError(f"unknown arguments {unknown}; there are {list(defaults)}")
  wanted = defaults | arguments
  del wanted["workers"]
  wanted = {"version": VERSION, "arguments": _checked(**wanted)}
  found = _manifest(out_dir)
  if any(found.get(name) != wanted[name] for name in wanted):
    raise ValueError(
      f"{out_dir} holds another phantom: {_difference(found, wanted)}. Give "
      "another folder, or delete this one."
    )
  return out_dir


def _manifest(folder: pathlib.Path) -> dict[str, Any]:
  found = read_json(folder / MANIFEST)
  if not isinstance(found, dict):
    raise ValueError(f"{folder / MANIFEST} is no manifest of a phantom")
  return found


def _damage(folder: pathlib.Path) -> str:
  """Return what is damaged in a phantom that was written, or an empty text."""
  if not (folder / MANIFEST).is_file():
    return ""
  try:
    return damage_of(folder, _manifest(folder))
  except ValueError as error:
    return str(error)


def train_val_boxes(folder: str | os.PathLike[str]) -> Boxes:
  """Read the boxes of a phantom's films that are not on the test list.

  The NIH has boxes on the test list only. The phantom's other boxes are
  therefore in a separate file that no builder reads. They are for monitoring
  during training, never for training.

  Args:
    folder: written by `write_phantom`.

  Returns:
    File name -> boxed finding -> x1, y1, x2, y2 in pixels of the image.
  """
  return json.loads(
    (pathlib.Path(folder) / _TRAIN_VAL_BOXES).read_text(encoding="utf-8")
  )


def _checked(
  num_images: int,
  size: int,
  seed: int,
  prevalence: str,
  boxed_fraction: float,
  label_noise: float,
) -> dict[str, Any]:
  """Return the arguments that the bytes depend on, or raise a ValueError."""
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


def _difference(found: dict[str, Any], wanted: dict[str, Any]) -> str:
  """Return which arguments differ, with both values."""
  old = {"version": found.get("version"), **found.get("arguments", {})}
  new = {"version": wanted["version"], **wanted["arguments"]}
  return ", ".join(
    f"{key} is {old.get(key)!r} there and {new[key]!r} here"
    for key in new
    if old.get(key) != new[key]
  )
