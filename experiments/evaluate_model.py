"""Scores a model of ours: a finished run's, or weights from elsewhere."""

import dataclasses
import pathlib

import jax

from chexjax.training.state import make_mesh, replicated
from experiments import flags, initial, prepare
from experiments.configs import CONFIGS, Config, ModelConfig
from experiments.models import load_model
from experiments.score_model import score_model
from experiments.stages import Run


def score_run(workdir: pathlib.Path) -> None:
  """Scores the checkpoint of a finished run; results go to its workdir."""
  config = flags.stored(workdir)
  prepare.use_compilation_cache(config)
  run = Run(config, prepare.open_data(config), initial.FINISHED)
  run.score(run.finished_variables())


def score_weights(
  path: pathlib.Path, data_dir: pathlib.Path, out: pathlib.Path
) -> None:
  """Scores weights that `load_model` reads, on the test images of a folder."""
  prepare.use_compilation_cache(Config())
  model, variables, info = load_model(path)
  config = dataclasses.replace(
    CONFIGS[info.preset],
    stage=info.stage,
    workdir=out,
    data_dir=data_dir,
    image_size=info.image_size,
    model=ModelConfig(
      **{
        field.name: getattr(model, field.name)
        for field in dataclasses.fields(ModelConfig)
      }
    ),
  )
  dataset = prepare.open_data(config, need=("test",))
  if tuple(dataset.metadata["findings"]) != info.findings:
    raise ValueError(
      f"{path} is of findings {', '.join(info.findings)}; {data_dir} has "
      f"{', '.join(dataset.metadata['findings'])}"
    )
  out.mkdir(parents=True, exist_ok=True)
  mesh = make_mesh()
  variables = jax.device_put(variables, replicated(mesh))
  score_model(model, variables, mesh, dataset, config=config)
