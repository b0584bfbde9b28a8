"""Score a model on a test split: results.json, tables, pictures."""

import pathlib
from typing import Any

from jax.sharding import Mesh

from chexjax import evaluation, messages
from chexjax.data.sources import Dataset
from chexjax.evaluation.outputs import files
from chexjax.inference import test_split
from chexjax.inference.split_recorder import SplitRecorder
from chexjax.models import ChexModel
from chexjax.report.cases import NAME, CaseWriter
from chexjax.report.examples import draw_examples
from chexjax.runtime import provenance


def _whole(dataset: Dataset) -> bool:
  """Return whether all test images are there; say it if not."""
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
  """Score the test split; everything is written to a folder.

  Args:
    model: to be scored.
    variables: of the model; `classification` alone will do for stage 1.
    mesh: with an axis `data`.
    dataset: has a split `test`.
    folder: exists.
    image_size: side of the images, in pixels.
    batch_size: images at a time, which the mesh's devices divide.
    stage: the last one that the variables were trained in, 1, 2 or 3.
    maps: "paper" or "released": whose maps and thresholds.
    drawn: whether the images are the phantom's.
    seed: of folds and of the draws of patients.
    num_examples: pictures drawn of each boxed finding.
    about: what the record of the results' origin holds beside the versions.

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
  tables = files.write(
    folder,
    evaluation.Evaluation(results, images, table),
    published=name == "ChestX-ray14" and _whole(dataset),
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
