"""A node as a process, films for it, and a peer that keeps what it gets."""

import collections
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE, evt

REPO = pathlib.Path(__file__).parents[2]
CR = "1.2.840.10008.5.1.4.1.1.1"
RESULTS = {
  "SR": "1.2.840.10008.5.1.4.1.1.88.34",
  "PR": "1.2.840.10008.5.1.4.1.1.11.1",
  "OT": "1.2.840.10008.5.1.4.1.1.7",
}
# Looked for in everything that the node writes but its queue.
NAME, NUMBER = "Secretperson^Hidden", "ID-31415926"


def make_film(number, *, side=64):
  """Returns a CR film of noise; each number is another patient's."""
  film = Dataset()
  film.file_meta = FileMetaDataset()
  film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
  film.file_meta.MediaStorageSOPClassUID = CR
  film.SOPClassUID = CR
  for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
    setattr(film, keyword, generate_uid(entropy_srcs=[keyword, str(number)]))
  film.file_meta.MediaStorageSOPInstanceUID = film.SOPInstanceUID
  film.PatientName, film.PatientID = NAME, f"{NUMBER}-{number}"
  film.PatientBirthDate, film.PatientSex = "19010203", "O"
  film.StudyDate = film.StudyTime = film.StudyID = film.AccessionNumber = ""
  film.ReferringPhysicianName, film.Modality = "", "CR"
  film.SeriesNumber = film.InstanceNumber = 1
  film.ViewPosition, film.PatientOrientation = "PA", ["L", "F"]
  film.Rows = film.Columns = side
  film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME2"
  film.BitsAllocated = film.BitsStored = 8
  film.HighBit, film.PixelRepresentation = 7, 0
  rng = np.random.default_rng(number)
  film.PixelData = rng.integers(0, 256, (side, side), np.uint8).tobytes()
  return film


class Peer:
  """An archive that keeps which film it has which results of."""

  def __init__(self):
    self.got = collections.defaultdict(collections.Counter)
    self._lock = threading.Lock()
    self._entity = AE(ae_title="PEER")
    self._entity.maximum_pdu_size = 0  # As large as they come.
    for uid in RESULTS.values():
      self._entity.add_supported_context(uid, ExplicitVRLittleEndian)
    self._server, self.port = None, 0
    self.up()

  def up(self):
    self._server = self._entity.start_server(
      ("127.0.0.1", self.port), block=False,
      evt_handlers=[(evt.EVT_C_STORE, self._keep)],
    )  # fmt: skip
    self.port = self._server.server_address[1]

  def down(self):
    self._server.shutdown()
    self._server.server_close()

  def _keep(self, event):
    with self._lock:
      self.got[film_of_result(event.dataset)][event.dataset.Modality] += 1
    return 0

  def complete(self):
    """Returns the films of which each kind of result is here."""
    with self._lock:
      return {film for film, kinds in self.got.items() if len(kinds) == 3}


def film_of_result(result):
  """Returns the SOP Instance UID of the film that a result refers to."""
  if result.Modality == "OT":
    return result.SourceImageSequence[0].ReferencedSOPInstanceUID
  if result.Modality == "PR":
    series = result.ReferencedSeriesSequence[0]
    return series.ReferencedImageSequence[0].ReferencedSOPInstanceUID
  series = result.CurrentRequestedProcedureEvidenceSequence[0]
  series = series.ReferencedSeriesSequence[0]
  return series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID


class NodeProcess:
  """`experiments.serve` on free ports."""

  def __init__(self, weights, queue, peer, log, *options):
    self._log = log
    start = log.stat().st_size if log.exists() else 0
    with log.open("a") as file:
      self.process = subprocess.Popen(
        [sys.executable, "-m", "experiments.serve", f"--weights={weights}",
         "--aet=CHEXJAX", "--port=0", "--http_port=0", f"--queue={queue}",
         f"--peer=PEER@127.0.0.1:{peer.port}", *options],
        cwd=REPO, stdout=file, stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
      )  # fmt: skip
    said = None
    while said is None:
      assert self.process.poll() is None, log.read_text()[start:]
      time.sleep(0.02)
      said = re.search(
        r"listens on 127.0.0.1:(\d+), status on http://127.0.0.1:(\d+)",
        log.read_text()[start:],
      )
    self.port, self.http_port = int(said[1]), int(said[2])

  def metrics(self):
    url = f"http://127.0.0.1:{self.http_port}/metrics"
    with urllib.request.urlopen(url, timeout=30) as answer:
      lines = answer.read().decode().splitlines()
    pairs = (line.split() for line in lines if not line.startswith("#"))
    return {k.removeprefix("chexjax_"): int(v) for k, v in pairs}

  def wait_until_empty(self, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
      now = self.metrics()
      if not now["waiting"] and not now["unsent"]:
        return now
      time.sleep(0.2)
    raise TimeoutError(str(self.metrics()))

  def kill(self):
    self.process.kill()
    self.process.wait()

  def stop(self):
    self.process.terminate()
    return self.process.wait(60)


@contextlib.contextmanager
def association(port):
  """Gives an association for films, None where there is none."""
  entity = AE(ae_title="SENDER")
  entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
  entity.add_requested_context(CR, ExplicitVRLittleEndian)
  made = entity.associate("127.0.0.1", port, ae_title="CHEXJAX")
  try:
    yield made if made.is_established else None
  finally:
    if made.is_established:
      made.release()


def send(made, film):
  """Returns the node's status for a film, None where it gave none."""
  try:
    return made.send_c_store(film).get("Status")
  except (RuntimeError, ValueError, AttributeError):
    return None


def patients_in(*paths):
  """Returns the files under paths that name a patient of `make_film`."""
  found = []
  for path in paths:
    files = path.rglob("*") if path.is_dir() else [path]
    for file in files:
      if file.is_file():
        content = file.read_bytes()
        if b"Secretperson" in content or NUMBER.encode() in content:
          found.append(file)
  return found
