"""Every option of every command is read where its command is, or refused."""

import ast
import dataclasses
import inspect
import pathlib

import pytest
from PIL import Image

from chexjax import ops
from chexjax.commands import (
  cache,
  convert,
  evaluate,
  predict,
  report,
  serve,
)
from chexjax.models import ChexModel
from chexjax.training import config as run_options
from chexjax.training import rescore
from experiments import contact_sheet, flags, prepare_own
from experiments.benchmark import evaluate as evaluate_speed
from experiments.benchmark import input as input_speed
from experiments.benchmark import model, scaling, train
from experiments.benchmark import ops as ops_speed
from experiments.benchmark.ahead import command as ahead
from experiments.configs import CONFIGS
from tfds_chestxray14 import check, download

REPO = pathlib.Path(flags.__file__).parents[1]
COMMANDS = [
  cache, convert, evaluate, predict, report, serve, contact_sheet, prepare_own,
  input_speed, model, scaling, train, ops_speed, evaluate_speed, ahead,
]  # fmt: skip


def reads(*modules):
  """Return the names of all attributes that the modules' source reads."""
  names = set()
  for module in modules:
    for node in ast.walk(ast.parse(inspect.getsource(module))):
      if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        names.add(node.attr)
  return names


@pytest.mark.parametrize("module", COMMANDS, ids=lambda m: m.__name__)
def test_a_command_reads_each_of_its_options(module):
  known = reads(module)
  if module is evaluate:
    known |= {field.name for field in dataclasses.fields(rescore.Scoring)}
  for field in dataclasses.fields(module.Options):
    assert field.name in known, field.name


@pytest.mark.parametrize("module", [check, download])
def test_a_command_of_the_dataset_reads_each_of_its_options(module):
  known = reads(module)
  for action in module._parser()._actions:
    assert action.dest == "help" or action.dest in known, action.dest


def leaves(kind, prefix=""):
  """Yield the dotted name and the annotation of every option of a run."""
  for field in dataclasses.fields(kind):
    value = getattr(run_options, str(field.type), field.type)
    if dataclasses.is_dataclass(value):
      yield from leaves(value, f"{prefix}{field.name}.")
    else:
      yield f"{prefix}{field.name}", field


def all_reads():
  """Return what is read anywhere but where options are declared or compared."""
  names = set()
  for folder in ("chexjax", "experiments"):
    for path in (REPO / folder).rglob("*.py"):
      if path.name in ("config.py", "flags.py", "unread.py"):
        continue
      for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
          names.add(node.attr)
  return names


def test_every_option_of_a_run_reaches_what_uses_it():
  known = all_reads()
  fields = {field.name for field in dataclasses.fields(ChexModel)}
  warp = set(inspect.signature(ops.augment_matrix).parameters)
  warp |= set(inspect.signature(ops.augment).parameters)
  names = [name for name, _ in leaves(run_options.Config)]
  assert len(names) > 60
  for name in names:
    group, _, own = name.rpartition(".")
    if group == "model":
      assert own in fields, name
    elif group == "augment":
      assert own in warp, name
    elif name != "config":  # It chooses the defaults of all others.
      assert own in known, name


def other(default):
  """Return another value than a default, as a command line writes it."""
  if isinstance(default, bool):
    return str(not default)
  if isinstance(default, int):
    return str(default + 1)
  if isinstance(default, float):
    return str(default * 0.5 + 0.125)
  if isinstance(default, tuple):
    return [str(part + 1) for part in default]
  return None


# Values of options whose type does not say another one, and what they need.
WORDS = {
  "stage": ["2"], "image_size": ["256"], "workdir": ["elsewhere"],
  "cache_dir": ["elsewhere"], "init": ["none"], "init_dir": ["somewhere"],
  "precision": ["bfloat16"], "max_steps": ["7"], "coordinator": ["a:1"],
  "num_processes": ["1", "--coordinator=a:1"],
  "process_id": ["0", "--coordinator=a:1"], "on_nan": ["skip"],
  "max_nan": ["3", "--on_nan=skip"], "class_total": ["labels"],
  "maps": ["released"], "detection_loss": ["crop"],
  "model.pooling": ["lse_lba"], "model.crop": ["gaussian"],
  "shape": ["letterbox"], "system": ["cam"],
  "box_folds": ["4", "--system=li2018_like_boxes"],
  "box_fold": ["2", "--system=li2018_like_boxes"],
  "class_balance": ["root"], "read.shift": ["8"],
  "tau_start": ["0.5", "--detection_loss=crop"],
  "tau_end": ["0.5", "--detection_loss=crop"],
  "stage1.decay": ["constant"], "stage2.decay": ["constant"],
  "stage3.decay": ["constant"],
}  # fmt: skip
# Options that the phantom cannot have; a set of one's own has them.
OWN = {"data_dir", "uncertain", "more_data"}


