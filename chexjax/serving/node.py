"""The DICOM side of a node: answers C-ECHO, takes films by C-STORE."""

from typing import Any

from pynetdicom import AE, evt
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from chexjax import messages
from chexjax.serving.counters import Counters
from chexjax.serving.film_queue import FilmQueue, QueueFullError

_SUCCESS = 0x0000
_OUT_OF_RESOURCES = 0xA700
_CANNOT_UNDERSTAND = 0xC000
_ASSOCIATIONS = 16  # at once
_PDU = 1 << 17  # bytes of a message's part; the default makes 300 of a film
_SECONDS = 60  # without a word from a sender

# Films for viewing, and for processing, which are put aside with the reason.
_CLASSES = (
  "1.2.840.10008.5.1.4.1.1.1",
  "1.2.840.10008.5.1.4.1.1.1.1",
  "1.2.840.10008.5.1.4.1.1.1.1.1",
  "1.2.840.10008.5.1.4.1.1.7",
  "1.2.840.10008.5.1.4.1.1.7.1",
  "1.2.840.10008.5.1.4.1.1.7.2",
  "1.2.840.10008.5.1.4.1.1.7.3",
  "1.2.840.10008.5.1.4.1.1.7.4",
)
# What the decoders read, compressed first: a sender that has compressed pixels
# need not decompress them.
_SYNTAXES = (
  "1.2.840.10008.1.2.4.70",
  "1.2.840.10008.1.2.4.57",
  "1.2.840.10008.1.2.4.80",
  "1.2.840.10008.1.2.4.81",
  "1.2.840.10008.1.2.4.90",
  "1.2.840.10008.1.2.4.91",
  "1.2.840.10008.1.2.4.50",
  "1.2.840.10008.1.2.5",
  "1.2.840.10008.1.2.1",
  "1.2.840.10008.1.2",
  "1.2.840.10008.1.2.1.99",
)


class Node:
  """Listens until it is closed; confirms a film once it is on the disk."""

  def __init__(
    self,
    queue: FilmQueue,
    counters: Counters,
    *,
    aet: str,
    bind: str,
    port: int,
  ):
    """Begin to listen.

    Args:
      queue: gets the films.
      counters: counts them.
      aet: application entity title; a caller must call it by that.
      bind: address to listen on.
      port: 0 for any free one.

    Raises:
      OSError: the address or the port cannot be had.
      ValueError: the title is none.
    """
    self._queue, self._counters = queue, counters
    entity = AE(ae_title=aet)
    entity.require_called_aet = True
    entity.maximum_associations = _ASSOCIATIONS
    entity.maximum_pdu_size = _PDU
    entity.network_timeout = _SECONDS
    entity.acse_timeout = entity.dimse_timeout = _SECONDS
    entity.add_supported_context(Verification)
    for uid in _CLASSES:
      entity.add_supported_context(uid, list(_SYNTAXES))
    server = entity.start_server(
      (bind, port),
      block=False,
      evt_handlers=[(evt.EVT_C_STORE, self._store)],
    )
    assert server is not None  # It is only where it blocks.
    self._server = server
    self.port = int(server.server_address[1])

  def close(self) -> None:
    """Stop listening; associations that are open end."""
    self._server.shutdown()

  def _store(self, event: Any) -> int:
    """Answer a C-STORE request with its status."""
    try:
      name = self._queue.add(event.encoded_dataset())
    except QueueFullError:
      self._counters.add("refused")
      return _OUT_OF_RESOURCES
    except OSError as error:
      # The message of an OSError names the file, which is a digest.
      messages.warn(f"warning: a film was not stored: {error}")
      self._counters.add("rejected")
      return _OUT_OF_RESOURCES
    except Exception as error:
      # What another error says may quote the film's header.
      messages.warn(f"warning: a film was not stored: {type(error).__name__}")
      self._counters.add("rejected")
      return _CANNOT_UNDERSTAND
    messages.tell(f"film {name} is stored")
    self._counters.add("received")
    return _SUCCESS
