"""A model scored again: a finished run's, or weights from elsewhere."""

import dataclasses
import difflib
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
from jax.sharding import Mesh

from chexjax.data.sources import Dataset
from chexjax.evaluation.protocols.bootstrap import DRAWS
from chexjax.inference.learned_films import learned_films, tell_learned
from chexjax.inference.members import Member
from chexjax.inference.picked_films import PickedFilms
from chexjax.inference.scoring import picked, score_model
from chexjax.runtime.cache_home import cache_home
from chexjax.runtime.sharding import fitting, make_mesh, replicated
from chexjax.systems import trains_on_boxes
from chexjax.training import initial_weights, setup, workdir
from chexjax.training.config import Config, as_json
from chexjax.training.datasets import data_folder, open_data
from chexjax.training.stages import Run
from chexjax.types import MapOptions
from chexjax.weights.loading import load_model
from chexjax.weights.model_info import ModelInfo, check_member

NOT_LABELLED = "the set does not label it"


@dataclasses.dataclass(frozen=True)
class Scoring:
  """How a model is scored; None is the model's own.

  Attributes:
    data_dir: folder whose test images are scored.
    out: folder of the results.
    images: list of the test images to score, one name a line.
    maps: "paper" or "released": whose maps and thresholds.
    threshold_means: "percentile" or "absolute", for every map.
    grad_cam: whether Grad-CAM and Grad-CAM++ of our own model are scored too.
    draws: draws of patients for the intervals; 0 for none.
    folds: folds of patients of the cross-fitted thresholds.
    repeats: how many times patients are dealt into folds.
    seed: of folds and draws.
    members: further workdirs or folders of weights, of models whose answers
      are averaged with the model's.
    flip: as `MapOptions`, as the six that follow.
    shift: of the views.
    smooth: of the placed maps.
    least_size: of the placed maps' boxes.
    prior: of the placed maps.
    centre: of the placed maps.
    centre_by_auc: of the placed maps.
  """

  data_dir: pathlib.Path | None = None
  out: pathlib.Path | None = None
  images: pathlib.Path | None = None
  maps: str | None = None
  threshold_means: str | None = None
  grad_cam: bool = False
  draws: int = DRAWS
  folds: int = 5
  repeats: int = 2
  seed: int | None = None
  members: tuple[pathlib.Path, ...] = ()
  flip: bool | None = None
  shift: int | None = None
  smooth: float | None = None
  least_size: float | None = None
  prior: float | None = None
  centre: float | None = None
  centre_by_auc: bool | None = None

  def map_options(self, own: MapOptions) -> MapOptions:
    """Return the options of views and placed maps.

    Args:
      own: the model's, for those that are None here.

    Raises:
      ValueError: an option is out of its range.
    """
    asked = {
      field.name: getattr(self, field.name)
      for field in dataclasses.fields(own)
      if getattr(self, field.name) is not None
    }
    options = dataclasses.replace(own, **asked)
    if options.faults():
      raise ValueError("; ".join(f"--{text}" for text in options.faults()))
    return options

  def options(self, *, maps: str, seed: int) -> dict[str, Any]:
    """Return the options of `score_model` that this decides.

    Args:
      maps: the model's own.
      seed: the model's own.

    Returns:
      Keywords of `score_model`.
    """
    return {
      "only": self.images,
      "maps": self.maps or maps,
      "threshold_means": self.threshold_means,
      "grad_cam": self.grad_cam,
      "draws": self.draws,
      "folds": self.folds,
      "repeats": self.repeats,
      "seed": seed if self.seed is None else self.seed,
    }


def score_run(folder: pathlib.Path, asked: Scoring) -> None:
  """Score the best checkpoint of a finished run.

  Args:
    folder: the workdir; the results go there, unless `asked.out` is given.
    asked: how to score; with `data_dir`, the run's model is scored on that
      folder's test images, see `score_weights`.

  Raises:
    FileNotFoundError: the folder is no workdir.
    ValueError: the run is not finished, or has other findings than the folder.
  """
  if asked.data_dir is not None:
    score_weights(folder, asked)
    return
  config = _stored(folder)
  setup.use_compile_cache(config)
  run = Run(config, open_data(config, tell=False), initial_weights.FINISHED)
  variables = jax.device_get(run.finished_variables())
  mesh = make_mesh()
  members = []
  if asked.members:
    members = _members(asked, load_model(folder)[2], mesh)
  score_model(
    run.model,
    jax.device_put(variables, replicated(mesh)),
    mesh,
    run.dataset,
    _made(asked.out or folder),
    image_size=config.image_size,
    batch_size=fitting(config.eval_batch_size, mesh),
    stage=config.stage,
    num_examples=config.num_examples,
    about={"config": as_json(config), "workdir": str(folder)},
    members=members,
    options=asked.map_options(config.read),
    **asked.options(maps=config.maps, seed=config.seed),
  )