def at(config, name):
  for part in name.split("."):
    config = getattr(config, part)
  return config


@pytest.mark.parametrize(
  "name",
  [n for n, _ in leaves(run_options.Config) if n not in {"config", *OWN}],
)
def test_an_option_of_a_run_is_parsed_into_its_place(name):
  default = CONFIGS["phantom"]
  words = WORDS.get(name) or other(at(default, name))
  words = [words] if isinstance(words, str) else words
  given = [f"--{name}", *words]
  if name == "evidence.regions":
    given = [f"--{name}", "3"]
  config = flags.parse(given)
  assert at(config, name) != at(default, name)


REFUSED = [
  (["--data_dir={own}", "--phantom_images=9"], "--phantom_images needs the"),
  (["--data_dir={own}", "--phantom_seed=9"], "--phantom_seed needs the"),
  (["--more_data", "{own}"], "--more_data needs --data_dir"),
  (["--uncertain=positive"], "--uncertain needs a set with a labels.csv"),
  (["--max_nan=3"], "--max_nan needs --on_nan=skip"),
  (["--tau_start=0.5"], "--tau_start needs --detection_loss=crop"),
  (["--tau_end=0.5"], "--tau_end needs --detection_loss=crop"),
  (
    ["--detection_loss=crop", "--evidence.area=1"],
    "--evidence.area needs --detection_loss=evidence",
  ),
  (
    ["--model.pooling=lse_lba", "--model.lse_r=2"],
    "--model.lse_r needs --model.pooling=lse",
  ),
  (
    ["--max_steps=5", "--stage2.epochs=9"],
    "--stage2.epochs needs no --max_steps",
  ),
  (["--box_folds=4"], "--box_folds needs a system that is trained on boxes"),
  (
    ["--system=li2018_like", "--box_fold=2"],
    "--box_fold is not read by --system=li2018_like",
  ),
  (
    ["--system=li2018_like_boxes", "--box_folds=3", "--box_fold=4"],
    "--box_fold must be in 1..3, got 4",
  ),
  (["--num_processes=2"], "--num_processes needs --coordinator"),
]


@pytest.mark.parametrize(("given", "said"), REFUSED)
def test_an_option_that_nothing_reads_is_refused(
  given, said, own_folder, tmp_path, capsys
):
  own = own_folder(tmp_path / "own").write()
  with pytest.raises(SystemExit) as caught:
    flags.parse([word.format(own=own) for word in given])
  assert caught.value.code == 2
  assert said in capsys.readouterr().err


def test_a_set_of_ones_own_takes_its_options(own_folder, tmp_path):
  own = own_folder(tmp_path / "own").write()
  more = own_folder(tmp_path / "more").write()
  config = flags.parse(
    [f"--data_dir={own}", "--uncertain=positive", "--more_data", str(more)]
  )
  assert config.uncertain == "positive"
  assert config.data_dir == own
  assert config.more_data == (more,)


def test_folders_are_kept_as_seen_from_anywhere(
  own_folder, tmp_path, monkeypatch
):
  own_folder(tmp_path / "own").write()
  monkeypatch.chdir(tmp_path)
  config = flags.parse(["--data_dir=own", "--cache_dir=c"])
  assert config.data_dir == tmp_path / "own"
  assert config.cache_dir == tmp_path / "c"
  assert flags.parse([]).cache_dir == CONFIGS["phantom"].cache_dir


def test_every_option_of_a_sheet_changes_it(own_folder, tmp_path):
  own = own_folder(tmp_path / "own").write()
  given = {
    "image_size": "64", "rows": "3", "columns": "2", "seed": "1",
    "augment.zoom": "0.9", "augment.translate": "0.4", "augment.rotate": "90",
    "augment.flip": "False",
  }  # fmt: skip
  plain = {
    "data_dir": own, "image_size": "32", "rows": "2", "columns": "3",
    "augment.flip": "True",
  }  # fmt: skip

  def drawn(**changed):
    out = tmp_path / "sheet.png"
    options = {**plain, **changed, "out": out}
    argv = [f"--{name}={value}" for name, value in options.items()]
    assert contact_sheet.main(argv) == 0
    with Image.open(out) as image:
      return image.size, image.tobytes()

  before = drawn()
  assert drawn() == before
  for name, value in given.items():
    assert drawn(**{name: value}) != before, name


def test_days_without_prune_are_refused(tmp_path, capsys):
  argv = [f"--cache_dir={tmp_path}"]
  assert cache.main(argv) == 0
  assert cache.main([*argv, "--prune", "--days=3"]) == 0
  assert cache.main([*argv, "--days=3"]) == 2
  assert "needs --prune" in capsys.readouterr().err


def test_the_walk_knows_every_benchmark():
  from experiments.benchmark.__main__ import COMMANDS as names

  walked = {part for of in COMMANDS for part in of.__name__.split(".")}
  assert set(names) <= walked
