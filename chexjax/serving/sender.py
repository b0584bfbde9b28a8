"""Sends results to the peer until it has them."""

import pathlib
import random
import threading
from typing import Any, NamedTuple

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE

from chexjax import messages
from chexjax.serving.counters import Counters
from chexjax.serving.film_queue import FilmQueue

# Comprehensive 3D SR, GSPS, Secondary Capture, Segmentation.
_CLASSES = (
  "1.2.840.10008.5.1.4.1.1.88.34",
  "1.2.840.10008.5.1.4.1.1.11.1",
  "1.2.840.10008.5.1.4.1.1.7",
  "1.2.840.10008.5.1.4.1.1.66.4",
)
_SECONDS = 30  # without a word from the peer
_REFUSALS = 5  # of one result, after which it is put aside
_TRY_AGAIN = range(0xA700, 0xA800)  # the peer is out of resources


class Peer(NamedTuple):
  """Where results go.

  Attributes:
    aet: application entity title.
    host: name or address.
    port: of its DICOM service.
  """

  aet: str
  host: str
  port: int


def peer_of(text: str) -> Peer:
  """Return the peer that a text such as `ARCHIVE@127.0.0.1:4242` names.

  Raises:
    ValueError: the text is none.
  """
  aet, at, address = text.strip().partition("@")
  host, colon, port = address.rpartition(":")
  if not (at and colon and host and port.isascii() and port.isdigit()):
    raise ValueError(f"a peer is written AET@HOST:PORT, got {text!r}")
  if not 0 < int(port) < 65536:
    raise ValueError(f"{port} is no port, of {text!r}")
  if not 0 < len(aet) <= 16 or not aet.isascii() or "\\" in aet:
    raise ValueError(f"{aet!r} is no AE title: it has 1 to 16 ASCII characters")
  return Peer(aet, host.strip("[]"), int(port))


class Sender:
  """A thread that empties the queue's results into the peer.

  Where the peer does not answer or has no room, it waits, longer each time up
  to `longest`; results stay on the disk meanwhile. A result that the peer
  refuses is tried five times and then put aside; the others go on.
  """

  def __init__(
    self,
    queue: FilmQueue,
    counters: Counters,
    peer: Peer,
    *,
    aet: str,
    shortest: float = 1.0,
    longest: float = 300.0,
  ):
    """Begin to send.

    Args:
      queue: holds the results.
      counters: counts what is sent.
      peer: gets them.
      aet: application entity title of the node.
      shortest: seconds to wait after a first failure.
      longest: seconds to wait at most.
    """
    self._queue, self._counters, self._peer = queue, counters, peer
    self._shortest, self._longest = shortest, longest
    self._entity = AE(ae_title=aet)
    self._entity.acse_timeout = self._entity.dimse_timeout = _SECONDS
    self._entity.network_timeout = _SECONDS
    self._entity.connection_timeout = _SECONDS
    for uid in _CLASSES:
      syntaxes = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]
      self._entity.add_requested_context(uid, syntaxes)
    self._refused: dict[pathlib.Path, int] = {}
    self._stop = threading.Event()
    self._thread = threading.Thread(target=self._run, name="sender")
    self._thread.start()

  @property
  def alive(self) -> bool:
    """Whether it is still at work."""
    return self._thread.is_alive()

  def close(self) -> None:
    """Stop after the result that is being sent."""
    self._stop.set()
    self._thread.join()

  def _run(self) -> None:
    wait = self._shortest
    while not self._stop.is_set():
      self._queue.wait_for_results(timeout=0.5)
      if not (results := self._queue.results()):
        continue
      try:
        fault = self._send(results)
      except Exception as error:
        # Whatever it is, the results are on the disk and are tried again.
        fault = type(error).__name__
      if fault is None:
        wait = self._shortest
        continue
      self._counters.add("not_sent")
      # Several nodes must not come back at the same moment.
      pause = wait * random.uniform(0.8, 1.2)
      messages.warn(
        f"warning: {self._peer.aet}: {fault}; {len(results)} results wait, "
        f"the next attempt is in {pause:.0f} s"
      )
      self._stop.wait(pause)
      wait = min(2 * wait, self._longest)

  def _send(self, results: list[pathlib.Path]) -> str | None:
    """Send results over one association; say why some are still here."""
    association = self._entity.associate(
      self._peer.host, self._peer.port, ae_title=self._peer.aet
    )
    if not association.is_established:
      return "no association"
    refused = 0
    try:
      for result in results:
        if self._stop.is_set():
          return None
        status, reason = _store(association, result)
        if reason is None:
          self._queue.sent(result)
          self._refused.pop(result, None)
          self._counters.add("sent")
          continue
        if status is None or status in _TRY_AGAIN:
          return reason
        refused += 1
        self._count_refusal(result, reason)
    finally:
      if association.is_established:
        association.release()
    return f"{refused} results were refused" if refused else None

  def _count_refusal(self, result: pathlib.Path, reason: str) -> None:
    self._refused[result] = self._refused.get(result, 0) + 1
    if self._refused[result] < _REFUSALS:
      return
    del self._refused[result]
    self._queue.refuse(result, f"{self._peer.aet}: {reason}")
    self._counters.add("given_up")
    messages.warn(
      f"warning: {result.parent.name}/{result.name} is put aside: {reason}"
    )


def _store(
  association: Any, result: pathlib.Path
) -> tuple[int | None, str | None]:
  """Send one result.

  Returns:
    The peer's status, None where it gave none; and why it does not have the
    result, None where it has.
  """
  dataset = dcmread(result)
  accepted = {
    context.abstract_syntax for context in association.accepted_contexts
  }
  if dataset.SOPClassUID not in accepted:
    return 0x0122, f"does not take {dataset.SOPClassUID.name}"
  answer = association.send_c_store(dataset)
  if "Status" not in answer:
    return None, "the connection ended"
  status = int(answer.Status)
  # B000 and its like are warnings: it is stored.
  if status == 0x0000 or 0xB000 <= status < 0xC000:
    return status, None
  return status, f"answered {status:04X}"
