"""A node, its worker and its sender in this process, on loopback."""

import json
import threading
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("pynetdicom")
from dicom_films import NAME, film, pydicom, uid
from node_trial import Peer, association, make_film, send
from pynetdicom import AE, evt
from pynetdicom.pdu import A_ASSOCIATE_RJ

from chexjax.dicom.objects.result import Algorithm
from chexjax.dicom.objects.structured_report import structured_report
from chexjax.serving.counters import Counters, prometheus_text
from chexjax.serving.film_queue import FilmQueue
from chexjax.serving.node import Node
from chexjax.serving.sender import Peer as Address
from chexjax.serving.sender import Sender, peer_of
from chexjax.serving.status_page import StatusPage
from chexjax.serving.worker import work


def until(condition, seconds=20):
  end = time.monotonic() + seconds
  while not condition():
    assert time.monotonic() < end
    time.sleep(0.01)


@pytest.fixture
def queue(tmp_path):
  return FilmQueue(tmp_path / "queue", most=3)


@pytest.fixture
def counters():
  return Counters()


@pytest.fixture
def node(queue, counters):
  made = Node(queue, counters, aet="CHEXJAX", bind="127.0.0.1", port=0)
  yield made
  made.close()


def test_a_film_is_on_the_disk_when_it_is_confirmed(
  node, queue, counters, capsys
):
  with association(node.port) as made:
    for number in range(3):
      assert send(made, make_film(number)) == 0
      assert queue.waiting == number + 1
    assert send(made, make_film(3)) == 0xA700
    # A film that is here already takes no room.
    assert send(made, make_film(1)) == 0
  assert counters.read()["received"] == 4
  assert counters.read()["refused"] == 1
  (first, *_) = queue.take(1, timeout=0)
  kept = pydicom.dcmread(first)
  for keyword in ("SOPInstanceUID", "PatientName", "PixelData"):
    assert kept[keyword].value == make_film(0)[keyword].value
  said = capsys.readouterr()
  assert "Secretperson" not in said.out + said.err


def test_who_calls_another_title_or_sends_other_objects_is_refused(node):
  entity = AE(ae_title="SENDER")
  entity.add_requested_context("1.2.840.10008.1.1")
  answers = []
  made = entity.associate(
    "127.0.0.1", node.port,
    evt_handlers=[
      (evt.EVT_PDU_RECV, lambda event: answers.append(type(event.pdu)))
    ],
  )  # fmt: skip
  # `is_rejected` depends on which of two threads of pynetdicom is first.
  assert answers == [A_ASSOCIATE_RJ]
  assert not made.is_established
  made = entity.associate("127.0.0.1", node.port, ae_title="CHEXJAX")
  assert made.send_c_echo().Status == 0
  made.release()
  entity.requested_contexts = []
  entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2")  # CT
  made = entity.associate("127.0.0.1", node.port, ae_title="CHEXJAX")
  assert not made.accepted_contexts


def test_the_worker_puts_bad_films_aside_and_goes_on(queue, counters, capsys):
  for name in (b"a", b"bad", b"breaks"):
    queue.add(name)
  stop = threading.Event()

  def predict(films):
    for path in films:
      content = path.read_bytes()
      if content == b"breaks":
        raise RuntimeError(f"of {NAME}")
      yield (
        path,
        ("is bad" if content == b"bad" else {"sr.dcm": lambda p: p.touch()}),
      )
    if not queue.waiting:
      stop.set()

  threading.Timer(20, stop.set).start()
  thread = threading.Thread(
    target=work, args=(queue, counters, predict),
    kwargs={"batch_size": 3, "stop": stop},
  )  # fmt: skip
  thread.start()
  until(lambda: not queue.waiting)
  stop.set()
  thread.join()
  assert (queue.unsent, queue.failures()) == (1, 2)
  assert counters.read()["failed"] == 2
  said = capsys.readouterr()
  assert "put aside: is bad" in said.err
  assert "not predicted: RuntimeError" in said.err
  assert NAME not in said.err + said.out


