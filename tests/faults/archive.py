"""Stores films and their results in a real archive, and fetches them again.

  python tests/faults/archive.py --weights=runs/phantom ../shared/dicom/*.dcm

Orthanc with its DICOMweb plugin (Debian: orthanc, orthanc-dicomweb) is started
on free ports of this machine, with an empty folder. Every second film goes in
by STOW-RS with its results, the others by C-STORE; then all are found by
QIDO-RS, fetched by WADO-RS, compared with what was sent, and the pictures are
rendered by the archive and compared with ours. Last, the films are predicted
again and stored again: nothing may be there twice. The last line counts.
"""

import argparse
import contextlib
import io
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import numpy as np
import pydicom
from PIL import Image
from pynetdicom import AE

from chexjax.commands import predict
from chexjax.dicom.film import read_dicom

PLUGINS = pathlib.Path("/usr/share/orthanc/plugins")
UNRENDERED = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90",
              "1.2.840.10008.1.2.4.91")  # fmt: skip
PLUGIN = PLUGINS / "libOrthancDicomWeb.so"


def find_orthanc():
  """Returns the program's path, None without it or its plugin."""
  program = shutil.which("Orthanc") or shutil.which(
    "Orthanc", path="/usr/sbin:/usr/local/sbin"
  )
  return program if program and PLUGIN.exists() else None


def free_port():
  with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    return probe.getsockname()[1]


