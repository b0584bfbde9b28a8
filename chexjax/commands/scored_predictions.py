"""Other people's predictions, checked and scored for `evaluate`."""

import pathlib
from collections.abc import Mapping, Sequence

from chexjax import evaluation
from chexjax.data import own_files
from chexjax.data.own_set import LABELS
from chexjax.evaluation.outputs.folder import write_folder
from chexjax.evaluation.protocols.wrong_calls import score_cuts, worst_calls
from chexjax.evaluation.submissions.faults import Faults
from chexjax.evaluation.submissions.official_lists import read_official_lists
from chexjax.evaluation.submissions.prediction_folder import (
  Submission,
  read_submission,
)
from chexjax.evaluation.submissions.true_films import FRAME, TrueFilms
from chexjax.inference.own_truth import OwnTestFilms
from chexjax.report.submission_pictures import SubmissionPictures
from chexjax.runtime import provenance
from tfds_chestxray14.folder import find_images

# Side of the frame that maps are enlarged to, in pixels.
_MAP_FRAME = 512


def score_predictions(
  predictions: pathlib.Path,
  data_dir: pathlib.Path,
  out: pathlib.Path,
  *,
  images: pathlib.Path | None,
  frame: int | None,
  maps: str | None,
  threshold_means: str | None,
  draws: int,
  folds: int,
  repeats: int,
  seed: int,
) -> None:
  """Check a folder of predictions, then score it; see `evaluate`'s options.

  Raises:
    ValueError: predictions, lists or options are at fault; nothing is scored.
  """
  films = _true_films(data_dir, images)
  print(
    f"{len(films.keys):,} images of {films.list_name}, "
    f"{len(films.boxed())} of them with boxes"
  )
  faults = Faults()
  found = read_submission(predictions, films, faults)
  out.mkdir(parents=True, exist_ok=True)
  if faults:
    path = out / "faults.txt"
    path.write_text(faults.all_lines(), encoding="utf-8")
    raise ValueError(f"{faults.message(predictions)}\nall of them: {path}")
  asked = {"frame": frame, "maps": maps, "threshold_means": threshold_means}
  idle = [f"--{n}" for n, value in asked.items() if value is not None]
  if idle and not found.maps:
    raise ValueError(
      f"{' and '.join(idle)} say how maps are read, but {predictions} holds no "
      "maps; leave them out"
    )
  _say_what_is_left_out(found)
  with SubmissionPictures(_film_files(data_dir, films), out) as pictures:
    scored = evaluation.evaluate(
      scores=found.scores,
      truth=films.truth((frame or _MAP_FRAME) if found.maps else FRAME),
      maps_or_boxes=found.maps_or_boxes(),
      rules=_map_rules(found.map_names, maps or "paper", threshold_means),
      thresholds=found.thresholds,
      draws=draws,
      folds=folds,
      repeats=repeats,
      seed=seed,
      provenance=provenance.collect()
      | {"predictions": str(predictions), "dataset": films.provenance()},
      watch=pictures.case,
    )
    boxed = {*zip(scored.table.image.tolist(), scored.table.finding.tolist())}
    cuts = score_cuts(scored.results["protocol"]["predicted"]["thresholds"])
    for call in worst_calls(scored.images, cuts, without=boxed):
      pictures.wrong_call(call.image, call.finding)
  print(f"{pictures.count} films for the report, from {data_dir}")
  if found.boxes is not None:
    given = scored.table.boxes["box"]["given"]
    missing = int((given.sum((1, 2)) == 0).sum())
    print(
      f"{missing} of {len(given)} true boxes without a predicted one: IoU 0"
    )
  official = scored.results["dataset"] == "ChestX-ray14"
  write_folder(out, scored, published=official and images is None)


def _true_films(
  data_dir: pathlib.Path, images: pathlib.Path | None
) -> TrueFilms:
  """Return the films to score, of a set of one's own or the official lists."""
  # A table of nearly that name is told by its reader.
  if (data_dir / LABELS).is_file() or own_files.near_names(data_dir, (LABELS,)):
    return OwnTestFilms(data_dir, only=images)
  return read_official_lists(data_dir, images)


def _film_files(data_dir: pathlib.Path, films: TrueFilms) -> Mapping[str, str]:
  """Return the files of the films, if the folder holds any."""
  if isinstance(films, OwnTestFilms):
    return {key: str(films.paths[key]) for key in films.keys}
  try:
    return find_images(data_dir).paths
  except FileNotFoundError:
    return {}


def _say_what_is_left_out(found: Submission) -> None:
  if found.unused:
    print(f"not used: {found.unused:,} maps or boxes of images without boxes")
  if not found.maps and found.boxes is None:
    print("neither maps nor boxes: baselines only")
  lacking = [f for f in found.truth.findings if f not in found.scores]
  if not found.scores:
    print("no scores.csv: localisation alone")
  elif lacking:
    print(f"no scores of {', '.join(lacking)}")
  idle = [f for f in found.thresholds or {} if f in lacking]
  if idle:
    print(f"not used: thresholds of {', '.join(idle)}, which have no scores")


def _map_rules(
  names: Sequence[str], maps: str, meaning: str | None
) -> dict[str, evaluation.MapRule]:
  """Return what thresholds mean, and the scale, of each map."""
  given = {
    "paper": evaluation.DEFAULT_MAPS,
    "released": evaluation.RELEASED_MAPS,
  }[maps]
  other = evaluation.MapRule("percentile", "minmax")
  rules = {name: given.get(name, other) for name in names}
  if meaning is None:
    return rules
  return {name: rule._replace(meaning=meaning) for name, rule in rules.items()}
