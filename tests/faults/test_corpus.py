"""Bad and odd input: the file and the reason, and the good is still served."""

import json
import multiprocessing
import os
import resource

import make_corpus
import numpy as np
import pytest
import tensorflow_datasets as tfds
from corpus_images import BAD, OK, OTHER
from PIL import Image, ImageOps
from tiny_workdir import make_workdir

import tfds_chestxray14  # noqa: F401  registers the dataset
from chexjax.data import headers
from chexjax.data.decoding import decode_grey, read_grey
from chexjax.data.images import read_film
from chexjax.evaluation.submissions.official_lists import read_official_lists
from experiments import predict
from tfds_chestxray14 import check, encoding

# Pillow's own, for what it opens and we then refuse.
pytestmark = pytest.mark.filterwarnings("ignore:Image size")
GIB = 2**30


INSIDE = {
  "bad_data_crc.png", "no_data.png", "too_little_data.png", "depth_3.png",
  "colour_7.png", "no_width.png", "bad_header_crc.png", "text_bomb.png",
}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
  folder = tmp_path_factory.mktemp("corpus") / "films"
  return folder, make_corpus.images(folder)


@pytest.fixture(params=["threads", "worker"])
def reader(request, monkeypatch):
  """Reads as a process does that has threads, and as its worker does."""
  parent = None if request.param == "threads" else object()
  monkeypatch.setattr(multiprocessing, "parent_process", lambda: parent)


@pytest.mark.usefixtures("reader")
def test_training_and_prediction_read_the_same_pixels(corpus):
  folder, expected = corpus
  for name, what in expected.items():
    path = folder / name
    if not path.is_file():
      continue
    if what != OK:
      for read in (read_film, read_grey):
        with pytest.raises(ValueError, match=r"\S"):
          read(path, 32)
      continue
    for size in (32, 64):
      film = read_film(path, size)
      np.testing.assert_array_equal(read_grey(path, size), film.image, name)
      # Pillow's own, without any of our short cuts.
      with Image.open(path) as image:
        upright = ImageOps.exif_transpose(image)
      grey = encoding.to_grey(upright)
      np.testing.assert_array_equal(film.original, np.asarray(grey), name)
      if "exif" not in name:
        record = encoding.stored(str(path), size)
        np.testing.assert_array_equal(decode_grey(record), film.image, name)


@pytest.mark.usefixtures("reader")
def test_every_orientation_is_undone(corpus):
  folder, _ = corpus
  shown = read_film(folder / "exif_1.png", 64).image[..., 0]
  for orientation, back in {
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a, 1),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a, -1),
  }.items():
    turned = read_film(folder / f"exif_{orientation}.png", 64)
    np.testing.assert_array_equal(back(turned.image[..., 0]), shown)
    assert "EXIF" in turned.notes[0]
  assert read_film(folder / "exif_nonsense.jpg", 64).notes == ()


def test_a_header_tells_what_is_no_whole_film(corpus):
  folder, expected = corpus
  for name, what in expected.items():
    header = headers.read_header(folder / name)
    if what == OK:
      shape = read_film(folder / name, 64).original.shape
      assert (header.height, header.width) == shape, name
      digit = name.removeprefix("exif_")[0]
      turns = name.startswith("exif_") and digit in "2345678"
      assert header.turned == turns, name
    elif name not in INSIDE:
      assert isinstance(header, str), name
  for name, said in {
    "pointer.png": "git lfs pull",
    "page.png": "web page",
    "dicom.png": "DICOM",
    "empty.png": "is empty",
    "truncated_half.png": "truncated",
    "pipe.png": "no regular file",
    "dangling.png": "not there",
    "gif.png": "is GIF, must be PNG, JPEG or DICOM",
  }.items():
    assert said in headers.read_header(folder / name), name


def peak():
  return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


