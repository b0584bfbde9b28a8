"""The node killed and flooded, and an archive; few of what the scripts try."""

import pytest

pytest.importorskip("pynetdicom")
import archive
import burst_node
import kill_node
from tiny_workdir import make_workdir

pytestmark = pytest.mark.slow


def test_a_killed_node_loses_nothing(tmp_path):
  argv = ["--kills=1", "--longest=2", f"--folder={tmp_path}"]
  assert kill_node.main(argv) == 0


def test_a_burst_is_bounded(tmp_path):
  argv = ["--films=24", "--max_queue=6", "--side=64", f"--folder={tmp_path}"]
  assert burst_node.main(argv) == 0


@pytest.mark.shared
def test_an_archive_keeps_and_shows_the_results(tmp_path, shared):
  if archive.find_orthanc() is None:
    pytest.skip(
      "no Orthanc with DICOMweb: apt install orthanc orthanc-dicomweb"
    )
  names = ("rg1_small_jpeg_lossless_sv1", "nih_google_8bit_implicit")
  films = [shared / "dicom" / f"{name}.dcm" for name in names]
  if not all(film.exists() for film in films):
    pytest.skip(f"no DICOM samples in {shared / 'dicom'}")
  weights = make_workdir(tmp_path / "weights")[0]
  argv = [f"--weights={weights}", f"--folder={tmp_path}", *map(str, films)]
  assert archive.main(argv) == 0
