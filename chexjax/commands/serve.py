"""A DICOM node: takes films, sends their predictions to an archive.

chexjax serve --weights=DIR --aet=CHEXJAX --port=11112 --queue=DIR
--peer=ARCHIVE@127.0.0.1:4242

Films come by C-STORE and are on the disk before the sender hears of success; a
structured report, a presentation state and a picture of each go to the peer.
It listens on this machine alone unless --bind says otherwise: DICOM as it is
spoken here neither encrypts nor asks who calls. Ends on SIGTERM or Ctrl-C, and
goes on with the same queue when it is started again. Exit status: 0 it was told
to end, 2 it did not begin.
"""

import contextlib
import dataclasses
import ipaddress
import logging
import pathlib
import signal
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from chexjax import io, messages
from chexjax.commands.console import run_command, set_up_process
from chexjax.commands.options import parse
from chexjax.data.images import Laterals
from chexjax.extras import require
from chexjax.inference.dicom_results import DicomResults
from chexjax.inference.film_findings import FilmFindings
from chexjax.inference.films import default_batch_size
from chexjax.inference.predictor import load
from chexjax.inference.thresholds import percentiles_of, read_thresholds
from chexjax.runtime import compile_cache, memory
from chexjax.runtime.cache_home import DEFAULT, cache_home
from chexjax.serving.counters import Counters
from chexjax.serving.film_queue import FilmQueue
from chexjax.serving.film_results import FilmResults
from chexjax.serving.status_page import StatusPage
from chexjax.serving.worker import work

_LOOPBACK = "127.0.0.1"
_TALKATIVE = ("pydicom", "highdicom", "pynetdicom")


@dataclasses.dataclass(frozen=True)
class Options:
  """Options of `serve`."""

  weights: pathlib.Path
  """A run's workdir, a folder of convert, or the authors' file."""
  aet: str
  """Application entity title of the node; callers must use it."""
  port: int
  """Port of the DICOM service; 0 for any free one."""
  queue: pathlib.Path
  """Folder of films and results that wait, and of what failed."""
  peer: str
  """Where results go, AET@HOST:PORT."""
  bind: str = _LOOPBACK
  """Address of the DICOM service. Another than this machine's own is taken only
  from here: anybody who reaches it can send films."""
  http_port: int = 8043
  """Port of /health and /metrics; 0 for any free one."""
  http_bind: str = _LOOPBACK
  """Address of /health and /metrics."""
  max_queue: int = 1000
  """Films that may wait, for prediction or for the peer; more are answered with
  A700, out of resources."""
  batch_size: int | None = None
  """Films at a time, at most; by default 4 on a CPU, 64 elsewhere."""
  preset: Literal["paper", "released"] | None = None
  """Which detection and final map; the weights' own by default."""
  thresholds: pathlib.Path | None = None
  """As for predict."""
  dicom_seg: bool = False
  """Also send a segmentation of the maps."""
  laterals: Laterals = "refuse"
  """As for predict."""
  compilation_cache: bool = True
  """Whether compiled programs are kept in ~/.cache/chexjax."""


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  options = parse(Options, argv, prog="serve", description=__doc__)
  faults = _faults(options)
  for fault in faults:
    print(f"error: {fault}", file=sys.stderr)
  if faults:
    return 2
  set_up_process()
  try:
    require("serve", "pydicom", "highdicom", "pynetdicom")
    with _silence(), io.held(options.queue):
      return _serve(options)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2


def _faults(options: Options) -> list[str]:
  """Return what is wrong with the options."""
  faults = []
  for name in ("port", "http_port"):
    if not 0 <= getattr(options, name) < 65536:
      faults.append(f"--{name} must be 0 to 65535")
  for name in ("max_queue", "batch_size"):
    value = getattr(options, name)
    if value is not None and value < 1:
      faults.append(f"--{name} must be at least 1, got {value}")
  if not 0 < len(options.aet.strip()) <= 16 or not options.aet.isascii():
    faults.append("--aet has 1 to 16 ASCII characters")
  return faults


@contextlib.contextmanager
def _silence() -> Iterator[None]:
  """Keep other packages' messages away, which may quote a film's header."""
  loggers = [logging.getLogger(name) for name in _TALKATIVE]
  before = [logger.propagate for logger in loggers]
  nowhere = logging.NullHandler()
  with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    for logger in loggers:
      logger.propagate = False
      logger.addHandler(nowhere)
    try:
      yield
    finally:
      for logger, propagated in zip(loggers, before):
        logger.propagate = propagated
        logger.removeHandler(nowhere)


def _serve(options: Options) -> int:
  """Load the model, listen, and work until a signal comes."""
  from chexjax.serving.node import Node
  from chexjax.serving.sender import Sender, peer_of

  peer = peer_of(options.peer)
  if options.compilation_cache:
    compile_cache.use_folder(cache_home(DEFAULT) / "compiled")
  predictor = load(options.weights, preset=options.preset)
  percentiles, origin = (
    percentiles_of(predictor.info)
    if options.thresholds is None
    else read_thresholds(options.thresholds, predictor.info)
  )
  of_films = FilmFindings(predictor, percentiles)
  results = DicomResults(
    of_films, thresholds_from=origin, segmentation=options.dicom_seg
  )
  batch_size = options.batch_size or default_batch_size()
  predict = FilmResults(
    of_films, results, batch_size=batch_size, laterals=options.laterals
  )
  predict.warm_up()
  queue = FilmQueue(options.queue, most=options.max_queue)
  counters, stop = Counters(), threading.Event()
  for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stop.set())
  with contextlib.ExitStack() as stack:
    sender = Sender(queue, counters, peer, aet=options.aet)
    stack.callback(sender.close)

    def read() -> tuple[Mapping[str, int], Mapping[str, int], list[str]]:
      faults = [] if sender.alive else ["the sender has ended"]
      if queue.waiting + queue.unsent >= options.max_queue:
        faults.append("the queue is full")
      return counters.read(), _levels(queue), faults

    page = StatusPage(options.http_bind, options.http_port, read)
    stack.callback(page.close)
    node = Node(
      queue, counters, aet=options.aet, bind=options.bind, port=options.port
    )
    stack.callback(node.close)
    for what, address in (("", options.bind), ("http ", options.http_bind)):
      if not _is_loopback(address):
        messages.warn(
          f"warning: {what}{address} is reached from other machines, without "
          "encryption or a question who calls"
        )
    messages.tell(
      f"{options.aet} listens on {options.bind}:{node.port}, status on "
      f"http://{options.http_bind}:{page.port}/health; {queue.waiting} films "
      f"wait, results of {queue.unsent} go to {peer.aet}"
    )
    work(queue, counters, predict, batch_size=batch_size, stop=stop)
    messages.tell("stopped; the queue goes on when it is started again")
  return 0


def _levels(queue: FilmQueue) -> dict[str, int]:
  levels = {
    "waiting": queue.waiting,
    "unsent": queue.unsent,
    "failures": queue.failures(),
  }
  resident = memory.resident_bytes()
  return levels if resident is None else levels | {"resident_bytes": resident}


def _is_loopback(address: str) -> bool:
  if address == "localhost":
    return True
  try:
    return ipaddress.ip_address(address).is_loopback
  except ValueError:
    return False


if __name__ == "__main__":
  sys.exit(run_command(main))
