"""A set of one's own with a test split, and predictions for it."""

import csv
import json

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 96, 64


class OwnPredictions:
  """A set of 60 films of 40 patients, half of them in the test split."""

  def __init__(self, folder, findings=("Cat", "Dog")):
    self.folder, self.findings = folder, findings
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    rng = np.random.default_rng(0)
    self.labels = ["file,findings,patient,split"]
    self.boxes = ["file,finding,x,y,w,h"]
    self.test, self.truth = {}, {}
    for i in range(60):
      name = f"{'ab'[i % 2]}/{i:02}.png"
      grey = rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8)
      Image.fromarray(grey).save(folder / name)
      own = [f for k, f in enumerate(findings) if (i // 2 + k) % 3]
      split = "test" if i >= 20 else "train"
      patient = f"p{i - 20 if i >= 20 else i // 2 + 50}"
      self.labels.append(f"{name},{'|'.join(own)},{patient},{split}")
      if split == "test":
        self.test[name] = own
      for f in own:
        x, y = rng.integers(0, 40), rng.integers(0, 30)
        self.boxes.append(f"{name},{f},{x},{y},48,32")
        if split == "test":
          self.truth[name, f] = (int(x), int(y), 48, 32)
    self.write()

  def write(self):
    (self.folder / "labels.csv").write_text("\n".join(self.labels) + "\n")
    (self.folder / "boxes.csv").write_text("\n".join(self.boxes) + "\n")

  def write_scores(self, folder, names=None, findings=None):
    rng = np.random.default_rng(1)
    folder.mkdir(exist_ok=True)
    names = names or {name: name for name in self.test}
    findings = findings or self.findings
    with (folder / "scores.csv").open("w", newline="") as file:
      writer = csv.writer(file)
      writer.writerow([*findings, "file"])
      for key, own in self.test.items():
        told = [0.4 * (f in own) + 0.6 * rng.random() for f in findings]
        writer.writerow([*told, names[key]])

  def write_boxes(self, folder, boxes=None):
    folder.mkdir(exist_ok=True)
    rows = [
      {"file": n, "finding": f, **dict(zip("xywh", box)), "score": 0.5}
      for (n, f), box in (boxes or self.truth).items()
    ]
    (folder / "boxes.json").write_text(json.dumps(rows))

  def write_maps(self, folder):
    for name in self.test:
      heat = np.random.default_rng(2).random((2, 16, 24)) * 0.1
      for k, f in enumerate(self.findings):
        if (name, f) in self.truth:
          x, y, w, h = np.array(self.truth[name, f]) / 4
          heat[k, round(y) : round(y + h), round(x) : round(x + w)] += 0.5
      path = (folder / "maps" / name).with_suffix(".npz")
      path.parent.mkdir(parents=True, exist_ok=True)
      np.savez(path, findings=np.array(self.findings), sal=heat)
