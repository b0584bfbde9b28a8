"""Predictions for many films by Apache Beam, over an exported StableHLO file.

python -m experiments.engines.beam_predict --export=exported \\
  --films='films/*.png' --out=beam/predictions

Needs apache-beam, jax, flatbuffers and Pillow, no chexjax. Options that are not
listed go to Beam, such as --runner=DataflowRunner; a worker then needs this
folder's files (--setup_file) and paths that it can open. Writes JSON lines.
"""

import argparse
import json
import pathlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apache_beam as beam
import jax
import numpy as np
from apache_beam.io import fileio
from apache_beam.ml.inference.base import (
  KeyedModelHandler,
  ModelHandler,
  RunInference,
)
from apache_beam.options.pipeline_options import PipelineOptions

from experiments.engines.standalone import cut_box, read_square

Key = tuple[str, tuple[int, int]]  # a film's path, its height and width


class ExportedModel(ModelHandler[np.ndarray, dict, Any]):
  """Runs `program.bin` on batches of one size, the last one padded."""

  def __init__(self, folder: str, batch_size: int):
    """Remember where the exported files are."""
    super().__init__()
    self._folder, self._size = pathlib.Path(folder), batch_size

  def load_model(self) -> Any:
    """Read the program and its weights, once a worker."""
    text = (self._folder / "program.bin").read_bytes()
    run = jax.jit(jax.export.deserialize(bytearray(text)).call)
    with np.load(self._folder / "weights.npz") as file:
      weights = jax.device_put(dict(file))
    return lambda films: jax.device_get(run(weights, films))

  def run_inference(
    self, batch: Sequence[np.ndarray], model: Any, inference_args: Any = None
  ) -> Iterable[dict]:
    """Return the outputs of each film."""
    del inference_args
    films = np.stack(batch)
    padding = np.repeat(films[-1:], self._size - len(films), 0)
    out = model(np.concatenate([films, padding]))
    return [{k: v[i] for k, v in out.items()} for i in range(len(batch))]

  def batch_elements_kwargs(self) -> dict[str, int]:
    """Return how Beam gathers batches."""
    return {"min_batch_size": self._size, "max_batch_size": self._size}


def read(path: str, size: int) -> Iterator[tuple[Key, np.ndarray]]:
  """Yield a film; one that cannot be read is reported and left out."""
  try:
    image, shape = read_square(path, size)
  except OSError as error:
    print(f"error: {path}: {error}")
  else:
    yield (path, shape), image


def record(keyed: tuple[Key, dict], about: dict) -> str:
  """Return what is predicted of a film as a line of JSON."""
  (path, shape), out = keyed
  size = about["input"]["shape"][1]
  findings = {}
  for k, name in enumerate(about["findings"]):
    probability, cut = float(out["probabilities"][k]), about["score_cuts"][name]
    findings[name] = {
      "probability": probability,
      "predicted": None if cut is None else probability >= cut,
      "box": cut_box(
        out[about["box_map"]][k], about["thresholds"][name], size, shape
      ),
    }
  return json.dumps({"file": path, "findings": findings})


def main() -> None:
  """Run the pipeline."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--export", required=True)
  parser.add_argument("--films", required=True, help="pattern of files")
  parser.add_argument("--out", required=True, help="prefix of the results")
  parser.add_argument("--batch_size", type=int, default=4)
  options, rest = parser.parse_known_args()
  about = json.loads((pathlib.Path(options.export) / "export.json").read_text())
  if about["preprocessing"]["shape"] != "squeeze":
    parser.error("this example reads films for shape squeeze alone")
  handler = KeyedModelHandler(ExportedModel(options.export, options.batch_size))
  with beam.Pipeline(options=PipelineOptions(rest)) as pipeline:
    _ = (
      pipeline
      | fileio.MatchFiles(options.films)
      | beam.Map(lambda found: found.path)
      | beam.Reshuffle()
      | beam.FlatMap(read, about["input"]["shape"][1])
      | RunInference(handler)
      | beam.Map(record, about)
      | beam.io.WriteToText(options.out, file_name_suffix=".jsonl")
    )


if __name__ == "__main__":
  main()
