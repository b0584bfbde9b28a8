"""Predictions for many films by Ray Data, one model an actor.

python -m experiments.engines.ray_predict --weights=runs/phantom \\
  --films=films --out=ray_predictions

Needs 'ray[data]' and 'chexjax[predict]'. On a cluster, --weights, --films and
--out are on a disk that all nodes see, and --gpus=1 gives each actor a GPU.
Writes Parquet, a film and finding a row.
"""

import argparse
import pathlib
from typing import Any

import numpy as np
import ray

import chexjax
from chexjax.data.images import read_original


class Actor:
  """Holds a model; predicts batches of paths."""

  def __init__(self, weights: str, batch_size: int):
    """Load the model, once an actor."""
    self._predictor = chexjax.load(weights)
    self._size = batch_size

  def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return a row for each film and finding, or one with the error."""
    films, files, rows = [], [], []
    for path in batch["file"]:
      try:
        films.append(read_original(path))
        files.append(path)
      except ValueError as error:
        rows.append((path, None, None, None, *(None,) * 4, str(error)))
    if films:
      # Calls of one size share a compiled program.
      padded = films + films[-1:] * (self._size - len(films))
      out = self._predictor.predict(padded, batch_size=self._size)
      for i, file in enumerate(files):
        for k, name in enumerate(out.findings):
          cut = out.score_cuts[k]
          said = None if np.isnan(cut) else bool(out.predicted[i, k])
          box = [None if np.isnan(x) else float(x) for x in out.boxes[i, k]]
          rows.append(
            (file, name, float(out.probabilities[i, k]), said, *box, None)
          )
    names = ("file", "finding", "probability", "predicted", "x1", "y1", "x2",
             "y2", "error")  # fmt: skip
    return dict(zip(names, map(list, zip(*rows))))


def main() -> None:
  """Run the job."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--weights", required=True)
  parser.add_argument("--films", required=True, help="folder")
  parser.add_argument("--out", required=True, help="folder of the results")
  parser.add_argument("--batch_size", type=int, default=4)
  parser.add_argument("--actors", type=int, default=1)
  parser.add_argument("--gpus", type=float, default=0, help="of each actor")
  options = parser.parse_args()
  paths = sorted(
    str(path.absolute())
    for path in pathlib.Path(options.films).rglob("*")
    if path.suffix.lower() in (".png", ".jpg", ".jpeg")
  )
  ray.data.from_items([{"file": path} for path in paths]).map_batches(
    Actor,
    fn_constructor_args=(
      str(pathlib.Path(options.weights).absolute()),
      options.batch_size,
    ),
    batch_size=options.batch_size,
    concurrency=options.actors,
    num_gpus=options.gpus,
  ).write_parquet(str(pathlib.Path(options.out).absolute()))


if __name__ == "__main__":
  main()
