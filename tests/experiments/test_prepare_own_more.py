"""COCO and YOLO, and what no layout can be made of."""

import json

import pytest
from layout_sets import HEIGHT, WIDTH, films, opened, prepare, vindr, write

from chexjax.data.layouts import LAYOUTS


def coco(names, categories=("Nodule, small", "No finding")):
  return {
    "images": [
      {"id": i, "file_name": name, "width": WIDTH, "height": HEIGHT}
      for i, name in enumerate(names)
    ],
    "categories": [{"id": 7 + i, "name": n} for i, n in enumerate(categories)],
    "annotations": [
      {"id": 1, "image_id": 0, "category_id": 7, "bbox": [10, 20, 30, 40]},
      {"id": 2, "image_id": 1, "category_id": 8, "bbox": [0, 0, 1, 1]},
    ],
  }


def test_coco(tmp_path, capsys):
  source = tmp_path / "in"
  for split in ("train", "val", "test"):
    names = [f"{split}_{i}.png" for i in range(3)]
    films(source / f"{split}2017", *names)
    text = json.dumps(coco(names))
    write(source / "annotations" / f"instances_{split}2017.json", text)
  write(source / "annotations" / "captions.json", "[]")
  assert prepare("coco", source, tmp_path / "out") == 0
  assert "9 films, 3 boxes; positive: Nodule small 3" in capsys.readouterr().out
  found = opened(tmp_path / "out")
  assert found["images/val2017/val_0.png"] == (
    {"Nodule small": 1},
    {"Nodule small": [[10, 20, 40, 60]]},
    "validation",
  )
  assert found["images/test2017/test_1.png"] == (
    {"Nodule small": 0},
    {},
    "test",
  )


@pytest.mark.parametrize("form", ["images/{}", "{}/images"])
@pytest.mark.parametrize(
  "names",
  ["names: [Mass, Hernia]", "names:\n- Mass\n- Hernia",
   "names:\n  0: Mass\n  1: Hernia"],
)  # fmt: skip
def test_yolo(tmp_path, capsys, form, names):
  source = tmp_path / "in"
  for split in ("train", "valid", "test"):
    folder = form.format(split)
    films(source / folder, "a.png", "b.png")
    texts = source / folder.replace("images", "labels")
    write(texts / "a.txt", "1 0.5 0.5 0.2 0.4", "0 0.1 0.1 0.2 0.2 0.9")
  write(source / "data.yaml", "nc: 2", names)
  assert prepare("yolo", source, tmp_path / "out") == 0
  assert "6 images, 3 of them without a box" in capsys.readouterr().out
  found = opened(tmp_path / "out")
  labels, boxes, split = found[f"images/{form.format('valid')}/a.png"]
  assert labels == {"Hernia": 1, "Mass": 1}
  assert boxes == {"Hernia": [[80, 30, 120, 70]], "Mass": [[0, 0, 40, 20]]}
  assert split == "validation"
  assert found[f"images/{form.format('test')}/b.png"][0]["Mass"] == 0


def test_yolo_without_splits_and_with_classes_txt(tmp_path):
  source = tmp_path / "in"
  films(source / "images", "a.png", "b.png", "c.png")
  write(source / "labels" / "a.txt", "0 0.5 0.5 0.2 0.4")
  write(source / "labels" / "classes.txt", "Mass")
  assert prepare("yolo", source, source) == 0
  assert opened(source)["images/a.png"][0] == {"Mass": 1}


BAD = {
  "vindr": ("train.csv", "image_id,class_name\na,ILD", "lacks x_min"),
  "rsna": (
    "stage_2_train_labels.csv",
    "patientId,x,y,width,height,Target\na,1,1,x,5,1",
    "line 2: the box is",
  ),
  "chexpert": (
    "train.csv",
    "Path,Edema\na_frontal.jpg,high",
    "Edema is 'high'",
  ),
  "siim": ("train-rle.csv", "ImageId,EncodedPixels\na,1 2 3", "must be pairs"),
  "coco": (
    "a.json",
    '{"images": [], "annotations": [{"id": 1}], "categories": []}',
    "annotations[0] lacks image_id",
  ),
  "yolo": ("labels/a.txt", "3 0.5 0.5 0.1 0.1", "class '3' is none of the 1"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_bad_input_is_a_sentence(tmp_path, capsys, layout):
  source, out = tmp_path / "in", tmp_path / "out"
  assert prepare(layout, source, out) == 2
  assert "no folder" in capsys.readouterr().err
  source.mkdir()
  assert prepare(layout, source, out) == 2
  assert "error: no " in capsys.readouterr().err
  films(source, "images/a.png")
  write(source / "classes.txt", "Mass")
  name, text, said = BAD[layout]
  write(source / name, text)
  assert prepare(layout, source, out) == 2
  captured = capsys.readouterr().err
  assert said in captured
  assert name.split("/")[-1] in captured
  assert not out.exists()


def test_nothing_is_written_over(tmp_path, capsys):
  vindr(tmp_path / "in")
  out = tmp_path / "out"
  assert prepare("vindr", tmp_path / "in", out) == 0
  before = (out / "labels.csv").read_bytes()
  assert prepare("vindr", tmp_path / "in", out) == 2
  assert "is there already" in capsys.readouterr().err
  assert (out / "labels.csv").read_bytes() == before


def test_names_of_dicom_files_are_found(tmp_path, capsys):
  vindr(tmp_path / "in")
  for path in (tmp_path / "in" / "train").iterdir():
    path.rename(path.with_suffix(".dicom"))
  assert prepare("vindr", tmp_path / "in", tmp_path / "out") == 0
  assert "4 films, 4 boxes" in capsys.readouterr().out
  # What they are is told by their content.
  assert len(opened(tmp_path / "out")) == 4
