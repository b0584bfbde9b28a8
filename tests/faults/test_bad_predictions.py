"""Every fault of somebody's predictions is told before anything is scored."""

import resource

import make_corpus
import numpy as np
import pytest

import tfds_chestxray14  # noqa: F401  registers the dataset
from chexjax.evaluation.submissions.faults import Faults
from chexjax.evaluation.submissions.official_lists import read_official_lists
from chexjax.evaluation.submissions.prediction_folder import read_submission
from tfds_chestxray14.findings import BOXED_FINDINGS, FINDINGS

GIB = 2**30


def peak():
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.fixture
def given(tmp_path):
  """Good predictions for good lists: folder, truth."""
  make_corpus.write_lists(tmp_path / "nih", 9, 3)
  truth = read_official_lists(tmp_path / "nih", None)
  folder = tmp_path / "p"
  folder.mkdir()
  lines = ["file," + ",".join(FINDINGS)]
  lines += [f"{key}.png" + ",0.5" * 14 for key in truth.keys]
  (folder / "scores.csv").write_text("\n".join(lines) + "\n")
  return folder, truth


def message(folder, truth):
  faults = Faults()
  read_submission(folder, truth, faults)
  return faults.message(folder) if faults else None


@pytest.mark.parametrize(
  ("separator", "encoding", "end"),
  [
    (";", "utf-8", "\n"),
    ("\t", "utf-8-sig", "\r\n"),
    ("\t", "utf-16", "\r\n"),
    (",", "utf-8", "\r"),
  ],
)
def test_scores_are_read_as_people_save_tables(given, separator, encoding, end):
  folder, truth = given
  path = folder / "scores.csv"
  want = read_submission(folder, truth, Faults()).scores
  text = path.read_text().replace(",", separator).replace("\n", end)
  path.write_bytes(text.encode(encoding))
  assert message(folder, truth) is None
  found = read_submission(folder, truth, Faults()).scores
  np.testing.assert_equal(found, want)
  path.write_bytes(text.replace("0.5", "0,5").encode(encoding))
  if separator != ",":
    assert "(write 0.5, not 0,5)" in message(folder, truth)


def test_every_fault_of_scores_is_told(given):
  folder, truth = given
  path = folder / "scores.csv"
  text = path.read_text()
  assert message(folder, truth) is None
  for what, data, words in make_corpus.scores(text):
    path.write_bytes(data)
    said = message(folder, truth)
    if words is None:
      assert said is None, what
    else:
      assert words in said, (what, said)


def test_every_fault_of_boxes_is_told(given):
  folder, truth = given
  row = (
    '{"file": "a.png", "finding": "Mass", "x": 10, "y": 9, "w": 9, "h": 9, '
    '"score": 0.5}'
  )
  real = row.replace("a.png", f"{truth.boxed()[0]}.png")
  (folder / "boxes.json").write_text(f"[{real}]")
  assert message(folder, truth) is None
  for what, text, words in make_corpus.boxes_json(row):
    (folder / "boxes.json").write_text(text)
    said = message(folder, truth)
    assert words in said, (what, said)
    assert "boxes.json" in said, what


def test_every_fault_of_maps_is_told(given):
  folder, truth = given
  path = folder / f"{truth.boxed()[0]}.npz"
  heat = np.random.default_rng(0).random((8, 8, 8)).astype(np.float32)
  np.savez(path, findings=np.array(BOXED_FINDINGS), sal=heat)
  good = path.read_bytes()
  assert message(folder, truth) is None
  before = peak()
  for what, data, words in make_corpus.maps(good):
    path.write_bytes(data)
    said = message(folder, truth)
    assert words in said, (what, said)
    assert path.name in said, what
  assert peak() - before < GIB
