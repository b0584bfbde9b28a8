"""A model scored again: a finished run's, or weights from elsewhere."""

import dataclasses
import pathlib

import jax

from chexjax.inference.scoring import score_model
from chexjax.runtime.sharding import fitting, make_mesh, replicated
from chexjax.training import initial_weights, setup, workdir
from chexjax.training.config import Config
from chexjax.training.datasets import open_data
from chexjax.training.stages import Run
from chexjax.weights.loading import load_model


def score_run(folder: pathlib.Path) -> None:
  """Score the best checkpoint of a finished run; results go to its workdir.

  Args:
    folder: the workdir.

  Raises:
    FileNotFoundError: the folder is no workdir.
    ValueError: the run is not finished.
  """
  config = workdir.stored(folder)
  setup.use_compile_cache(config)
  run = Run(config, open_data(config), initial_weights.FINISHED)
  run.score(run.finished_variables())


def score_weights(
  path: pathlib.Path, data_dir: pathlib.Path, out: pathlib.Path
) -> None:
  """Score weights on the test images of a folder.

  Args:
    path: any path that `load_model` reads.
    data_dir: the folder of images.
    out: folder of the results; created if absent.

  Raises:
    FileNotFoundError: weights or images are missing.
    ValueError: the weights have other findings than the folder.
  """
  defaults = Config()
  setup.use_compile_cache(defaults)
  model, variables, info = load_model(path)
  config = dataclasses.replace(
    defaults, data_dir=data_dir, image_size=info.image_size
  )
  dataset = open_data(config, need=("test",))
  if tuple(dataset.metadata["findings"]) != info.findings:
    raise ValueError(
      f"{path} is of findings {', '.join(info.findings)}; {data_dir} has "
      f"{', '.join(dataset.metadata['findings'])}"
    )
  out.mkdir(parents=True, exist_ok=True)
  mesh = make_mesh()
  score_model(
    model,
    jax.device_put(variables, replicated(mesh)),
    mesh,
    dataset,
    out,
    image_size=info.image_size,
    batch_size=fitting(defaults.eval_batch_size, mesh),
    stage=info.stage,
    maps=info.preset,
    about={"weights": str(path), "model": dataclasses.asdict(info)},
  )
