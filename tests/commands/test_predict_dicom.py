"""A folder of DICOM through `predict` and `load`; no name gets out."""

import json
import pathlib

import numpy as np
import pytest
from dicom_films import NAME, NUMBER, film, pydicom, ramp, uid, write
from tiny_workdir import make_workdir

import chexjax
from chexjax.commands.predict import main

EIGHT = ramp(8).astype(np.uint8)


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
  return make_workdir(tmp_path_factory.mktemp("run"))[0]


def archive(folder):
  """What an export from an archive holds: films and other objects."""
  write(film(EIGHT, bits=8), folder / "IM1")
  mirrored = film(EIGHT[:, ::-1].copy(), bits=8, PatientOrientation=["R", "F"])
  write(mirrored, folder / "series" / "mirrored.dcm")
  write(film(EIGHT, bits=8), folder / "bare", preamble=False)
  write(film(EIGHT, bits=8, ViewPosition="LL"), folder / "lateral.dcm")
  write(film(EIGHT, bits=8, NumberOfFrames=2), folder / "two.dcm")
  for number, kind in enumerate(
    (uid.BasicTextSRStorage, uid.SegmentationStorage,
     uid.GrayscaleSoftcopyPresentationStateStorage, uid.BasicTextSRStorage)
  ):  # fmt: skip
    write(film(EIGHT, bits=8, SOPClassUID=kind), folder / f"other{number}")
  tests = pathlib.Path(pydicom.__file__).parent / "data" / "test_files"
  directory = (tests / "dicomdirtests" / "DICOMDIR").read_bytes()
  (folder / "DICOMDIR").write_bytes(directory)
  (folder / "notes.txt").write_text("not asked for")
  return folder


def test_an_archives_folder(workdir, tmp_path, capfd):
  folder, out = archive(tmp_path / "in"), tmp_path / "out"
  argv = [f"--weights={workdir}", f"--out={out}", "--raw", str(folder)]
  assert main(argv) == 1
  said = capfd.readouterr()
  assert (
    "5 images, 1 other files; skipped 2 Basic Text SR Storage, 1 " in said.out
  )
  assert "1 DICOMDIR" in said.out
  record = json.loads((out / "predictions.json").read_text())
  failed = {pathlib.Path(f["file"]).name: f["reason"] for f in record["failed"]}
  assert failed.keys() == {"lateral.dcm", "two.dcm"}
  assert "is a lateral view by its View Position" in failed["lateral.dcm"]
  films = {pathlib.Path(f["file"]).name: f for f in record["images"]}
  assert films.keys() == {"IM1", "mirrored.dcm", "bare"}
  plain, mirrored = films["IM1"], films["mirrored.dcm"]
  assert "Patient Orientation R\\F is undone" in " ".join(mirrored["notes"])
  for name, of in plain["findings"].items():
    same = mirrored["findings"][name]
    assert same["probability"] == pytest.approx(of["probability"], abs=1e-5)
    x1, y1, x2, y2 = of["box"]
    # Boxes are in the stored pixels, on the other side.
    assert same["box"] == pytest.approx([64 - x2, y1, 64 - x1, y2], abs=0.02)
  written = [p for p in out.rglob("*") if p.is_file()]
  assert len(written) >= 8
  for secret in (NAME, NUMBER, "Geheim", "4711"):
    assert secret not in said.out + said.err
    assert not [p for p in written if secret.encode() in p.read_bytes()]


def test_a_note_of_many_films_is_one_line(workdir, tmp_path, capsys):
  folder, out = tmp_path / "in", tmp_path / "out"
  for number in range(3):
    bare = film(EIGHT, bits=8, PatientOrientation=None, ViewPosition="")
    write(bare, folder / f"{number}.dcm")
  odd = film(EIGHT, bits=8, ViewPosition="PA", BurnedInAnnotation="YES")
  write(odd, folder / "odd.dcm")
  argv = [f"--weights={workdir}", f"--out={out}", str(folder)]
  assert main(argv) == 0
  lines = [x for x in capsys.readouterr().err.splitlines() if " note: " in x]
  (unknown,) = [x for x in lines if "whether it is a frontal view" in x]
  assert "note: 3 films, such as " in unknown
  (burned,) = [x for x in lines if "burned into its pixels" in x]
  assert f"note: {folder / 'odd.dcm'}: has text" in burned
  record = json.loads((out / "predictions.json").read_text())
  assert all(film["notes"] for film in record["images"])


def test_whose_film_it_is_on_request(workdir, tmp_path):
  folder, out = tmp_path / "in", tmp_path / "out"
  write(film(EIGHT, bits=8, ViewPosition="LL"), folder / "a.dcm")
  argv = [f"--weights={workdir}", f"--out={out}", "--laterals=flag"]
  assert main([*argv, "--keep_ids", str(folder)]) == 0
  (record,) = json.loads((out / "predictions.json").read_text())["images"]
  assert record["identity"]["patient_name"] == NAME
  assert record["identity"]["patient_id"] == NUMBER
  assert "is a lateral view" in " ".join(record["notes"])
  assert main([*argv, str(folder)]) == 0
  (record,) = json.loads((out / "predictions.json").read_text())["images"]
  assert "identity" not in record


def test_a_folder_of_other_objects_alone(workdir, tmp_path, capsys):
  kind = uid.BasicTextSRStorage
  write(film(SOPClassUID=kind), tmp_path / "in" / "report.dcm")
  argv = [f"--weights={workdir}", f"--out={tmp_path / 'out'}"]
  assert main([*argv, str(tmp_path / "in")]) == 2
  said = capsys.readouterr()
  assert "skipped 1 Basic Text SR Storage" in said.out
  assert "no PNG, JPEG or DICOM film in it" in said.err


def test_load_and_predict(workdir, tmp_path):
  path = write(film(EIGHT, bits=8), tmp_path / "a")
  model = chexjax.load(workdir)
  out = model.predict([path, EIGHT])
  np.testing.assert_allclose(out.logits[0], out.logits[1], atol=1e-5)
  np.testing.assert_allclose(out.boxes[0], out.boxes[1], atol=0.01)
  lateral = write(film(EIGHT, bits=8, ViewPosition="LL"), tmp_path / "b")
  with pytest.raises(ValueError, match="is a lateral view"):
    model.predict(lateral)
  assert model.predict(lateral, laterals="flag").boxes.shape == (1, 14, 4)
