"""Makes a corpus of bad and odd input files.

  python tests/faults/make_corpus.py FOLDER

`images(folder)` writes image files and returns what each must become: OK, BAD,
or OTHER: an image that is neither PNG nor JPEG, which only a dataset takes.
`lists`, `scores`, `boxes_json` and `maps` give changes to a good folder of
lists or predictions, each with the words that its fault must be told in, or
None where it is no fault.
"""

import io
import pathlib
import sys

import numpy as np
from corpus_images import BAD, flipped, images


def write_lists(folder, count, test):
  """Lists of images 0 to `count`, one a patient, the last `test` to test on."""
  folder.mkdir(exist_ok=True, parents=True)
  names = [f"{i:08d}_000.png" for i in range(1, count + 1)]
  header = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,"
    "Patient Gender,View Position,OriginalImage[Width,Height],"
    "OriginalImagePixelSpacing[x,y],"
  )
  rows = [
    f"{name},{'Mass' if i % 2 else 'No Finding'},0,{i},{20 + i},M,PA,9,9,1,1,"
    for i, name in enumerate(names, 1)
  ]
  boxed = names[-1] if count % 2 else names[-2]
  texts = {
    "Data_Entry_2017.csv": [header, *rows],
    "BBox_List_2017.csv": [
      "Image Index,Finding Label,Bbox [x,y,w,h],,,",
      f"{boxed},Mass,100.0,100.0,300.0,300.0,,,",
    ],
    "train_val_list.txt": names[:-test],
    "test_list.txt": names[-test:],
  }
  for name, lines in texts.items():
    (folder / name).write_text("\n".join(lines) + "\n")
  return names


# What is wrong inside of the compressed data shows when it is decoded.


def _line(text, number, new):
  lines = text.split("\n")
  lines[number] = new(lines[number])
  return "\n".join(lines)


def lists(entries, boxes, names):
  """Yields `(what, file, bytes, words)` for the texts of good official lists.

  Args:
    entries: of Data_Entry_2017.csv.
    boxes: of BBox_List_2017.csv.
    names: of test_list.txt.
  """

  def entry(what, text, words):
    return what, "Data_Entry_2017.csv", text.encode(), words

  def cell(number, value):
    def new(line):
      cells = line.split(",")
      cells[number] = value
      return ",".join(cells)

    return _line(entries, 1, new)

  header, row = entries.split("\n")[:2]
  yield entry("BOM", "\ufeff" + entries, None)
  yield entry("CRLF", entries.replace("\n", "\r\n"), None)
  yield entry("CR alone", entries.replace("\n", "\r"), None)
  yield entry("blank lines", entries.replace("\n", "\n\n"), None)
  yield entry(
    "reordered columns",
    "\n".join(
      ",".join([line.split(",")[1], line.split(",")[0], *line.split(",")[2:]])
      for line in entries.splitlines()
    ),
    None,
  )
  lacking = header.replace("Patient ID", "Patient")
  yield entry("lost column", entries.replace(header, lacking), "Patient ID")
  twice = header.replace("Follow-up #", "Patient ID")
  yield entry("doubled column", entries.replace(header, twice), "Patient ID")
  yield entry("empty file", "", "the header lacks")
  yield entry("header alone", header + "\n", "no rows")
  yield entry("short row", entries + "00000000_009.png,Mass\n", "2 fields")
  yield entry("same row twice", entries + row + "\n", "is there twice")
  other = row.replace(row.split(",")[1], "Hernia")
  yield entry("conflicting row", entries + other + "\n", "is there twice")
  yield entry("unknown label", cell(1, "Fracture"), "'Fracture'")
  yield entry("misspelled label", cell(1, "Atelektasis"), "did you mean")
  yield entry("two-faced label", cell(1, "No Finding|Mass"), "is both")
  yield entry("quoted newline", cell(1, '"Ma\nss"'), "Finding Labels")
  yield entry("open quote", cell(1, '"Mass'), "not closed")
  yield entry("long field", cell(1, "x" * 200_000), "field larger")
  yield entry("infinite patient", cell(3, "inf"), "Patient ID is 'inf'")
  yield entry("huge patient", cell(3, "1e300"), "Patient ID is '1e300'")
  yield entry("NaN follow-up", cell(2, "nan"), "Follow-up # is 'nan'")
  yield entry("endless age", cell(4, "9" * 5000), "Patient Age")
  yield entry("other view", cell(6, "LL"), "View Position is 'LL'")
  yield entry("NUL", cell(6, "\0"), "View Position is")
  yield ("UTF-16", "Data_Entry_2017.csv", entries.encode("utf-16"), "as text")
  yield ("false gzip", "Data_Entry_2017.csv", b"\x1f\x8b123", "as text")
  good = boxes.split("\n")[1].split(",")
  for what, numbers, words in (
    ("negative", "-50,1,9,9", "outside"),
    ("empty", "5,5,0,9", "must be above 0"),
    ("negative width", "5,5,-3,9", "must be above 0"),
    ("outside", "1000,5,100,9", "outside"),
    ("at the edge", "1024.2,5,0.3,9", "no area"),
    ("NaN", "nan,5,9,9", "must be four numbers"),
    ("infinite", "5,5,inf,9", "must be four numbers"),
    ("text", "5,5,wide,9", "must be four numbers"),
  ):
    text = boxes + ",".join([*good[:2], numbers]) + ",,,\n"
    yield f"box {what}", "BBox_List_2017.csv", text.encode(), words
  for what, name, finding, words in (
    ("of a stranger", "00099999_000.png", good[1], "no row in Data_Entry"),
    ("of an unknown finding", good[0], "Fracture", "'Fracture'"),
    ("of another finding", good[0], "Hernia", "a box of Hernia"),
  ):
    text = boxes + f"{name},{finding},1,1,9,9,,,\n"
    yield f"box {what}", "BBox_List_2017.csv", text.encode(), words
  first = names.split()[0]
  for what, text, words in (
    ("stranger", names + "00099999_000.png\n", "no row in Data_Entry"),
    ("name twice", names + first + "\n", "is there twice"),
    ("empty list", "\n\n", "names no image"),
  ):
    yield what, "test_list.txt", text.encode(), words
  yield "bytes", "test_list.txt", b"\xff\xfe\0\1", "as text"