def score_weights(path: pathlib.Path, asked: Scoring) -> None:
  """Score weights on the test images of a folder.

  The folder may know fewer findings than the model: those are compared by
  name, and the others have no figures.

  Args:
    path: any path that `load_model` reads.
    asked: how to score, with `data_dir` and `out`.

  Raises:
    FileNotFoundError: weights or images are missing.
    ValueError: the folder has a finding that the model does not know, or test
      films that it was trained on, or `data_dir` or `out` is not given.
  """
  if asked.data_dir is None or asked.out is None:
    raise ValueError("weights are scored with a data_dir and an out")
  # A run says how films become squares, and what an uncertain label is.
  is_run = (path / "config.json").is_file()
  own = _stored(path) if is_run else Config()
  setup.use_compile_cache(own)
  model, variables, info = load_model(path)
  config = dataclasses.replace(
    own, data_dir=asked.data_dir, image_size=info.image_size
  )
  if is_run and trains_on_boxes(own.system):
    _check_unseen(own, asked.data_dir)
  dataset = open_data(config, need=("test",))
  theirs = dataset.metadata["findings"]
  dataset = with_findings(dataset, info.findings, str(path))
  films = picked(dataset, asked.images).splits["test"]
  learned = [learned_films(of, films) for of in (path, *asked.members)]
  for weights, names in zip((path, *asked.members), learned, strict=True):
    tell_learned(names, len(films), weights)
  mesh = make_mesh()
  score_model(
    model,
    jax.device_put(variables, replicated(mesh)),
    mesh,
    dataset,
    _made(asked.out),
    image_size=info.image_size,
    batch_size=fitting(own.eval_batch_size, mesh),
    stage=info.stage,
    missing={f: NOT_LABELLED for f in info.findings if f not in theirs},
    about={
      "weights": str(path),
      "model": dataclasses.asdict(info),
      "learned_films": len({name for names in learned for name in names}),
    },
    members=_members(asked, info, mesh),
    options=asked.map_options(own.read),
    **asked.options(maps=info.preset, seed=own.seed),
  )


def _stored(folder: pathlib.Path) -> Config:
  """Return a workdir's options; a cache of another machine is left."""
  config = workdir.stored(folder)
  cache = cache_home(config.cache_dir, strict=False)
  return dataclasses.replace(config, cache_dir=cache)


def _check_unseen(own: Config, folder: pathlib.Path) -> None:
  """Raise if a run was trained on boxed test films of a folder."""
  folders = (data_folder(own), *own.more_data)
  if folder.resolve() in [path.resolve() for path in folders]:
    raise ValueError(
      f"{own.system} was trained on test films of {folder}; without --data_dir "
      "the fold that it was not trained on is scored"
    )


def _members(asked: Scoring, first: ModelInfo, mesh: Mesh) -> list[Member]:
  """Load the further models of an ensemble.

  Args:
    asked: names them.
    first: of the model that they must agree with.
    mesh: with an axis `data`.

  Raises:
    ValueError: they do not; says in what.
  """
  if asked.members and trains_on_boxes(first.system):
    raise ValueError(
      f"--members: each {first.system} was trained on boxed test films that "
      "the others are scored on"
    )
  loaded = []
  for path in asked.members:
    model, variables, info = load_model(path)
    check_member(info, first)
    variables = jax.device_put(variables, replicated(mesh))
    loaded.append(Member(model, variables, info.image_size))
  return loaded


def with_findings(
  dataset: Dataset, names: Sequence[str], whose: str
) -> Dataset:
  """Return a dataset whose labels and boxes are in a model's findings.

  Args:
    dataset: its findings are among `names`.
    names: the model's findings.
    whose: what an error calls the model.

  Returns:
    The dataset; labels of a finding that it does not know are NaN.

  Raises:
    ValueError: the model lacks a finding of the dataset.
  """
  findings = list(dataset.metadata["findings"])
  if findings == list(names):
    return dataset
  strangers = [name for name in findings if name not in names]
  if strangers:
    said = []
    for name in strangers:
      close = difflib.get_close_matches(name, names, 1)
      said.append(name + (f" (does it mean {close[0]}?)" if close else ""))
    raise ValueError(
      f"{dataset.metadata.get('name', 'the folder')} has findings that {whose} "
      f"does not know: {', '.join(said)}; the model knows {', '.join(names)}. "
      "Spell them as the model does, or leave them out of labels.csv"
    )
  splits: dict[str, Any] = {
    split: PickedFilms(source, findings=findings, names=names)
    for split, source in dataset.splits.items()
  }
  return Dataset(splits, dataset.metadata | {"findings": list(names)})


def _made(out: pathlib.Path) -> pathlib.Path:
  out.mkdir(parents=True, exist_ok=True)
  return out
