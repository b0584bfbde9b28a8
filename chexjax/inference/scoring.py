"""A model scored on a test split: results.json, tables, pictures."""

import pathlib
from typing import Any

from jax.sharding import Mesh

from chexjax import evaluation, messages
from chexjax.data.sources import Dataset
from chexjax.evaluation.outputs.folder import write_folder
from chexjax.inference import test_split
from chexjax.inference.split_recorder import SplitRecorder
from chexjax.models import ChexModel
from chexjax.report.cases import NAME, CaseWriter
from chexjax.report.examples import draw_examples
from chexjax.runtime import provenance


def _is_whole(dataset: Dataset) -> bool:
  """Return whether all test images are there; tell the user if not."""
  counts = dataset.metadata["counts"]["test"]
  found, listed = counts["found"], counts["listed"]
  if found < listed:
    messages.tell(
      f"note: {found} of the {listed} test images are there; the published "
      "figures are left out, since they would not compare"
    )
  return found == listed


def score_model(
  model: ChexModel,
  variables: Any,
  mesh: Mesh,
  dataset: Dataset,
  folder: pathlib.Path,
  *,
  image_size: int,
  batch_size: int,
  stage: int,
  maps: str = "paper",
  drawn: bool = False,
  seed: int = 0,
  num_examples: int = 2,
  about: dict[str, Any] | None = None,
) -> str:
  """Score the test split and write all results to a folder.

  Args:
    model: to be scored.
    variables: of the model; after stage 1 the `classification` group suffices.
    mesh: with an axis `data`.
    dataset: must have a split `test`.
    folder: must exist.
    image_size: side of the images, in pixels.
    batch_size: images at a time, a multiple of the mesh's devices.
    stage: last stage that the variables were trained in: 1, 2 or 3.
    maps: "paper" or "released": whose maps and thresholds.
    drawn: whether the images are the phantom's.
    seed: of the folds and of the bootstrap's draws of patients.
    num_examples: pictures drawn of each boxed finding.
    about: added to the provenance in `results.json`.

  Returns:
    The tables as Markdown.
  """
  findings = list(dataset.metadata["findings"])
  with CaseWriter(folder / NAME) as pictures:
    recorder = SplitRecorder(pictures)
    classification, table, cases = test_split.score_test(
      model,
      variables,
      mesh,
      dataset,
      size=image_size,
      batch_size=batch_size,
      maps=maps,
      names=findings,
      stage=stage,
      recorder=recorder,
    )
  images = recorder.images(findings)
  name = "phantom" if drawn else dataset.metadata.get("name", "ChestX-ray14")
  results = evaluation.assemble(
    classification,
    table,
    dataset=name,
    findings=dataset.metadata["boxed_findings"],
    provenance=provenance.collect()
    | (about or {})
    | {"trained_stages": stage, "dataset": dataset.metadata},
    images=images,
    others=recorder.others,
    seed=seed,
  )
  tables = write_folder(
    folder,
    evaluation.Evaluation(results, images, table),
    published=name == "ChestX-ray14" and _is_whole(dataset),
  )
  figures = folder / "figures"
  figures.mkdir(exist_ok=True)
  films = dataset.splits["test"]
  count = draw_examples(
    figures,
    table,
    cases,
    findings=dataset.metadata["boxed_findings"],
    film=lambda index: films[index]["image"],
    per_finding=num_examples,
  )
  messages.tell(tables)
  messages.tell(f"{count} examples in {figures}, results in {folder}")
  return tables