def scores(text):
  """Yields `(what, bytes, words)` for the text of a good scores.csv."""
  header, row, *rest = text.splitlines()
  tail = "\n".join(rest) + "\n"
  cells = row.split(",")

  def first(value):
    return (
      f"{header}\n{cells[0]},{value},{','.join(cells[2:])}\n{tail}".encode()
    )

  yield "BOM and CRLF", ("\ufeff" + text.replace("\n", "\r\n")).encode(), None
  yield "empty", b"", "lacks the column 'file'"
  yield "header alone", header.encode(), "missing images"
  yield "UTF-16", text.encode("utf-16"), None
  yield "Latin-1", text.replace("file", "film-ö").encode("l1"), "no UTF-8 text"
  yield "NaN", first("nan"), "NaN or infinite"
  yield "infinite", first("1e999"), "NaN or infinite"
  yield "above 1", first("1.5"), "outside 0..1"
  yield "text", first("high"), "not a number"
  yield "open quote", first('"0.5'), "scores.csv"
  yield "long field", first("1" * 200_000), "broken lines"
  yield "NUL", first("\0"), "not a number"
  yield "twice", f"{text}{row}\n".encode(), "twice"
  stranger = ",".join(["00099999_000.png", *cells[1:]])
  yield "stranger", f"{text}{stranger}\n".encode(), "unknown image names"
  yield "short", f"{text}a,b\n".encode(), "rows without 15 fields"
  yield (
    "doubled column",
    text.replace(header, f"{header},Mass").encode(),
    "columns that are there twice",
  )
  yield (
    "unknown column",
    text.replace("Mass", "Mas", 1).encode(),
    "did you mean",
  )


def boxes_json(row):
  """Yields `(what, text, words)` of boxes.json around a good row's JSON."""
  yield "nothing", "", "not JSON"
  yield "no list", "{}", "must hold a list"
  yield "cut off", f"[{row}", "not JSON"
  yield "deep", "[" * 100_000, "not JSON"
  yield "numbers", "[1, 2, 3]", "entries without"
  yield "NaN", f"[{row.replace('10', 'NaN')}]", "NaN, infinite"
  yield "huge integer", f"[{row.replace('10', '9' * 400)}]", "NaN, infinite"
  yield "truth", f"[{row.replace('10', 'true')}]", "not a number"
  listed, numbered = row.replace('"Mass"', "[]"), row.replace('"a.png"', "7")
  yield "list for a finding", f"[{listed}]", "unknown findings"
  yield "number for a file", f"[{numbered}]", "unknown image names"


def maps(good):
  """Yields `(what, bytes, words)` for a good map file's bytes."""
  yield "empty", b"", "unreadable"
  yield "text", b"no archive", "unreadable"
  yield "truncated", good[: len(good) // 2], "unreadable"
  yield "damaged", flipped(good, len(good) // 3), "unreadable"
  buffer = io.BytesIO()
  np.save(buffer, np.zeros(3))
  yield "npy", buffer.getvalue(), "unreadable"
  buffer = io.BytesIO()
  np.savez(buffer, findings=np.array([object()]), sal=np.zeros(3))
  yield "pickled", buffer.getvalue(), "allow_pickle"
  buffer = io.BytesIO()
  np.savez_compressed(
    buffer, findings=np.zeros(1), sal=np.zeros(2**29 + 1, "u1")
  )
  yield "bomb", buffer.getvalue(), "unpacks to"


def main(argv=None):
  """Writes the images to a folder and counts them."""
  (folder,) = sys.argv[1:] if argv is None else argv
  expected = images(pathlib.Path(folder))
  bad = sum(what == BAD for what in expected.values())
  print(f"{len(expected)} files in {folder}, {bad} of them bad")


if __name__ == "__main__":
  main()
