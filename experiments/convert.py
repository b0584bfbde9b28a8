"""The released weights to our checkpoint, and back.

python -m experiments.convert --weights=fullmodel_densenet121.pth --out=DIR
python -m experiments.convert --weights=DIR --out=fullmodel.pth

The first writes a folder that `run --init=DIR`, `evaluate` and `predict`
take; the second a file that the authors' code loads strictly.
"""

import argparse
import dataclasses
import pathlib
import sys

from chexjax import weights
from chexjax.models import ChexModel, released_options
from chexjax.weights.torch_files import SUFFIXES
from experiments import models

# Fields that change training alone, not what the weights compute.
_FREE = ("noise_scale", "lse_r", "dtype", "remat", "parent", "name")


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  parser = argparse.ArgumentParser(
    "convert", description=__doc__, allow_abbrev=False,
    formatter_class=argparse.RawDescriptionHelpFormatter,
  )  # fmt: skip
  parser.add_argument("--weights", required=True, type=pathlib.Path)
  parser.add_argument("--out", required=True, type=pathlib.Path)
  args = parser.parse_args(argv)
  try:
    convert(args.weights, args.out)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}\nnothing was written", file=sys.stderr)
    return 2
  return 0


def convert(source: pathlib.Path, out: pathlib.Path) -> None:
  """Converts in the direction that the destination's suffix says.

  Raises:
    FileExistsError: the destination exists.
    ValueError: the weights do not fit, or are of a model that the authors'
      code does not have.
  """
  out = out.expanduser()
  back = out.suffix in SUFFIXES
  if out.exists() and (back or not out.is_dir() or any(out.iterdir())):
    raise FileExistsError(f"{out} exists already; give another --out")
  model, variables, info = models.load_model(source)
  if not back:
    out.parent.mkdir(parents=True, exist_ok=True)
    models.save_model(out, variables, info)
    print(f"wrote {out}: {info.image_size} px, preset {info.preset}")
    return
  _check_released(source, model)
  state = weights.save_released(variables, counters=info.counters)
  out.parent.mkdir(parents=True, exist_ok=True)
  weights.write_state_dict(out, state)
  print(f"wrote {out}: {len(state)} entries under the released names")


def _check_released(source, model):
  """Refuse what the authors' code would load and compute otherwise."""
  theirs = ChexModel(**released_options())
  differing = [
    f"{field.name} is {getattr(model, field.name)}, must be "
    f"{getattr(theirs, field.name)}"
    for field in dataclasses.fields(ChexModel)
    if field.name not in _FREE
    and getattr(model, field.name) != getattr(theirs, field.name)
  ]
  if differing:
    raise ValueError(
      f"{source} is not the released model, the authors' code would compute "
      "something else with it:\n  " + "\n  ".join(differing)
    )


if __name__ == "__main__":
  sys.exit(main())
