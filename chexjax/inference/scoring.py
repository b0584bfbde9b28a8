"""A model scored on a test split: results.json, tables, pictures.

Two more files let another model be compared on the same films: `scores.csv`,
the test split's probabilities as `chexjax evaluate --predictions` reads them,
and `splits.csv`, which film and patient is in which split.
"""

import csv
import dataclasses
import io
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

from jax.sharding import Mesh

from chexjax import evaluation, messages
from chexjax.data.sources import Dataset
from chexjax.evaluation.outputs.folder import write_folder
from chexjax.evaluation.protocols.bootstrap import DRAWS
from chexjax.evaluation.submissions.scores_csv import scores_csv
from chexjax.inference import test_split
from chexjax.inference.film_names import FilmNames, file_names
from chexjax.inference.members import Member
from chexjax.inference.picked_films import PickedFilms
from chexjax.inference.split_recorder import SplitRecorder
from chexjax.io import write_text
from chexjax.progress import Progress
from chexjax.report.cases import NAME, CaseWriter
from chexjax.report.examples import draw_examples
from chexjax.report.results_folder import own_results
from chexjax.runtime import provenance
from chexjax.systems import Model
from chexjax.types import AS_DRAWN, MapOptions


def splits_csv(dataset: Dataset) -> str:
  """Return which film is in which split; no image is decoded.

  Args:
    dataset: all splits of it.

  Returns:
    The text of `splits.csv`: columns `file`, `patient` and `split`.
  """
  text = io.StringIO()
  writer = csv.writer(text, lineterminator="\n")
  writer.writerow(["file", "patient", "split"])
  for split, source in dataset.splits.items():
    for i in range(len(source)):
      about = source.annotation(i)
      # A set of one's own has names of its own, which `patient_id` numbers.
      patient = about.get("patient", about["patient_id"])
      writer.writerow([about["file_name"].decode(), patient, split])
  return text.getvalue()


def picked(dataset: Dataset, only: pathlib.Path | None) -> Dataset:
  """Return a dataset with those test images that a list names.

  Args:
    dataset: with a split `test`.
    only: the list, one name a line; None for all.

  Raises:
    ValueError: a name is none of a test image.
  """
  if only is None:
    return dataset
  test = dataset.splits["test"]
  files = set(FilmNames(file_names(test)).listed(only))
  splits = {**dataset.splits, "test": PickedFilms(test, files=files)}
  about = {"scored_images": len(files), "scored_list": only.name}
  return Dataset(splits, dataset.metadata | about)


def _is_whole(dataset: Dataset) -> bool:
  """Return whether all test images are there; tell the user if not."""
  if "scored_list" in dataset.metadata:  # Some of them were asked for.
    return False
  counts = dataset.metadata["counts"]["test"]
  found, listed = counts["found"], counts["listed"]
  if found < listed:
    messages.tell(
      f"note: {found} of the {listed} test images are there; the published "
      "figures are left out, since they would not compare"
    )
  return found == listed


def score_model(
  model: Model,
  variables: Any,
  mesh: Mesh,
  dataset: Dataset,
  folder: pathlib.Path,
  *,
  image_size: int,
  batch_size: int,
  stage: int,
  maps: str = "paper",
  threshold_means: str | None = None,
  grad_cam: bool = False,
  only: pathlib.Path | None = None,
  missing: Mapping[str, str] | None = None,
  draws: int = DRAWS,
  folds: int = 5,
  repeats: int = 2,
  seed: int = 0,
  num_examples: int = 2,
  about: dict[str, Any] | None = None,
  members: Sequence[Member] = (),
  options: MapOptions = AS_DRAWN,
) -> str:
  """Score the test split and write all results to a folder.

  Args:
    model: to be scored.
    variables: of the model; after stage 1 the `classification` group suffices.
    mesh: with an axis `data`.
    dataset: must have a split `test`.
    folder: is held for this evaluation alone.
    image_size: side of the images, in pixels.
    batch_size: images at a time, a multiple of the mesh's devices.
    stage: last stage that the variables were trained in: 1, 2 or 3.
    maps: "paper" or "released": whose maps and thresholds.
    threshold_means: "percentile" or "absolute", for every map; None for the
      meanings that belong to `maps`.
    grad_cam: whether Grad-CAM and Grad-CAM++ of our own model are scored too.
    only: list of the test images to score, one name a line; None for all.
    missing: finding -> the reason why the split has no labels of it.
    draws: draws of patients for the intervals; 0 for none.
    folds: folds of patients of the cross-fitted thresholds.
    repeats: how many times patients are dealt into folds.
    seed: of the folds and of the bootstrap's draws of patients.
    num_examples: pictures drawn of each boxed finding.
    about: added to the provenance in `results.json`.
    members: further models whose answers are averaged with the model's; see
      `score_test`.
    options: views that are averaged, and placed maps; see `score_test`.

  Returns:
    The tables as Markdown.

  Raises:
    BlockingIOError: another evaluation writes its results to the folder.
    ValueError: `only` names what is no test image, or `grad_cam` is asked of
      another system.
  """
  findings = list(dataset.metadata["findings"])
  missing, whole = missing or {}, dataset
  dataset = picked(dataset, only)
  with own_results(folder):
    with CaseWriter(folder / NAME) as pictures:
      recorder = SplitRecorder(
        pictures, folds=folds, repeats=repeats, seed=seed
      )
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
        threshold_means=threshold_means,
        grad_cam=grad_cam,
        recorder=recorder,
        members=members,
        options=options,
      )
    classification.undefined.update(missing)
    images = recorder.images(findings)
    name = dataset.metadata.get("name", "ChestX-ray14")
    if seen := dataset.metadata.get("boxes_in_training"):
      name += f" ({seen})"
    with Progress("figures and their intervals"):
      results = evaluation.assemble(
        classification,
        table,
        dataset=name,
        findings=dataset.metadata["boxed_findings"],
        provenance=provenance.collect()
        | (about or {})
        | {"trained_stages": stage, "dataset": dataset.metadata}
        | {"read": dataclasses.asdict(options), "members": 1 + len(members)},
        images=images,
        others=recorder.others,
        draws=draws,
        folds=folds,
        repeats=repeats,
        seed=seed,
      )
    tables = write_folder(
      folder,
      evaluation.Evaluation(results, images, table),
      published=name == "ChestX-ray14" and _is_whole(dataset),
    )
    labelled = [name for name in findings if name not in missing]
    write_text(folder / "scores.csv", scores_csv(images, labelled))
    write_text(folder / "splits.csv", splits_csv(whole))
    figures = folder / "figures"
    films = dataset.splits["test"]
    # Last, so that a picture that fails costs no result.
    count = draw_examples(
      figures,
      table,
      cases,
      findings=dataset.metadata["boxed_findings"],
      film=lambda index: films[index]["image"],
      per_finding=num_examples,
    )
    drawn = f"{count} example figures in {figures}, " if count else ""
    messages.tell(f"{drawn}results in {folder}")
    return tables
