"""Films and results on disk: none is lost, none too many is taken."""

import json
import threading

import pytest

from chexjax.serving.film_queue import FilmQueue, QueueFullError


def write(path):
  path.write_bytes(b"result")


RESULTS = {"sr.dcm": write, "sc.dcm": write}


def test_a_film_goes_from_waiting_to_results_to_nowhere(tmp_path):
  queue = FilmQueue(tmp_path, most=3)
  name = queue.add(b"one")
  assert queue.add(b"one") == name
  queue.add(b"two")
  assert (queue.waiting, queue.unsent) == (2, 0)
  first, second = queue.take(4, timeout=0)
  assert first.read_bytes() == b"one"
  assert queue.take(4, timeout=0) == []
  queue.finish(first, RESULTS)
  assert [path.name for path in queue.results()] == ["sc.dcm", "sr.dcm"]
  queue.give_back(second)
  assert queue.take(4, timeout=0) == [second]
  queue.fail(second, "why")
  assert (queue.waiting, queue.unsent, queue.failures()) == (0, 1, 1)
  for result in queue.results():
    queue.sent(result)
  assert queue.unsent == 0
  left = sorted(p.name for p in tmp_path.rglob("*") if p.is_file())
  assert left == [second.name, f"{second.stem}.json"]
  aside = json.loads((tmp_path / "failed" / left[1]).read_text())
  assert aside["reason"] == "why"


def test_a_film_too_many_is_refused_until_there_is_room(tmp_path):
  queue = FilmQueue(tmp_path, most=2)
  queue.add(b"one")
  queue.add(b"two")
  with pytest.raises(QueueFullError):
    queue.add(b"three")
  # What waits for the peer counts too; else a peer that is away fills the disk.
  (film,) = queue.take(1, timeout=0)
  queue.finish(film, RESULTS)
  with pytest.raises(QueueFullError):
    queue.add(b"three")
  for result in queue.results():
    queue.sent(result)
  queue.add(b"three")


def test_many_senders_at_once_do_not_take_more_than_there_are(tmp_path):
  queue = FilmQueue(tmp_path, most=5)
  refused = []

  def send(number):
    try:
      queue.add(b"film %d" % number)
    except QueueFullError:
      refused.append(number)

  threads = [threading.Thread(target=send, args=(i,)) for i in range(20)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert (queue.waiting, len(refused)) == (5, 15)
  assert len(list(tmp_path.glob("waiting/*.dcm"))) == 5


def test_another_process_goes_on_where_the_first_one_ended(tmp_path):
  queue = FilmQueue(tmp_path, most=9)
  for number in range(4):
    queue.add(b"film %d" % number)
  films = queue.take(2, timeout=0)
  queue.finish(films[0], RESULTS)
  # Killed after the results were there and before the film was gone.
  films[0].write_bytes(b"film 0")
  (tmp_path / "waiting" / ".x.1.0.tmp").write_bytes(b"half")
  (tmp_path / "results" / ".y.1.0.tmp").mkdir()
  again = FilmQueue(tmp_path, most=9)
  assert (again.waiting, again.unsent) == (3, 1)
  assert not list(tmp_path.rglob(".*.tmp"))
  # What was being predicted is predicted alone, after the others.
  others = again.take(4, timeout=0)
  assert len(others) == 2
  assert films[1] not in others
  assert again.take(4, timeout=0) == films[1:]


def test_a_film_that_ends_the_process_is_put_aside(tmp_path):
  FilmQueue(tmp_path, most=9).add(b"bad")
  for _ in range(10):
    queue = FilmQueue(tmp_path, most=9)
    assert queue.failures() == 0
    (film,) = queue.take(1, timeout=0)
  queue = FilmQueue(tmp_path, most=9)
  assert (queue.waiting, queue.failures()) == (0, 1)
  assert queue.take(1, timeout=0) == []
  assert (
    "the process ended 10 times"
    in (tmp_path / "failed" / f"{film.stem}.json").read_text()
  )


def test_results_that_cannot_be_written_leave_the_film(tmp_path):
  def full(path):
    raise OSError(28, "No space left on device")

  queue = FilmQueue(tmp_path, most=9)
  queue.add(b"one")
  (film,) = queue.take(1, timeout=0)
  with pytest.raises(OSError, match="No space"):
    queue.finish(film, {"sr.dcm": write, "sc.dcm": full})
  assert queue.results() == []
  assert FilmQueue(tmp_path, most=9).waiting == 1
