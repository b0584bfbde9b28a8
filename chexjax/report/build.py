"""The HTML report, built from the folders of one or two evaluations."""

import contextlib
import pathlib
from collections.abc import Iterator

from chexjax import evaluation, messages
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.outputs.notes import notes
from chexjax.evaluation.outputs.table_cells import main_map
from chexjax.evaluation.outputs.tables import all_tables
from chexjax.evaluation.protocols import comparison, decisions
from chexjax.io import read_json, read_object, write_text
from chexjax.report import page
from chexjax.report.cases import NAME, Cases
from chexjax.report.drawn_figures import draw_figures
from chexjax.report.verdict import comparison_verdict


def write(workdirs: list[pathlib.Path], out: pathlib.Path) -> None:
  """Read the folders of one or two evaluations and write the page.

  Args:
    workdirs: the folders.
    out: HTML file to write.

  Raises:
    FileNotFoundError: a folder lacks what an evaluation leaves; says what.
    ValueError: there are more than two.
  """
  if len(workdirs) not in (1, 2):
    raise ValueError(f"one or two --workdir, got {len(workdirs)}")
  runs = []
  for workdir in workdirs:
    with _of_our_kind(workdir):
      runs.append(open_run(workdir, label_of(workdirs, workdir)))
  compared, words = None, list[str]()
  if len(runs) == 2:
    options = runs[0].results["protocol"]
    tree = comparison.compare(
      runs[0].record,
      runs[1].record,
      runs[0].measures,
      runs[1].measures,
      seed=options["crossfit"]["seed"],
    )
    compared = page.comparison_rows(tree)
    words = comparison_verdict(
      tree, main_map(runs[0].results), [run.label for run in runs]
    )
  tables, told = [], []
  for run, workdir in zip(runs, workdirs):
    with _of_our_kind(workdir):
      official = run.results["dataset"] == "ChestX-ray14"
      tables.append(all_tables(run.results, published=official))
      told.append([*notes(run.results), *leak_notes(workdir)])
  html = page.render(
    title=" and ".join(f"{run.label}" for run in runs) + ": chexjax report",
    runs=runs,
    tables=tables,
    notes=told,
    figures=[
      draw_figures(run, workdir) for run, workdir in zip(runs, workdirs)
    ],
    comparison=compared,
    compared=words,
  )
  write_text(out, html)


@contextlib.contextmanager
def _of_our_kind(workdir: pathlib.Path) -> Iterator[None]:
  """Turn what a stranger's tree of results raises into a sentence."""
  try:
    yield
  except (LookupError, TypeError, AttributeError) as error:
    raise ValueError(
      f"{workdir / 'results.json'} is damaged or of another program "
      f"({type(error).__name__}: {error}); evaluate again"
    ) from error


def leak_notes(workdir: pathlib.Path) -> list[str]:
  """Return what the leak check of a run found, none where there was none.

  Args:
    workdir: that may hold a `leaks.json`.
  """
  path = workdir / "leaks.json"
  return read_json(path)["lines"] if path.is_file() else []


def label_of(workdirs: list[pathlib.Path], workdir: pathlib.Path) -> str:
  """Return a folder's name, or its path if two folders have the same name.

  Args:
    workdirs: all folders.
    workdir: one of them.
  """
  names = [path.resolve().name for path in workdirs]
  name = workdir.resolve().name
  return name if names.count(name) == 1 else str(workdir)


def open_run(workdir: pathlib.Path, label: str) -> page.Run:
  """Read the folder of an evaluation.

  Args:
    workdir: written by `experiments.run` or `chexjax evaluate`.
    label: what the page calls it.

  Returns:
    The run; without pictures if there is no `cases.zip`.

  Raises:
    FileNotFoundError: a file is missing; says how to make it.
  """
  missing = [
    name
    for name in ("results.json", evaluation_npz.NAME)
    if not (workdir / name).exists()
  ]
  if missing:
    raise FileNotFoundError(
      f"{workdir} lacks {' and '.join(missing)}: run experiments.run, or "
      "chexjax evaluate, with this folder first"
    )
  results = read_object(
    workdir / "results.json", "protocol", "counts", "provenance"
  )
  stored = evaluation_npz.load(workdir / evaluation_npz.NAME)
  fit = results["protocol"]["crossfit"]
  crossfit = {key: fit[key] for key in ("folds", "repeats", "seed")}
  said = results["protocol"]["predicted"] or {}
  came = said.get("score_thresholds", "").startswith("thresholds that came")
  # Results that are older do not list the findings: then it is all or none.
  names = said.get("given", said["thresholds"] if came else ())
  given = {f: said["thresholds"][f][0] for f in names}
  rule = decisions.decide(stored.images, thresholds=given, **crossfit)
  measures = evaluation.measure_table(
    stored.table,
    list(results["counts"]["boxes"]),
    component=stored.component,
    predicted=rule.of_rows(stored.images, stored.table),
    unscored=stored.images.unscored(),
    **crossfit,
  )
  path = workdir / NAME
  cases = None
  if not path.exists():
    messages.tell(f"{path} is not there: cases without pictures")
  else:
    try:
      cases = Cases(path)
    except (ValueError, OSError) as error:
      messages.warn(f"note: {error}: cases without pictures")
  return page.Run(label, results, stored, measures, cases)