class Archive:
  """Orthanc over DICOMweb and DIMSE."""

  def __init__(self, http, dicom):
    self.root, self.dicom = f"http://127.0.0.1:{http}/dicom-web", dicom

  def get(self, path, accept="application/dicom+json"):
    request = urllib.request.Request(
      self.root + path, headers={"Accept": accept}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
      return answer.read(), answer.headers

  def find(self, path):
    content, _ = self.get(path)
    return json.loads(content or b"[]")

  def stow(self, files):
    edge = "chexjax-test-edge"
    kind = f'multipart/related; type="application/dicom"; boundary={edge}'
    head = f"--{edge}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = b"".join(head + p.read_bytes() + b"\r\n" for p in files)
    request = urllib.request.Request(
      self.root + "/studies",
      data=body + f"--{edge}--\r\n".encode(),
      headers={"Content-Type": kind, "Accept": "application/dicom+json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
      said = json.loads(answer.read())
    failed = said.get("00081198", {}).get("Value")  # Failed SOP Sequence
    assert not failed, failed

  def store(self, files):
    entity = AE(ae_title="CHEXJAX")
    datasets = [pydicom.dcmread(path) for path in files]
    for dataset in datasets:
      syntax = dataset.file_meta.TransferSyntaxUID
      entity.add_requested_context(dataset.SOPClassUID, syntax)
    association = entity.associate("127.0.0.1", self.dicom, ae_title="ORTHANC")
    assert association.is_established
    for dataset in datasets:
      assert association.send_c_store(dataset).Status == 0
    association.release()

  def fetch(self, instance):
    content, headers = self.get(
      address(instance),
      'multipart/related; type="application/dicom"; transfer-syntax=*',
    )
    edge = (
      headers["Content-Type"].split("boundary=")[1].split(";")[0].strip('"')
    )
    part = content.split(f"--{edge}".encode())[1]
    start = part.index(b"\r\n\r\n") + 4
    return pydicom.dcmread(io.BytesIO(part[start:-2]))

  def rendered(self, instance):
    content, _ = self.get(address(instance) + "/rendered", "image/png")
    return np.asarray(Image.open(io.BytesIO(content)).convert("L"), int)


def address(dataset):
  return (
    f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
    f"/instances/{dataset.SOPInstanceUID}"
  )


@contextlib.contextmanager
def running(folder):
  """Gives an empty archive on this machine's own address."""
  http, dicom = free_port(), free_port()
  settings = {
    "Name": "test", "StorageDirectory": str(folder / "db"),
    "IndexDirectory": str(folder / "db"), "HttpPort": http, "DicomPort": dicom,
    "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
    "Plugins": [str(PLUGIN)], "DicomAet": "ORTHANC",
    "DicomCheckModalityHost": True, "DicomAlwaysAllowStore": True,
    "DicomModalities": {"chexjax": ["CHEXJAX", "127.0.0.1", 1]},
    "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
  }  # fmt: skip
  (folder / "orthanc.json").write_text(json.dumps(settings))
  with (folder / "orthanc.log").open("w") as log:
    process = subprocess.Popen(
      [find_orthanc(), str(folder / "orthanc.json")],
      stdout=log, stderr=subprocess.STDOUT,
    )  # fmt: skip
  try:
    archive = Archive(http, dicom)
    for _ in range(300):
      with contextlib.suppress(urllib.error.URLError, ConnectionError):
        archive.find("/studies")
        break
      assert process.poll() is None, (folder / "orthanc.log").read_text()
      time.sleep(0.1)
    yield archive
  finally:
    process.terminate()
    process.wait(30)


def correlation(one, two):
  """Compares two pictures at 64 x 64 pixels."""
  small = [
    np.asarray(Image.fromarray(x.astype(np.uint8)).resize((64, 64)), float)
    for x in (one, two)
  ]
  return np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1]


def compare(archive, sent):
  """Finds, fetches and renders what was sent; returns how many it rendered."""
  rendered = 0
  for path in sent:
    ours = pydicom.dcmread(path)
    study = f"/studies/{ours.StudyInstanceUID}"
    found = archive.find(f"{study}/instances?limit=1000")
    uids = [one["00080018"]["Value"][0] for one in found]
    assert uids.count(ours.SOPInstanceUID) == 1, path
    theirs = archive.fetch(ours)
    assert theirs == ours, path
    assert (
      theirs.file_meta.TransferSyntaxUID == ours.file_meta.TransferSyntaxUID
    )
    if "Rows" not in ours or ours.Modality == "SEG":
      continue
    try:
      picture = archive.rendered(ours)
    except urllib.error.HTTPError:
      # Debian's Orthanc keeps JPEG 2000 and JPEG-LS, but decodes neither.
      assert ours.file_meta.TransferSyntaxUID in UNRENDERED, path
      continue
    rendered += 1
    if ours.get("SamplesPerPixel") == 3:
      own = np.asarray(Image.fromarray(ours.pixel_array).convert("L"), int)
      assert np.abs(picture - own).max() <= 1, path
    else:
      own = np.asarray(read_dicom(path, max_pixels=10**8).grey)
      alike = correlation(picture, own)
      assert alike > 0.9, f"{path}: {alike:.3f}"
  return rendered


def main(argv=None):
  """Runs the comparison; returns the exit status."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--weights", required=True)
  parser.add_argument("--folder", type=pathlib.Path)
  parser.add_argument("films", nargs="+", type=pathlib.Path)
  options = parser.parse_args(argv)
  if find_orthanc() is None:
    sys.exit("no Orthanc with DICOMweb: apt install orthanc orthanc-dicomweb")
  folder = options.folder or pathlib.Path(tempfile.mkdtemp())
  folder.mkdir(parents=True, exist_ok=True)
  with running(folder) as archive:
    for number in range(2):
      results = folder / f"results{number}"
      status = predict.main(
        [f"--weights={options.weights}", f"--out={folder / 'out'}",
         f"--dicom_out={results}", "--dicom_seg", *map(str, options.films)]
      )  # fmt: skip
      assert status == 0
      rendered = 0
      for index, film in enumerate(options.films):
        sent = [film, *sorted(results.glob(f"{film.stem}_*.dcm"))]
        assert len(sent) == 5
        (archive.store if index % 2 else archive.stow)(sent)
        if not number:
          rendered += compare(archive, sent)
      if not number:
        count = 5 * len(options.films)
        print(
          f"stored, found, fetched and compared {count} objects, rendered "
          f"{rendered} of {2 * len(options.films)} pictures"
        )
    there = len(archive.find("/instances?limit=10000"))
    assert there == 5 * len(options.films), there
  print(f"after a second run {there} objects: none is there twice")
  return 0


if __name__ == "__main__":
  sys.exit(main())
