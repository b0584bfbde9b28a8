"""Small sets in published layouts, and how they are opened."""

import numpy as np
from PIL import Image

from chexjax.data.own_set import open_own_set
from chexjax.data.sources import label_matrix, true_boxes
from experiments import prepare_own

WIDTH, HEIGHT = 200, 100


def films(folder, *names):
  for number, name in enumerate(names):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    grey = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH), "u1")
    Image.fromarray(grey).save(path)


def write(path, *lines):
  path.parent.mkdir(parents=True, exist_ok=True)
  path.write_text("\n".join(lines) + "\n")


def prepare(layout, source, out, *more):
  argv = [f"--from={layout}", f"--source={source}", f"--out={out}", *more]
  return prepare_own.main(argv)


def opened(folder):
  """Return by file: labels by name, boxes in pixels of the film, and split."""
  dataset = open_own_set(folder, size=100)
  names = dataset.metadata["findings"]
  found = {}
  for split, source in dataset.splits.items():
    for i, labels in enumerate(label_matrix(source)):
      example = source[i]
      boxes = {
        name: sorted((b * [2, 1, 2, 1]).round(3).tolist() for b in own)
        for name, own in true_boxes(example, names, 100).items()
      }
      file = example["file_name"].decode()
      found[file] = (dict(zip(names, labels.tolist())), boxes, split)
  return found


def vindr(source):
  films(source, *(f"train/{i}.png" for i in "abcd"))
  write(
    source / "train.csv",
    "image_id,class_name,class_id,rad_id,x_min,y_min,x_max,y_max",
    "a,Nodule/Mass,8,R8,10,20,50,60",
    "a,Nodule/Mass,8,R9,10,20,52,60",
    "a,ILD,5,R9,0,0,200,100",
    "b,No finding,14,R8,,,,",
    "b,No finding,14,R9,,,,",
    "c,ILD,5,R8,1,1,9,9",
    "d,No finding,14,R8,,,,",
  )
