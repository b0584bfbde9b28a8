"""DICOM films in a set of one's own: tables, boxes, training, evaluation."""

import numpy as np
import pytest
from dicom_films import NAME, NUMBER, film, ramp, write

from chexjax.data.own_set import open_own_set
from chexjax.data.pipeline import train_batches
from chexjax.data.sources import true_boxes
from chexjax.inference.own_truth import OwnTestFilms

EIGHT = ramp(8).astype(np.uint8)  # 64 wide, 48 high
BOX = (10, 4, 20, 30)  # x, y, w, h in stored pixels


def own_set(folder, *, orientation=("L", "F"), **tags):
  """Six films of three splits, one without a suffix; one box each."""
  lines, boxes = ["file,findings,split"], ["file,finding,x,y,w,h"]
  for number, split in enumerate(("train", "validation", "test") * 2):
    name = f"f{number}" + (".dcm" if number else "")
    dataset = film(EIGHT, bits=8, PatientOrientation=list(orientation), **tags)
    write(dataset, folder / name)
    lines.append(f"{name},Mass,{split}")
    boxes.append(",".join(map(str, (name, "Mass", *BOX))))
  (folder / "labels.csv").write_text("\n".join(lines))
  (folder / "boxes.csv").write_text("\n".join(boxes))
  return folder


def test_films_and_boxes_are_turned_together(tmp_path, capsys):
  upright = own_set(tmp_path / "a")
  example = open_own_set(upright, size=64).splits["train"][0]
  assert "6 films are DICOM files; boxes must be in their stored pixels" in (
    capsys.readouterr().out
  )
  (box,) = true_boxes(example, ["Mass"], 64)["Mass"]
  np.testing.assert_allclose(box, [10, 4 * 4 / 3, 30, 34 * 4 / 3], rtol=1e-6)
  mirrored = own_set(tmp_path / "b", orientation=("R", "F"))
  example = open_own_set(mirrored, size=64).splits["train"][0]
  (box,) = true_boxes(example, ["Mass"], 64)["Mass"]
  np.testing.assert_allclose(box, [34, 4 * 4 / 3, 54, 34 * 4 / 3], rtol=1e-6)
  assert "6 of them are turned as Patient Orientation says" in (
    capsys.readouterr().out
  )


def test_a_letterboxed_film_that_lies_on_its_side(tmp_path):
  folder = own_set(tmp_path, orientation=("F", "L"))
  dataset = open_own_set(folder, size=64, shape="letterbox")
  example = dataset.splits["train"][0]
  # Upright it is 48 wide and 64 high, with 8 black columns on either side.
  assert (example["image"][:, :8] == 0).all()
  (box,) = true_boxes(example, ["Mass"], 64)["Mass"]
  np.testing.assert_allclose(box, [8 + 4, 10, 8 + 34, 30], atol=1e-5)


def test_laterals_are_counted_and_read(tmp_path, capsys):
  folder = own_set(tmp_path, ViewPosition="LL")
  dataset = open_own_set(folder, size=64)
  assert "6 of them are lateral views by their headers" in (
    capsys.readouterr().out
  )
  assert dataset.splits["test"][0]["image"].shape == (64, 64, 1)


def test_faults_are_found_at_the_opening_and_name_no_patient(tmp_path):
  folder = own_set(tmp_path)
  data = (folder / "f1.dcm").read_bytes()
  (folder / "f1.dcm").write_bytes(data[:-1000])
  write(film(EIGHT, bits=8, NumberOfFrames=2), folder / "f2.dcm")
  with pytest.raises(ValueError, match="2 faults") as caught:
    open_own_set(folder, size=64)
  said = str(caught.value)
  assert "f1.dcm breaks off in its pixel data" in said
  assert "f2.dcm has 2 frames" in said
  assert NAME not in said
  assert NUMBER not in said


def test_no_pixel_is_decoded_when_a_set_is_opened(tmp_path, monkeypatch):
  from pydicom.pixels.decoders import base

  folder = own_set(tmp_path)
  monkeypatch.setattr(base.Decoder, "as_array", None)
  assert len(open_own_set(folder, size=64).splits["train"]) == 2


def test_worker_processes_read_them(tmp_path):
  source = open_own_set(own_set(tmp_path), size=64).splits["train"]
  batches = train_batches(source, batch_size=2, seed=0, num_workers=1)
  batch = next(batches)
  for image, index in zip(batch.image, batch.index):
    np.testing.assert_array_equal(image, source[int(index)]["image"])
  del batch, image  # They lie in shared memory that close gives back.
  batches.close()


def test_the_truth_of_an_evaluation(tmp_path):
  upright = OwnTestFilms(own_set(tmp_path / "a"))
  assert upright.size("f2.dcm") == (64, 48)
  turned = OwnTestFilms(own_set(tmp_path / "b", orientation=("R", "F")))
  with pytest.raises(ValueError, match="is shown turned"):
    turned.size("f2.dcm")
