"""Published layouts, from a few rows by hand to an opened set."""

import numpy as np
import pytest
from dicom_films import film, ramp
from dicom_films import write as write_dicom
from layout_sets import HEIGHT, WIDTH, films, opened, prepare, vindr, write

from chexjax.data.layouts import siim


def test_vindr(tmp_path, capsys):
  vindr(tmp_path / "in")
  assert prepare("vindr", tmp_path / "in", tmp_path / "out") == 0
  said = capsys.readouterr().out
  assert (
    "7 lines, 3 of them without a finding, of 4 films and 2 readers" in said
  )
  assert "4 films, 4 boxes; positive: ILD 2, Nodule/Mass 1" in said
  found = opened(tmp_path / "out")
  assert len(found) == 4
  labels, boxes, _ = found["images/train/a.png"]
  assert labels == {"ILD": 1, "Nodule/Mass": 1}
  assert boxes == {
    "ILD": [[0, 0, 200, 100]],
    "Nodule/Mass": [[10, 20, 50, 60], [10, 20, 52, 60]],
  }
  assert found["images/train/b.png"][:2] == ({"ILD": 0, "Nodule/Mass": 0}, {})
  # The images are linked, not copied, and the source is as it was.
  assert (tmp_path / "out" / "images").resolve() == tmp_path / "in"
  assert sorted(p.name for p in (tmp_path / "in").iterdir()) == [
    "train",
    "train.csv",
  ]


def test_rsna(tmp_path, capsys):
  films(tmp_path / "png", "p1.png", "p2.png", "p3.png")
  write_dicom(film(ramp(8, width=200, height=100)), tmp_path / "png/p4.dcm")
  write(
    tmp_path / "in" / "stage_2_train_labels.csv",
    "patientId,x,y,width,height,Target",
    "p1,10.0,20.0,30.0,40.0,1",
    "p1,100,50,20,20,1",
    "p2,,,,,0",
    "p3,,,,,0",
    "p4,1,1,5,5,1",
    "p5,,,,,0",
  )
  write(
    tmp_path / "in" / "stage_2_detailed_class_info.csv",
    "patientId,class",
    "p1,Lung Opacity",
    "p1,Lung Opacity",
    "p2,Normal",
    "p3,No Lung Opacity / Not Normal",
  )
  status = prepare(
    "rsna", tmp_path / "in", tmp_path / "out", f"--images={tmp_path / 'png'}"
  )
  assert status == 0
  said = capsys.readouterr().out
  assert "6 lines of 5 films" in said
  assert "1 films of the tables have no image" in said
  assert "No Lung Opacity / Not Normal: 1, Normal: 1" in said
  found = opened(tmp_path / "out")
  assert found["images/p1.png"][:2] == (
    {"Lung Opacity": 1},
    {"Lung Opacity": [[10, 20, 40, 60], [100, 50, 120, 70]]},
  )
  assert found["images/p3.png"][:2] == ({"Lung Opacity": 0}, {})
  assert found["images/p4.dcm"][:2] == (
    {"Lung Opacity": 1},
    {"Lung Opacity": [[1, 1, 6, 6]]},
  )


def chexpert(source, *, test=False):
  header = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Edema,Fracture"
  root = "CheXpert-v1.0-small"
  names, lines = [], []
  for number in range(20):
    name = f"train/patient{number:05}/study1/view1_frontal.jpg"
    names.append(name)
    cells = ("1.0,,", ",1.0,0.0", ",-1.0,1.0", ",,-1.0")[number % 4]
    lines.append(f"{root}/{name},Female,68,Frontal,AP,{cells}")
  lateral = "train/patient00000/study1/view2_lateral.jpg"
  lines.append(f"{root}/{lateral},Female,68,Lateral,,,1.0,")
  films(source, *names, lateral)
  write(source / "train.csv", header, *lines)
  for split in ("valid", "test")[: 1 + test]:
    name = f"{split}/patient9{split}/study1/view1_frontal.jpg"
    films(source, name)
    line = f"{root}/{name},Male,50,Frontal,PA,0.0,1.0,0.0"
    write(source / f"{split}.csv", header, line)


@pytest.mark.parametrize("test", [False, True])
def test_chexpert(tmp_path, capsys, test):
  source = tmp_path / "CheXpert-v1.0-small"
  chexpert(source, test=test)
  assert prepare("chexpert", source, source) == 0
  said = capsys.readouterr().out
  assert "train.csv: 21 lines, 1 lateral films left out" in said
  found = opened(source)
  assert len(found) == 21 + test
  first = found["train/patient00001/study1/view1_frontal.jpg"]
  assert first[0] == {"Edema": 1, "Fracture": 0}
  unsure = found["train/patient00002/study1/view1_frontal.jpg"][0]
  assert np.isnan(unsure["Edema"])
  assert unsure["Fracture"] == 1
  # Not mentioned is absent.
  blank = found["train/patient00003/study1/view1_frontal.jpg"][0]
  assert blank["Edema"] == 0
  splits = [split for *_, split in found.values()]
  assert splits.count("test") == 1
  assert splits.count("validation") == (1 if test else 2)
  held_out = "test" if test else "valid"
  assert found[f"{held_out}/patient9{held_out}/study1/view1_frontal.jpg"][
    2
  ] == ("test")


def run_lengths(*boxes):
  """Encode the union of boxes x1, y1, x2, y2 as SIIM does."""
  mask = np.zeros((1024, 1024), int)
  for x1, y1, x2, y2 in boxes:
    mask[y1:y2, x1:x2] = 1
  flat = np.concatenate([[0], mask.T.ravel(), [0]])
  starts = np.flatnonzero(np.diff(flat) == 1)
  ends = np.flatnonzero(np.diff(flat) == -1)
  skipped = starts - np.concatenate([[0], ends[:-1]])
  return " ".join(f"{s} {e}" for s, e in zip(skipped, ends - starts)), mask


def test_siim(tmp_path, capsys):
  films(tmp_path / "in", "a.png", "b.png", "c.png")
  two, mask = run_lengths((100, 200, 300, 260), (600, 512, 700, 1024))
  one, _ = run_lengths((0, 0, 512, 512))
  np.testing.assert_array_equal(siim.decode_mask(two, where=""), mask)
  write(
    tmp_path / "in" / "train-rle.csv",
    "ImageId, EncodedPixels",
    f"a, {two}",
    f"a, {one}",
    "b, -1",
    "c,-1",
  )
  assert prepare("siim", tmp_path / "in", tmp_path / "out") == 0
  assert "4 lines of 3 films, 1 of them with a mask" in capsys.readouterr().out
  found = opened(tmp_path / "out")
  labels, boxes, _ = found["images/a.png"]
  assert labels == {"Pneumothorax": 1}
  scale = np.array([WIDTH, HEIGHT, WIDTH, HEIGHT]) / 1024
  want = [(0, 0, 512, 512), (100, 200, 300, 260), (600, 512, 700, 1024)]
  np.testing.assert_allclose(
    boxes["Pneumothorax"], np.array(want) * scale, atol=2e-3
  )
  assert found["images/b.png"][:2] == ({"Pneumothorax": 0}, {})
  for code in ("1 2 3", "5 -2", "0 1048577", "a b"):
    with pytest.raises(ValueError, match="line 7: EncodedPixels"):
      siim.decode_mask(code, where="line 7")