def add_report(queue, number):
  """Puts the report of a film among the results; returns the film's UID."""
  source = film(
    SOPInstanceUID=uid.generate_uid(), SeriesInstanceUID=uid.generate_uid(),
    StudyInstanceUID=uid.generate_uid(),
  )  # fmt: skip
  report = structured_report(
    source, _findings(), Algorithm("1", "w", "ab" * 32)
  )
  queue.add(b"film %d" % number)
  (path,) = queue.take(1, timeout=0)
  save = {
    "sr.dcm": lambda p: report.save_as(p, enforce_file_format=True),
  }
  queue.finish(path, save)
  return source.SOPInstanceUID


def _findings():
  from chexjax.dicom.objects.result import Finding

  return [Finding("Mass", 0.5, None, None, False)]


def test_a_peer_that_is_away_gets_all_when_it_is_back(queue, counters):
  peer = Peer()
  peer.down()
  films = {add_report(queue, number) for number in range(3)}
  sender = Sender(
    queue, counters, Address("PEER", "127.0.0.1", peer.port),
    aet="CHEXJAX", shortest=0.02, longest=0.1,
  )  # fmt: skip
  try:
    until(lambda: counters.read()["not_sent"] >= 3)
    assert queue.unsent == 3
    peer.up()
    until(lambda: not queue.unsent)
  finally:
    sender.close()
    peer.down()
  assert set(peer.got) == films
  assert counters.read()["sent"] == 3


def test_a_result_that_is_refused_is_put_aside_and_the_others_go_on(
  queue, counters, capsys
):
  taken = []

  def keep(event):
    if refused in event.encoded_dataset(include_meta=False):
      return 0xC123
    taken.append(1)
    return 0xB000  # a warning: it is stored

  refused = add_report(queue, 0).encode()
  add_report(queue, 1)
  entity = AE(ae_title="PEER")
  entity.add_supported_context("1.2.840.10008.5.1.4.1.1.88.34")
  server = entity.start_server(
    ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, keep)]
  )
  address = Address("PEER", "127.0.0.1", server.server_address[1])
  sender = Sender(
    queue, counters, address, aet="CHEXJAX", shortest=0.01, longest=0.02
  )
  try:
    until(lambda: not queue.unsent)
  finally:
    sender.close()
    server.shutdown()
  assert taken == [1]
  assert counters.read()["given_up"] == queue.failures() == 1
  assert "answered C123" in capsys.readouterr().err


@pytest.mark.parametrize(
  "text",
  ["", "A", "A@", "A@h", "A@h:", "A@h:x", "A@h:0", "A@h:70000", "@h:1",
   "x" * 17 + "@h:1", "Ä@h:1"],
)  # fmt: skip
def test_what_is_no_peer_is_refused(text):
  with pytest.raises(ValueError, match=r"AET@HOST:PORT|AE title|no port"):
    peer_of(text)
  assert peer_of("A b@[::1]:104") == Address("A b", "::1", 104)


def test_health_and_metrics(counters):
  faults = []
  page = StatusPage(
    "127.0.0.1", 0, lambda: (counters.read(), {"waiting": 7}, faults)
  )
  counters.add("received", 5)

  def get(path):
    url = f"http://127.0.0.1:{page.port}{path}"
    with urllib.request.urlopen(url, timeout=20) as answer:
      return answer.read().decode()

  try:
    assert json.loads(get("/health"))["status"] == "ok"
    text = get("/metrics")
    assert "chexjax_received_total 5\n" in text
    assert "# TYPE chexjax_waiting gauge\nchexjax_waiting 7\n" in text
    assert text == prometheus_text(counters.read(), {"waiting": 7})
    faults.append("the queue is full")
    with pytest.raises(urllib.error.HTTPError, match="503"):
      get("/health")
    with pytest.raises(urllib.error.HTTPError, match="404"):
      get("/other")
  finally:
    page.close()
