"""Kills the DICOM node at random moments and looks for what it has lost.

  python tests/faults/kill_node.py --kills=20

Films are sent without a pause while the node is started and killed with
SIGKILL again and again; the peer is away a third of the time. At the end the
node may finish. Every film that it has confirmed must have its three results at
the peer. The last line counts; results that came twice are no fault.
"""

import argparse
import itertools
import pathlib
import random
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


def send_until(node, films, confirmed, stop):
  """Sends films until told to stop or the node is gone."""
  with association(node.port) as made:
    while made is not None and not stop.is_set():
      film = next(films)
      status = send(made, film)
      if status == 0:
        confirmed.append(film.SOPInstanceUID)
      elif status is None:
        return
      else:
        time.sleep(0.05)  # The queue is full.


def main(argv=None):
  """Runs the trial; returns the number of films lost."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--kills", type=int, default=20)
  parser.add_argument("--seed", type=int, default=0)
  parser.add_argument("--longest", type=float, default=4.0)
  parser.add_argument("--folder", type=pathlib.Path)
  options = parser.parse_args(argv)
  folder = options.folder or pathlib.Path(tempfile.mkdtemp())
  weights = make_workdir(folder / "weights")[0]
  rng, peer = random.Random(options.seed), Peer()
  films = map(make_film, itertools.count())
  confirmed, log = [], folder / "node.log"
  flags = ["--batch_size=4", "--max_queue=40"]
  for kill in range(options.kills):
    away = rng.random() < 1 / 3
    if away:
      peer.down()
    node = NodeProcess(weights, folder / "queue", peer, log, *flags)
    stop = threading.Event()
    sender = threading.Thread(
      target=send_until, args=(node, films, confirmed, stop)
    )
    sender.start()
    time.sleep(rng.uniform(0, options.longest))
    node.kill()
    stop.set()
    sender.join()
    if away:
      peer.up()
    print(
      f"kill {kill + 1}: {len(confirmed)} confirmed, {len(peer.complete())} "
      f"complete{', peer away' if away else ''}",
      flush=True,
    )
  node = NodeProcess(weights, folder / "queue", peer, log, *flags)
  last = node.wait_until_empty(300)
  status = node.stop()
  lost = set(confirmed) - peer.complete()
  twice = sum(n > 1 for kinds in peer.got.values() for n in kinds.values())
  names = patients_in(log, folder / "queue")
  print(
    f"killed {options.kills} times; confirmed {len(confirmed)} films, lost "
    f"{len(lost)}; put aside {last['failures']}; {twice} results came twice; "
    f"exit {status}; patients named in {len(names)} files"
  )
  peer.down()
  return len(lost) + last["failures"] + len(names) + status


if __name__ == "__main__":
  sys.exit(main())
