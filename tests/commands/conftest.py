"""Small official lists, and predictions for them."""

import csv
import json
import pathlib

import numpy as np
import pytest

from tfds_chestxray14.findings import BOXED_FINDINGS, FINDINGS

HEADER = (
  "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,"
  "Patient Gender,View Position,OriginalImage[Width,Height],"
  "OriginalImagePixelSpacing[x,y],"
)


class Lists:
  """Lists of 40 test images of 20 patients, 36 of them with boxes."""

  def __init__(self, folder: pathlib.Path):
    self.folder = folder
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows, boxes, self.names, self.boxes = [], [], [], []
    self.labels = {}
    for i in range(44):
      name = f"{i // 2:08d}_{i % 2:03d}.png"
      labels = {str(rng.choice(FINDINGS))} if i % 5 else set()
      if i < 36:
        finding = BOXED_FINDINGS[i % 3]
        labels.add(finding)
        x, y = rng.integers(0, 600, 2)
        w, h = rng.integers(150, 400, 2)
        spelled = "Infiltrate" if finding == "Infiltration" else finding
        boxes.append(f"{name},{spelled},{x}.0,{y}.0,{w}.0,{h}.0,,,")
        self.boxes.append(
          (name, finding, float(x), float(y), float(w), float(h))
        )
      if i < 40:
        self.names.append(name)
        self.labels[name] = labels
      text = "|".join(sorted(labels)) or "No Finding"
      sex, view = ("M", "PA") if i % 3 else ("F", "AP")
      rows.append(f"{name},{text},0,{i // 2},{20 + i},{sex},{view},1,1,1,1,")
    self._write("Data_Entry_2017.csv", [HEADER, *rows])
    head = "Image Index,Finding Label,Bbox [x,y,w,h],,,"
    self._write("BBox_List_2017.csv", [head, *boxes])
    self._write("test_list.txt", self.names)
    self._write("train_val_list.txt", [r.split(",")[0] for r in rows[40:]])

  def _write(self, name, lines):
    (self.folder / name).write_text("\n".join(lines) + "\n")

  def write_scores(self, folder, names=None, order=FINDINGS[::-1]):
    """Scores that know the labels a little; columns in another order."""
    rng = np.random.default_rng(1)
    folder.mkdir(exist_ok=True, parents=True)
    with (folder / "scores.csv").open("w", newline="") as file:
      writer = csv.writer(file)
      writer.writerow(["file", *order])
      for name in reversed(names or self.names):
        told = [f in self.labels.get(name, ()) for f in order]
        writer.writerow([name, *(0.3 * np.array(told) + 0.7 * rng.random(14))])

  def write_boxes(self, folder, rows):
    keys = ("file", "finding", "x", "y", "w", "h", "score")
    text = json.dumps([dict(zip(keys, row)) for row in rows])
    (folder / "boxes.json").write_text(text)

  def write_maps(self, folder, *, side=16, names=("sal", "det", "mix")):
    """Maps that are the true boxes, with noise; findings in another order."""
    (folder / "maps").mkdir()
    rng = np.random.default_rng(2)
    findings = BOXED_FINDINGS[::-1]
    for name, finding, x, y, w, h in self.boxes:
      heat = rng.random((8, side, side)) * 0.3
      cells = [round(v * side / 1024) for v in (x, y, x + w, y + h)]
      k = findings.index(finding)
      heat[k, cells[1] : cells[3], cells[0] : cells[2]] += 0.6
      maps = {n: heat.astype(np.float32) for n in names}
      maps[names[-1]] = (heat * 255).astype(np.uint8)
      path = folder / "maps" / f"{pathlib.Path(name).stem}.npz"
      np.savez(path, findings=np.array(findings), **maps)


@pytest.fixture
def lists(tmp_path):
  return Lists(tmp_path / "lists")
