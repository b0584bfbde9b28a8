"""Files of a finished run that are cut, emptied or gone: named, never raised.

`cut_files.py` tries every file of a real run with every command; here is what
is quick: a workdir that nobody trained, and the files that a report reads.
"""

import json
import random
import shutil

import cut_files
import numpy as np
import pytest
from tiny_workdir import make_workdir

from chexjax.commands import cache, convert
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.io import read_object
from chexjax.report import build
from chexjax.report.cases import Cases, CaseWriter
from chexjax.report.drawn_figures import _rows
from chexjax.training import workdir as workdirs
from chexjax.training.checkpoints import Checkpoints
from chexjax.weights.loading import load_model
from chexjax.weights.variables import DamagedCheckpoint


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
  folder, _ = make_workdir(tmp_path_factory.mktemp("whole") / "run")
  return folder


def sums(folder):
  import jax

  _, variables, _ = load_model(folder)
  return [float(np.sum(x)) for x in jax.tree.leaves(variables)]


def test_a_damaged_workdir_is_converted_as_it_was_or_refused(whole, tmp_path):
  rng = random.Random(20)
  files = sorted(p.relative_to(whole) for p in whole.rglob("*") if p.is_file())
  want = sums(whole)
  ends = {0: 0, 2: 0}
  # What `convert` reads, and what it does not.
  used = [name for name in files if "stage3/1/state" in name.as_posix()]
  rest = [name for name in files if name not in used]
  names = [*rng.sample(used, 6), *rng.sample(rest, 6)]
  for number, name in enumerate(names):
    live, out = tmp_path / f"{number}", tmp_path / f"{number} out"
    shutil.copytree(whole, live)
    kinds = cut_files.damages((live / name).read_bytes(), rng)
    what = rng.choice(kinds)
    cut_files.damage(live / name, what)
    status, said = cut_files.call(
      convert.main, [f"--weights={live}", f"--out={out}"]
    )
    assert status in ends, (name, what, said)
    assert "Traceback" not in said, (name, what)
    ends[status] += 1
    if status:
      assert "error: " in said, (name, what)
      assert not out.exists(), (name, what)
    else:
      assert sums(out) == want, (name, what)
  # Both ends are met, so that neither is a matter of course.
  assert all(ends.values())


@pytest.mark.parametrize("what", ["cut", "emptied", "missing"])
@pytest.mark.parametrize(
  "name", ["metrics/metrics", "state/_METADATA", "state/manifest.ocdbt"]
)
def test_a_run_does_not_go_on_from_a_damaged_checkpoint(
  whole, tmp_path, name, what
):
  shutil.copytree(whole, tmp_path / "run")
  folder = tmp_path / "run" / "checkpoints" / "stage1"
  path = folder / "1" / name
  if what == "missing":
    path.unlink()
  else:
    path.write_bytes(path.read_bytes()[: 5 if what == "cut" else 0])
  with pytest.raises(DamagedCheckpoint, match="stage1/1 is damaged"):
    Checkpoints(folder).restore(1, {"step": np.zeros(())})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"config": 3}'])
def test_options_and_data_of_a_run_that_are_damaged_are_named(tmp_path, text):
  (tmp_path / "config.json").write_text(text)
  with pytest.raises(ValueError, match=r"config\.json"):
    workdirs.stored(tmp_path)
  with pytest.raises(ValueError, match=r"config\.json"):
    load_model(tmp_path)
  if text != '{"config": 3}':
    with pytest.raises(ValueError, match=r"config\.json"):
      read_object(tmp_path / "config.json", "config")


def test_what_a_report_reads_is_named_when_it_is_damaged(tmp_path, capsys):
  with CaseWriter(tmp_path / "cases.zip") as writer:
    writer.image("a", np.zeros((8, 8), np.uint8))
  np.savez(tmp_path / "evaluation.npz", about=np.array("{}"), x=np.zeros(99))
  rng = random.Random(7)
  for name, read in (
    ("cases.zip", Cases),
    ("evaluation.npz", evaluation_npz.load),
  ):
    data = (tmp_path / name).read_bytes()
    for cut in (0, 1, *(rng.randrange(len(data)) for _ in range(8))):
      (tmp_path / name).write_bytes(data[:cut])
      with pytest.raises(ValueError, match=f"{name} is damaged"):
        read(tmp_path / name)
  (tmp_path / "metrics.jsonl").write_text(
    '{"stage": 1, "step": 1}\n{"stage": 1, "step": 2}\n{"st'
  )
  assert [row["step"] for row in _rows(tmp_path / "metrics.jsonl")] == [1, 2]
  assert "1 lines of" in capsys.readouterr().err


def test_a_damaged_cache_is_still_listed(tmp_path, capsys):
  for name in ("phantom/a/phantom.json", "records/b/source.json", "compiled/c"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(b"")
  assert cache.main([f"--cache_dir={tmp_path}"]) == 0
  assert "phantom, 1" in capsys.readouterr().out


@pytest.mark.parametrize(
  "text",
  ['{"protocol": 1, "counts": {}, "provenance": {}}',
   '{"protocol": {"crossfit": {}}, "counts": {}, "provenance": {}}'],
)  # fmt: skip
def test_results_of_another_program_are_named(tmp_path, text):
  (tmp_path / "results.json").write_text(text)
  np.savez(tmp_path / "evaluation.npz")
  with pytest.raises(ValueError, match=r"(results\.json|npz) is damaged"):
    build.write([tmp_path], tmp_path / "report.html")


def test_options_that_make_no_model_are_named(whole, tmp_path):
  shutil.copytree(whole, tmp_path / "run")
  file = tmp_path / "run" / "config.json"
  tree = json.loads(file.read_text())
  tree["config"]["model"]["growth"] = "many"
  file.write_text(json.dumps(tree))
  with pytest.raises(ValueError, match="its options make no model"):
    load_model(tmp_path / "run")
