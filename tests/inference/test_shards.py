"""Parts of many films: who does which, what a kill leaves, how they join."""

import json
import pathlib

import pytest

from chexjax.inference.image_files import Job
from chexjax.inference.journal import Journal, read_journal
from chexjax.inference.prediction_tables import read_parquet, write_parquet
from chexjax.inference.shards import (
  Shard,
  ShardFiles,
  check_run,
  open_shard,
  parse_shard,
  read_records,
  read_shards,
)


def film(name, box=(1.5, 2.0, 3.0, 4.25)):
  finding = {
    "probability": 0.25, "score_cut": None, "predicted": None,
    "box": box and list(box), "box_score": 0.5, "threshold": 0.9, "cut": 0.125,
    "map": "mix",
  }  # fmt: skip
  return {
    "file": name, "width": 30, "height": 20, "notes": ["colour"],
    "overlay": None, "raw": None,
    "findings": {"Mass": finding, "Edema": finding | {"predicted": True}},
  }  # fmt: skip


def jobs_of(count):
  return [Job(pathlib.Path(f"films/{i}.png"), str(i)) for i in range(count)]


def test_every_film_is_in_one_part_and_stays_there():
  jobs = jobs_of(300)
  parts = [Shard(i, 7).own(jobs) for i in range(1, 8)]
  assert sorted(job for part in parts for job in part) == sorted(jobs)
  # A hash spreads them about evenly.
  assert min(map(len, parts)) > 20
  more = Shard(3, 7).own(jobs_of(400))
  assert set(parts[2]) <= set(more)


@pytest.mark.parametrize("text", ["0/4", "5/4", "4", "1/0", "a/b", "-1/4"])
def test_a_part_that_is_none_is_refused(text):
  with pytest.raises(ValueError, match=r"from 1/n to n/n, got"):
    parse_shard(text)


def test_a_line_that_is_cut_at_any_byte_is_written_again(tmp_path):
  path = tmp_path / "a.jsonl"
  journal = Journal(path)
  journal.append([film("a"), film("b")])
  journal.close()
  whole = path.read_bytes()
  second = whole.index(b"\n") + 1
  for end in (second, second + 1, len(whole) - 20, len(whole) - 1):
    path.write_bytes(whole[:end])
    assert [r["file"] for r in read_journal(path)] == ["a"]
    again = Journal(path)
    assert again.files == {"a"}
    again.append([film("b")])
    again.close()
    assert path.read_bytes() == whole


def test_a_line_that_is_damaged_inside_is_named(tmp_path):
  path = tmp_path / "a.jsonl"
  path.write_text(f"{json.dumps(film('a'))}\n{{}}\n{json.dumps(film('b'))}\n")
  with pytest.raises(ValueError, match=r"a\.jsonl, line 2"):
    Journal(path)


def test_a_part_goes_on_with_what_is_missing(tmp_path):
  part, jobs = Shard(1, 1), jobs_of(4)
  with open_shard(tmp_path, part, "jsonl") as files:
    files.journal.append([film("films/2.png")])
    with (
      pytest.raises(BlockingIOError, match="in use by another process"),
      open_shard(tmp_path, part, "jsonl"),
    ):
      pass
  with open_shard(tmp_path, part, "jsonl") as files:
    assert [job.stem for job in files.missing(jobs)] == ["0", "1", "3"]


def test_a_table_is_made_at_the_end_and_goes_on_too(tmp_path):
  pytest.importorskip("pyarrow")
  part, jobs = Shard(1, 1), jobs_of(2)
  strange = film("films/\udcff.png", box=None)
  with open_shard(tmp_path, part, "parquet") as files:
    files.journal.append([film("films/0.png")])
    files.finish([])
  assert not list(tmp_path.glob("*.jsonl"))
  jobs.append(Job(pathlib.Path(strange["file"]), "x"))
  with open_shard(tmp_path, part, "parquet") as files:
    assert [job.stem for job in files.missing(jobs)] == ["1", "x"]
    # As if a kill had come between the table and the removal of the lines.
    files.journal.append([film("films/0.png"), film("films/1.png"), strange])
    files.finish([])
  (table,) = tmp_path.glob("*.parquet")
  names = [r["file"] for r in read_records(table)]
  assert names == ["films/0.png", "films/1.png", "films/\\udcff.png"]
  assert not ShardFiles(tmp_path, part, "parquet").missing(jobs)


def test_a_table_holds_all_of_a_record(tmp_path):
  pytest.importorskip("pyarrow")
  films = [
    film(str(i), box=None if i % 2 else (0, 0, i, 1)) for i in range(600)
  ]
  write_parquet(tmp_path / "a.parquet", iter(films))
  assert list(read_parquet(tmp_path / "a.parquet")) == films
  (tmp_path / "b.parquet").write_bytes(b"PAR1 no table")
  with pytest.raises(ValueError, match=r"b\.parquet is no table"):
    list(read_parquet(tmp_path / "b.parquet"))


def test_parts_of_other_runs_do_not_mix(tmp_path):
  about = {"weights_sha256": "1", "shards": 2, "format": "jsonl"}
  check_run(tmp_path / "out", about)
  check_run(tmp_path / "out", about)
  with pytest.raises(ValueError, match="with other weights_sha256, shards"):
    check_run(tmp_path / "out", about | {"weights_sha256": "2", "shards": 3})


def test_parts_are_read_when_all_are_complete(tmp_path):
  with pytest.raises(ValueError, match=r"has no run\.json"):
    read_shards(tmp_path)
  check_run(tmp_path, {"shards": 2, "format": "jsonl"})
  fault = {"file": "no film", "reason": "no such file or folder"}
  for number in (2, 1):
    with pytest.raises(ValueError, match="shards are not complete: 1/2"):
      read_shards(tmp_path)
    with open_shard(tmp_path, Shard(number, 2), "jsonl") as files:
      files.journal.append([film(str(number))])
      files.finish([fault])
  parts, failed = read_shards(tmp_path)
  assert [r["file"] for path in parts for r in read_records(path)] == ["1", "2"]
  assert failed == [fault]
  # What is opened again is not complete until it says so.
  with open_shard(tmp_path, Shard(2, 2), "jsonl"):
    pass
  with pytest.raises(ValueError, match="complete: 2/2"):
    read_shards(tmp_path)
