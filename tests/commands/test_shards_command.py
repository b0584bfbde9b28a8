"""Shards of the real command, merged, are one plain run."""

import json

import numpy as np
import pytest
from PIL import Image
from tiny_workdir import make_workdir

from chexjax import io
from chexjax.commands import merge, predict


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
  return make_workdir(tmp_path_factory.mktemp("run"))[0]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
  folder = tmp_path_factory.mktemp("films")
  for number in range(9):
    grey = np.random.default_rng(number).integers(0, 256, (90, 120), "u1")
    Image.fromarray(grey).save(folder / f"{number}.png")
  (folder / "bad.png").write_bytes(b"no image")
  return folder


def run(workdir, out, films, *argv):
  return predict.main(
    [
      f"--weights={workdir}",
      f"--out={out}",
      "--batch_size=2",
      str(films),
      *argv,
    ]
  )


def images(folder):
  record = json.loads((folder / "predictions.json").read_text())
  for image in record["images"]:
    for of in image["findings"].values():
      # A film may have another place in its batch.
      of["cut"] = of["box_score"] = None
      of["probability"] = round(of["probability"], 5)
  return record


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_parts_merge_to_a_plain_run(kind, workdir, films, tmp_path, capsys):
  plain, parts, merged = (tmp_path / n for n in ("plain", "parts", "merged"))
  assert run(workdir, plain, films) == 1
  arguments = [f"--predictions={parts}", f"--out={merged}"]
  for number in (1, 2):
    # The bad film is in each part's list of failures, which is one status.
    status = run(
      workdir, parts, films, f"--shard={number}/2", f"--format={kind}"
    )
    assert status in (0, 1)
    if number == 1:
      assert merge.main(arguments) == 2
      assert "1 of 2 shards are not complete: 2/2" in capsys.readouterr().err
      assert not merged.exists()
  assert merge.main(arguments) == 0
  want, got = images(plain), images(merged)
  assert got["images"] == want["images"]
  assert [f["file"] for f in got["failed"]] == [
    f["file"] for f in want["failed"]
  ]
  assert got["conventions"] == want["conventions"]
  assert (merged / "predictions.csv").read_text() == (
    plain / "predictions.csv"
  ).read_text()
  # A part that is done is done; its films are not read again.
  before = {path: path.stat().st_mtime_ns for path in parts.glob("*.png")}
  capsys.readouterr()
  run(workdir, parts, films, "--shard=1/2", f"--format={kind}")
  assert ": done: 0, done before:" in capsys.readouterr().out
  assert before == {
    path: path.stat().st_mtime_ns for path in parts.glob("*.png")
  }
  assert merge.main([*arguments, f"--format={kind}"]) == 0
  assert (merged / f"predictions.{kind}").exists()


def test_options_that_do_not_go_together_are_refused(
  workdir, films, tmp_path, capsys
):
  out = tmp_path / "out"
  assert run(workdir, out, films, "--shard=1/2", "--format=json") == 2
  assert "--shard needs --format=jsonl or parquet" in capsys.readouterr().err
  assert run(workdir, out, films, "--shard=3/2") == 2
  assert not out.exists()
  assert run(workdir, out, films, "--shard=1/2", "--no_overlays") in (0, 1)
  assert not list(out.glob("*.png"))
  assert run(workdir, out, films, "--shard=1/3") == 2
  assert "with other shards" in capsys.readouterr().err
  with io.held(out, part="shard-00001-of-00002"):
    assert run(workdir, out, films, "--shard=1/2") == 2
  assert "in use by another process" in capsys.readouterr().err
  journal = out / "shard-00001-of-00002.jsonl"
  journal.write_bytes(b"x\n" + journal.read_bytes())
  assert run(workdir, out, films, "--shard=1/2") == 2
  assert f"{journal}, line 1" in capsys.readouterr().err
