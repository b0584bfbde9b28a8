"""A set of every published layout goes through to a trained model."""

import json

import pytest
from layout_sets import films, prepare, write
from tiny import TINY_OWN

import chexjax
from chexjax.data.layouts import LAYOUTS
from experiments import run

IDS = [f"film{i:02}" for i in range(20)]


def vindr(source):
  films(source, *(f"train/{name}.png" for name in IDS))
  box, none = "ILD,5,R1,20,20,80,60", "No finding,14,R1,,,,"
  write(
    source / "train.csv",
    "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max",
    *(f"{n},{none if i % 2 else box}" for i, n in enumerate(IDS)),
  )
  return "ILD"


def rsna(source):
  films(source, *(f"images/{name}.png" for name in IDS))
  write(
    source / "stage_2_train_labels.csv",
    "patientId,x,y,width,height,Target",
    *(f"{n},{',,,,0' if i % 2 else '20,20,60,40,1'}"
      for i, n in enumerate(IDS)),
  )  # fmt: skip
  return "Lung Opacity"


def chexpert(source):
  names = [f"train/patient{i:05}/study1/view1_frontal.jpg" for i in range(20)]
  held = "valid/patient90000/study1/view1_frontal.jpg"
  films(source, *names, held)
  header = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Edema"
  about = "Female,68,Frontal,AP"
  lines = [
    f"C/{name},{about},{'1.0,' if i % 2 else ',1.0'}"
    for i, name in enumerate(names)
  ]
  write(source / "train.csv", header, *lines)
  write(source / "valid.csv", header, f"C/{held},{about},,1.0")
  return "Edema"


def siim(source):
  films(source, *(f"{name}.png" for name in IDS))
  write(
    source / "train-rle.csv",
    "ImageId, EncodedPixels",
    *(f"{n}, {'-1' if i % 2 else '204900 100 924 100'}"
      for i, n in enumerate(IDS)),
  )  # fmt: skip
  return "Pneumothorax"


def coco(source):
  films(source / "images", *(f"{name}.png" for name in IDS))
  record = {
    "images": [
      {"id": i, "file_name": f"{n}.png", "width": 200, "height": 100}
      for i, n in enumerate(IDS)
    ],
    "categories": [{"id": 1, "name": "Nodule"}],
    "annotations": [
      {"id": i, "image_id": i, "category_id": 1, "bbox": [20, 20, 60, 40]}
      for i in range(0, 20, 2)
    ],
  }
  write(source / "instances.json", json.dumps(record))
  return "Nodule"


def yolo(source):
  films(source / "images", *(f"{name}.png" for name in IDS))
  write(source / "classes.txt", "Mass")
  for i, name in enumerate(IDS):
    line = "" if i % 2 else "0 0.5 0.5 0.3 0.4"
    write(source / "labels" / f"{name}.txt", line)
  return "Mass"


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_set_is_prepared_and_trained_on(layout, tmp_path):
  source = tmp_path / "C"
  finding = globals()[layout](source)
  out = source if layout == "chexpert" else tmp_path / "out"
  assert prepare(layout, source, out) == 0
  workdir = tmp_path / "w"
  argv = [*TINY_OWN, "--stage=1", "--image_size=128", f"--data_dir={out}"]
  assert run.main([*argv, f"--workdir={workdir}"]) == 0
  assert chexjax.load(workdir).findings == (finding,)
  results = json.loads((workdir / "results.json").read_text())
  assert finding in results["auc"]
