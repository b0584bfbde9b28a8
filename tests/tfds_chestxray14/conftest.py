"""A small drawn set in the official layout."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

HEADER = (
  "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,"
  "Patient Gender,View Position,OriginalImage[Width,Height],"
  "OriginalImagePixelSpacing[x,y],"
)
PATIENTS = 24
TRAIN_VAL_PATIENTS = 16


@dataclasses.dataclass
class Folder:
  """A set on disk; the tests change its lists and write them again."""

  path: pathlib.Path
  rows: list[str]
  boxes: list[str]
  train_val: list[str]
  test: list[str]
  header: str = HEADER

  def write(self) -> pathlib.Path:
    self._put("Data_Entry_2017.csv", [self.header, *self.rows])
    self._put(
      "BBox_List_2017.csv",
      ["Image Index,Finding Label,Bbox [x,y,w,h],,,", *self.boxes],
    )
    self._put("train_val_list.txt", self.train_val)
    self._put("test_list.txt", self.test)
    return self.path

  def _put(self, name: str, lines: list[str]) -> None:
    text = "\ufeff" + "\r\n".join(lines) + "\r\n"
    (self.path / name).write_bytes(text.encode())


def _draw(seed: int, size: int = 128) -> Image.Image:
  """Draw a smooth grey image."""
  values = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
  return Image.fromarray(values).resize((size, size), Image.Resampling.BICUBIC)


@pytest.fixture
def draw() -> Callable[..., Image.Image]:
  """Return the function that draws an image from a seed."""
  return _draw


@pytest.fixture
def drawn(tmp_path: pathlib.Path) -> Folder:
  """24 patients with two images each, 16 of them in train_val_list.txt."""
  folder = Folder(tmp_path / "nih", [], [], [], [])
  (folder.path / "images").mkdir(parents=True)
  for patient in range(1, PATIENTS + 1):
    for follow_up in range(2):
      name = f"{patient:08d}_{follow_up:03d}.png"
      label = "Mass|Infiltration" if follow_up else "No Finding"
      sex, view = ("M", "PA") if patient % 2 else ("F", "AP")
      folder.rows.append(
        f"{name},{label},{follow_up},{patient},{30 + patient},{sex},{view},"
        "2500,2048,0.168,0.168,"
      )
      if patient <= TRAIN_VAL_PATIENTS:
        folder.train_val.append(name)
      else:
        folder.test.append(name)
      _draw(patient * 2 + follow_up).save(folder.path / "images" / name)
  folder.boxes = [
    "00000020_001.png,Infiltrate,256.0,512.0,128.0,256.0,,,",
    "00000020_001.png,Mass,0,0,1024,1024,,,",
  ]
  folder.write()
  return folder
