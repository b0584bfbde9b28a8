"""Counts on a folder of real films what `chexjax.data.likeness` says of them.

  python tests/faults/false_alarms.py FOLDER

As they are (upright frontal films: every alarm is a false one), inverted,
upside down and on either side.
"""

import pathlib
import sys

import cv2
import numpy as np

from chexjax.data import likeness

TURNED = {
  "as they are": lambda a: a,
  likeness.INVERTED: lambda a: 255 - a,
  likeness.UPSIDE_DOWN: lambda a: a[::-1],
  likeness.SIDEWAYS: np.rot90,
  "on the other side": lambda a: np.rot90(a, -1),
}


def main():
  """Prints the counts."""
  (folder,) = map(pathlib.Path, sys.argv[1:])
  counts = {name: {} for name in TURNED}
  files = sorted(p for p in folder.iterdir() if p.suffix in (".png", ".jpg"))
  for file in files:
    image = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    # The thumbnail's mean over areas may be taken in two steps.
    image = cv2.resize(image, (128, 128), interpolation=cv2.INTER_AREA)
    for name, turn in TURNED.items():
      said = likeness.doubt(np.ascontiguousarray(turn(image))) or "right"
      counts[name][said] = counts[name].get(said, 0) + 1
  for name, found in counts.items():
    print(f"{name}, {len(files)} films: {found}")


if __name__ == "__main__":
  main()
