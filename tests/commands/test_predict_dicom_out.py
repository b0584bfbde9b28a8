"""predict --dicom_out: objects of DICOM films, in the films' own pixels."""

import json
import shutil

import numpy as np
import pytest

pytest.importorskip("highdicom")
from dicom_films import NAME, NUMBER, film, pydicom, uid, write
from PIL import Image
from tiny_workdir import make_workdir

from chexjax.commands.predict import main


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
  return make_workdir(tmp_path_factory.mktemp("run"))[0]


def chest(number, **tags):
  uids = {
    keyword: uid.generate_uid(entropy_srcs=[keyword, str(number)])
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
  }
  return film(**(uids | tags))


def run(workdir, folder, *argv):
  return main(
    [f"--weights={workdir}", f"--out={folder / 'out'}", *map(str, argv)]
  )


def test_objects_of_dicom_films(workdir, tmp_path, capsys):
  given = tmp_path / "in"
  write(chest(1), given / "a.dcm")
  write(chest(2, PatientOrientation=["R", "F"]), given / "turned")
  write(chest(3, StudyInstanceUID=None), given / "no study.dcm")
  Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(given / "b.png")
  objects = given / "objects"
  argv = (f"--dicom_out={objects}", "--dicom_seg", given)
  assert run(workdir, tmp_path, *argv) == 1
  said = capsys.readouterr()
  assert "has no StudyInstanceUID" in said.err
  assert "DICOM objects of 2 films" in said.out
  assert "; 1 images are no DICOM files and have none" in said.out
  names = {path.name for path in objects.iterdir()}
  kinds = ("sr", "gsps", "sc", "seg")
  assert names == {f"{s}_{k}.dcm" for s in ("a", "turned") for k in kinds}
  record = json.loads((tmp_path / "out" / "predictions.json").read_text())
  films = {
    image["file"].rpartition("/")[2]: image for image in record["images"]
  }
  assert films["a.dcm"]["dicom"] == [
    f"a_{k}.dcm" for k in ("sr", "sc", "gsps", "seg")
  ]
  assert films["b.png"]["dicom"] == films["no study.dcm"]["dicom"] == []
  (failed,) = record["failed"]
  assert failed["reason"].startswith("no DICOM results: has no Study")
  # Drawn are the three most probable boxes, in stored pixels.
  of = films["turned"]["findings"]
  likely = sorted(of, key=lambda name: -of[name]["probability"])[:3]
  state = pydicom.dcmread(objects / "turned_gsps.dcm")
  drawn = [
    np.reshape(a.GraphicObjectSequence[0].GraphicData, (-1, 2))
    for a in state.GraphicAnnotationSequence
  ]
  assert {tuple(np.r_[c.min(0), c.max(0)].round(1)) for c in drawn} == {
    tuple(np.round(of[name]["box"], 1)) for name in likely
  }
  # The patient is in the objects, and nowhere else.
  for name in names:
    assert pydicom.dcmread(objects / name).PatientName == NAME
  texts = [path.read_bytes() for path in (tmp_path / "out").iterdir()]
  texts += [(said.out + said.err).encode()]
  assert not [t for t in texts if NUMBER.encode() in t or b"Geheim" in t]
  # A second run finds the same films, and writes the same UIDs. A picture of
  # ours that comes back from an archive is none to predict.
  before = {n: pydicom.dcmread(objects / n).SOPInstanceUID for n in names}
  shutil.copy(objects / "a_sc.dcm", given / "back.dcm")
  assert run(workdir, tmp_path, *argv) == 1
  said = capsys.readouterr()
  assert "5 images" in said.out
  assert "back.dcm: no DICOM results: is itself a picture that" in said.err
  assert {path.name for path in objects.iterdir()} == names
  for name, known in before.items():
    assert pydicom.dcmread(objects / name).SOPInstanceUID == known


def test_options_that_would_do_nothing_are_refused(workdir, tmp_path, capsys):
  path = tmp_path / "b.png"
  Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(path)
  assert run(workdir, tmp_path, "--dicom_seg", path) == 2
  assert "--dicom_seg needs --dicom_out=DIR" in capsys.readouterr().err
  assert run(workdir, tmp_path, f"--dicom_out={tmp_path / 'd'}", path) == 2
  assert "none of 1 images is a DICOM file" in capsys.readouterr().err
  assert not (tmp_path / "d").exists()
  assert not (tmp_path / "out").exists()
