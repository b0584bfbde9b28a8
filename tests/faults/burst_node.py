"""Sends a burst of films to the DICOM node and watches its memory.

  python tests/faults/burst_node.py --films=500 --max_queue=100

Four senders send at once, as fast as they are answered; a film that is refused
for want of room (A700) is sent again after a pause. Printed are how many films
waited at most, how often there was no room, and the resident memory of the node
after each tenth of the films. The peer must have three results of each film.
"""

import argparse
import pathlib
import sys
import tempfile
import threading
import time

REPO = pathlib.Path(__file__).parents[2]
sys.path.append(str(REPO / "tests" / "helpers"))

from node_trial import (  # noqa: E402
  NodeProcess,
  Peer,
  association,
  make_film,
  patients_in,
  send,
)
from tiny_workdir import make_workdir  # noqa: E402

SENDERS = 4


def send_all(port, numbers, side, answers):
  """Sends films, each until it is taken."""
  for number in numbers:
    film, status = make_film(number, side=side), None
    while status != 0:
      with association(port) as made:
        status = send(made, film) if made is not None else None
      answers.append(status)
      if status != 0:
        time.sleep(0.5)


def main(argv=None):
  """Runs the trial; returns 0 if nothing is lost and the queue was bounded."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--films", type=int, default=500)
  parser.add_argument("--side", type=int, default=512)
  parser.add_argument("--max_queue", type=int, default=100)
  parser.add_argument("--folder", type=pathlib.Path)
  options = parser.parse_args(argv)
  folder = options.folder or pathlib.Path(tempfile.mkdtemp())
  weights = make_workdir(folder / "weights")[0]
  peer, log = Peer(), folder / "node.log"
  node = NodeProcess(
    weights, folder / "queue", peer, log,
    f"--max_queue={options.max_queue}", "--batch_size=8",
  )  # fmt: skip
  answers, began = [], time.monotonic()
  senders = [
    threading.Thread(
      target=send_all,
      args=(node.port, range(i, options.films, SENDERS), options.side, answers),
    )
    for i in range(SENDERS)
  ]
  for sender in senders:
    sender.start()
  most, shown = 0, 0
  while True:
    now = node.metrics()
    most = max(most, now["waiting"] + now["unsent"])
    if now["predicted_total"] >= shown * options.films / 10:
      print(
        f"{now['predicted_total']:4} predicted, {now['waiting']:4} wait, "
        f"{now['unsent']:4} unsent, {now['resident_bytes'] >> 20} MiB",
        flush=True,
      )
      shown += 1
    sending = any(sender.is_alive() for sender in senders)
    if not (sending or now["waiting"] or now["unsent"]):
      break
    time.sleep(0.1)
  seconds = time.monotonic() - began
  status = node.stop()
  lost = options.films - len(peer.complete())
  refused = sum(answer == 0xA700 for answer in answers)
  other = sum(answer not in (0, 0xA700) for answer in answers)
  names = patients_in(log, folder / "queue")
  print(
    f"{options.films} films in {seconds:.0f} s; at most {most} of "
    f"{options.max_queue} in the queue; A700 {refused} times, other answers "
    f"{other}; lost {lost}; exit {status}; patients named in {len(names)} files"
  )
  peer.down()
  return lost + status + (most > options.max_queue) + len(names)


if __name__ == "__main__":
  sys.exit(main())