@pytest.mark.slow
def test_predict_serves_the_good_and_names_the_bad(tmp_path, capsys):
  workdir = make_workdir(tmp_path / "run")[0]
  folder, out = tmp_path / "in", tmp_path / "out"
  expected = make_corpus.images(folder)
  assert len(expected) >= 60
  argv = [f"--weights={workdir}", f"--out={out}", "--batch_size=8"]
  # The model's own use is counted too: to run it twice would compile it twice.
  before = peak()
  assert predict.main([*argv, str(folder)]) == 1
  assert peak() - before < GIB
  record = json.loads((out / "predictions.json").read_text())
  done = {os.path.basename(image["file"]) for image in record["images"]}
  failed = {os.path.basename(f["file"]): f["reason"] for f in record["failed"]}
  assert done == {name for name, what in expected.items() if what == OK}
  assert failed.keys() == {n for n, what in expected.items() if what != OK}
  said = capsys.readouterr().err
  assert "Traceback" not in said
  for name, reason in failed.items():
    assert name in said
    assert len(reason) > 8
  for name in ("20000x20000.png", "10000x10000.png", "bomb.png"):
    assert "pixels" in failed[name]
  notes = {
    os.path.basename(image["file"]): " ".join(image["notes"])
    for image in record["images"]
  }
  for orientation in range(2, 9):
    assert "EXIF" in notes[f"exif_{orientation}.jpg"]
  assert "12 bits" in notes["12_in_16.png"]
  for image in record["images"]:
    assert (out / image["overlay"]).is_file()
    for of in image["findings"].values():
      x1, y1, x2, y2 = of["box"] or (0, 0, 1, 1)
      assert 0 <= x1 < x2 <= image["width"]
      assert 0 <= y1 < y2 <= image["height"]


@pytest.fixture
def listed(tmp_path):
  """A folder in NIH's layout whose images are the corpus, by number."""
  folder = tmp_path / "nih"
  expected = make_corpus.images(tmp_path / "corpus")
  names = make_corpus.write_lists(folder, len(expected), len(expected) // 2)
  (folder / "images").mkdir()
  of = {}
  for name, (source, what) in zip(names, sorted(expected.items())):
    os.rename(tmp_path / "corpus" / source, folder / "images" / name)
    of[name] = what
  (folder / "images" / "00099999_000.png").mkdir()
  (folder / "images" / os.fsdecode(b"\xff.png")).write_bytes(b"")
  return folder, of


def test_check_and_builder_name_the_bad_and_build_the_good(
  listed, tmp_path, capsys
):
  folder, expected = listed
  bad = {name for name, what in expected.items() if what == BAD}
  before = peak()
  options = [str(folder), "--decode", "--list_surplus"]
  assert check.main(options) == 1
  said = capsys.readouterr().out
  assert f"{len(bad)} bad images" in said
  for name in expected:
    assert (name in said.split("bad images:")[1]) == (name in bad), name
  assert check.main([*options, "--skip_bad"]) == 0
  builder = tfds.builder(
    "chest_xray14/128px", data_dir=tmp_path / "records", skip_bad=True
  )
  builder.download_and_prepare(
    download_config=tfds.download.DownloadConfig(manual_dir=folder)
  )
  assert peak() - before < GIB
  stored = {
    example["file_name"].decode()
    for split in builder.info.splits
    for example in builder.as_data_source(split)
  }
  assert stored == expected.keys() - bad
  assert {f"{k}.png" for k in builder.info.metadata["quarantine"]} == bad
  assert OTHER in expected.values()


def test_every_fault_of_the_lists_is_told(tmp_path, capsys):
  folder = tmp_path / "nih"
  names = make_corpus.write_lists(folder, 9, 3)
  make_corpus.images(tmp_path / "corpus")
  for name in names:
    data = (tmp_path / "corpus" / "good.png").read_bytes()
    (folder / name).write_bytes(data)
  assert check.main([str(folder)]) == 0
  files = ("Data_Entry_2017.csv", "BBox_List_2017.csv", "test_list.txt")
  texts = [(folder / file).read_text() for file in files]
  tried = 0
  for what, file, data, words in make_corpus.lists(*texts):
    before = (folder / file).read_bytes()
    (folder / file).write_bytes(data)
    capsys.readouterr()
    status = check.main([str(folder)])
    said = "".join(capsys.readouterr())
    if words is None:
      assert status == 0, what
      assert len(read_official_lists(folder, None).keys) == 3, what
    else:
      assert status in (1, 2), what
      assert words in said, what
      assert file in said, what
      with pytest.raises(ValueError, match=r"nih"):
        read_official_lists(folder, None)
    (folder / file).write_bytes(before)
    tried += 1
  assert tried >= 35
