"""Scores a model on a test split: results.json, tables, pictures."""

from typing import Any

from jax.sharding import Mesh

from chexjax import evaluation
from chexjax.data.sources import Dataset
from chexjax.models import ChexModel
from chexjax.report.cases import NAME, CaseWriter
from experiments import flags, output, prepare, provenance, scoring
from experiments.configs import Config
from experiments.examples import draw_examples
from experiments.recording import Recording


def _whole(dataset: Dataset) -> bool:
  """Returns whether all test images are there; says it if not."""
  counts = dataset.metadata["counts"]["test"]
  found, listed = counts["found"], counts["listed"]
  if found < listed:
    print(
      f"note: {found} of the {listed} test images are there; the published "
      "figures are left out, since they would not compare"
    )
  return found == listed


def score_model(
  model: ChexModel,
  variables: Any,
  mesh: Mesh,
  dataset: Dataset,
  *,
  config: Config,
) -> None:
  """Scores the test split; everything is written to `config.workdir`.

  Args:
    model: to be scored.
    variables: of the model; `classification` alone will do for stage 1.
    mesh: with an axis `data`.
    dataset: has a split `test`.
    config: of the run; `stage` is the one that the variables are of.
  """
  findings = list(dataset.metadata["findings"])
  with CaseWriter(config.workdir / NAME) as pictures:
    recording = Recording(pictures)
    classification, table, cases = scoring.score_test(
      model,
      variables,
      mesh,
      dataset,
      size=config.image_size,
      batch_size=prepare.fitting(config.eval_batch_size, mesh),
      maps=config.maps,
      names=findings,
      stage=config.stage,
      recording=recording,
    )
  images = recording.images(findings)
  phantom = config.data_dir is None
  real = dataset.metadata.get("name", "ChestX-ray14")
  name = "phantom" if phantom else real
  results = evaluation.assemble(
    classification,
    table,
    dataset=name,
    findings=dataset.metadata["boxed_findings"],
    provenance=provenance.collect()
    | {
      "config": flags.as_json(config),
      "trained_stages": config.stage,
      "dataset": dataset.metadata,
    },
    images=images,
    others=recording.others,
    seed=config.seed,
  )
  tables = output.write(
    config.workdir,
    results,
    images,
    table,
    published=name == "ChestX-ray14" and _whole(dataset),
  )
  print(tables)
  folder = config.workdir / "figures"
  folder.mkdir(exist_ok=True)
  count = draw_examples(
    folder, dataset, table, cases, per_finding=config.num_examples
  )
  print(f"{count} examples in {folder}, results in {config.workdir}")
