"""Files in, predictions out: a phantom-sized model on images of every kind."""

import csv
import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tiny_workdir import make_workdir

from chexjax.commands import convert
from chexjax.commands.predict import main
from chexjax.inference import boxes, forward, thresholds
from chexjax.runtime import memory
from chexjax.types import FINDINGS
from chexjax.weights import loading


@pytest.fixture(scope="module")
def workdir(tmp_path_factory):
  return make_workdir(tmp_path_factory.mktemp("run"))[0]


def films(folder):
  """Five images and a damaged one; two share a stem."""
  rng = np.random.default_rng(0)
  grey = rng.integers(0, 256, (200, 300), np.uint8)
  folder.mkdir()
  (folder / "sub").mkdir()
  Image.fromarray(grey).save(folder / "a.png")
  Image.fromarray(grey).convert("RGBA").save(folder / "sub" / "a.png")
  Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "b.png")
  Image.fromarray(grey).convert("P").save(folder / "c.PNG")
  Image.fromarray(grey[:128, :128]).save(folder / "d.jpg")
  (folder / "bad.png").write_bytes(b"no image")
  (folder / "notes.txt").write_text("not asked for")


def run(workdir, out, *argv):
  return main([f"--weights={workdir}", f"--out={out}", *map(str, argv)])


def test_a_folder_with_one_bad_file(workdir, tmp_path, capsys):
  films(tmp_path / "in")
  out = tmp_path / "out"
  assert run(workdir, out, "--raw", "--batch_size=2", tmp_path / "in") == 1
  said = capsys.readouterr()
  assert "bad.png" in said.err
  assert "6 images, 1 other files" in said.out
  assert f"{workdir} has seen drawn films alone" in said.out
  assert "its run is not finished" in said.out
  assert "earlier predictions" not in said.out
  record = json.loads((out / "predictions.json").read_text())
  assert "not a medical device" in record["disclaimer"]
  assert record["trained_on"] == "drawn films alone"
  assert [f["file"].rpartition("/")[2] for f in record["failed"]] == ["bad.png"]
  images = {i["raw"]: i for i in record["images"]}
  assert set(images) == {"a.npz", "a_2.npz", "b.npz", "c.npz", "d.npz"}
  for name, image in images.items():
    assert (out / image["overlay"]).exists()
    assert list(image["findings"]) == list(FINDINGS)
    for of in image["findings"].values():
      assert 0 < of["probability"] < 1
      assert of["map"] == "mix"
      x1, y1, x2, y2 = of["box"]
      assert 0 <= x1 < x2 <= image["width"]
      assert 0 <= y1 < y2 <= image["height"]
    with np.load(out / name) as raw:
      shapes = {k: raw[k].shape for k in raw}
      assert list(raw["findings"]) == list(FINDINGS)
      logit = raw["full_logits"][0]
    assert image["findings"]["Atelectasis"]["probability"] == pytest.approx(
      1 / (1 + np.exp(-logit)), rel=1e-5
    )
    assert shapes == {
      "findings": (14,), "full_logits": (14,), "crop_logits": (14,),
      "picked": (14,), "saliency_logits": (14, 32, 32),
      "proposal_scores": (14, 395), "proposal_boxes": (14, 395, 4),
    }  # fmt: skip
  # One film in four encodings: the same numbers, whatever the batch.
  with np.load(out / "a.npz") as one:
    for name in ("a_2.npz", "b.npz", "c.npz"):
      with np.load(out / name) as other:
        np.testing.assert_allclose(
          one["proposal_scores"], other["proposal_scores"], atol=1e-5
        )


def test_a_batch_that_does_not_fit_is_halved(
  workdir, tmp_path, capsys, monkeypatch
):
  films(tmp_path / "in")
  plans = iter((False, False))

  def fits(program, calls):
    assert calls == 2  # One batch is written while the next is computed.
    return next(plans)

  monkeypatch.setattr(memory, "fits", fits)
  out = tmp_path / "out"
  # Of one image at a time nobody asks whether it fits.
  assert run(workdir, out, "--batch_size=4", tmp_path / "in") == 1
  said = capsys.readouterr().out
  assert "note: the memory does not take 4 at a time; trying 2" in said
  assert "note: the memory does not take 2 at a time; trying 1" in said
  assert "done: 5, failed: 1; see" in said
  assert next(plans, None) is None


def test_nothing_to_do_is_status_2_and_writes_nothing(
  workdir, tmp_path, capsys
):
  out = tmp_path / "out"
  (tmp_path / "in").mkdir()
  assert run(workdir, out, tmp_path / "in") == 2
  assert run(workdir, out, tmp_path / "none.png") == 2
  (tmp_path / "in" / "x.png").write_bytes(b"")
  assert run(workdir, out, tmp_path / "in") == 2
  assert run(tmp_path / "none", out, tmp_path / "in") == 2
  assert "no file or folder" in capsys.readouterr().err
  assert not out.exists()


def test_box_is_the_largest_component_in_the_originals_pixels():
  heat = np.zeros((32, 32), np.float32)
  heat[4:8, 8:24] = 2  # the larger
  heat[20:22, 2:4] = 3
  # The threshold keeps the 68 pixels that are not 0, and one rank less.
  exact = boxes.cut_box(heat, 1 - 67 / 1024, size=32, original=(320, 64))
  assert exact["box"] == [16, 40, 48, 80]
  assert exact["box_score"] == 2
  flat = boxes.cut_box(heat * 0, 0.9, size=32, original=(9, 9))
  assert flat["box"] is None


def test_thresholds_have_a_default_and_can_be_given(workdir, tmp_path):
  info = loading.load_model(workdir)[2]
  default, said = thresholds.percentiles_of(info)
  assert set(default) == set(FINDINGS)
  assert default["Cardiomegaly"] == pytest.approx(
    1 - 478 * 382 / 1024**2, abs=1e-3
  )
  assert "default" in said
  path = tmp_path / "t.json"
  path.write_text(json.dumps({"Mass": 0.7}))
  given, said = thresholds.read_thresholds(path, info)
  assert given == default | {"Mass": 0.7}
  assert said.startswith("t.json: Mass; default (area of the finding's median")
  assert said.endswith("Pneumothorax")
  path.write_text(json.dumps({"Mass": 1.7, "Fracture": 0.5}))
  with pytest.raises(ValueError, match=r"Mass: 1\.7, Fracture: 0\.5"):
    thresholds.read_thresholds(path, info)
  results = {
    "protocol": {"maps": {"mix": {"threshold_means": "percentile"}}},
    "chosen": {"mix": {"crossfit": {"Mass": [0.6, 0.8, 0.9], "Edema": None}}},
  }
  path.write_text(json.dumps(results))
  assert thresholds.read_thresholds(path, info)[0]["Mass"] == 0.8
  classifier = dataclasses.replace(info, stage=1)
  with pytest.raises(ValueError, match="the map sal"):
    thresholds.read_thresholds(path, classifier)


def test_a_preset_changes_the_maps_alone(workdir):
  _, variables, paper = loading.load_model(workdir)
  model, _, released = loading.load_model(workdir, "released")
  image = np.random.default_rng(0).integers(0, 256, (1, 128, 128, 1), np.uint8)
  # Both are kept in one folder.
  one, two = (
    forward.fitting_forward(model, info, variables, 1)[0](variables, image)
    for info in (paper, released)
  )
  assert one["maps"]["mix"].shape == (1, 14, 32, 32)
  assert two["maps"]["mix"].shape == (1, 14, 128, 128)
  np.testing.assert_allclose(
    one["proposal_scores"], two["proposal_scores"], atol=1e-5
  )


def test_a_scored_run_decides_and_cuts_by_its_own_thresholds(
  workdir, tmp_path, capsys
):
  run_folder = tmp_path / "scored run"
  shutil.copytree(workdir, run_folder)
  cuts = {name: [1.0] for name in FINDINGS} | {"Mass": [0.0, 0.0, 1.0]}
  del cuts["Hernia"]
  results = {
    "protocol": {
      "maps": {"mix": {"threshold_means": "percentile"}},
      "predicted": {"thresholds": cuts},
    },
    "chosen": {"mix": {"crossfit": {"Mass": [0.9, 0.5, 0.6], "Edema": None}}},
    "provenance": {"trained_stages": 3},
  }
  path = run_folder / "results.json"
  path.write_text(json.dumps(results))
  Image.fromarray(np.eye(64, dtype=np.uint8) * 255).save(tmp_path / "f.png")

  def predicted(source, name):
    out = tmp_path / name
    assert run(source, out, tmp_path / "f.png") == 0
    record = json.loads((out / "predictions.json").read_text())
    with (out / "predictions.csv").open() as file:
      rows = {row["finding"]: row for row in csv.DictReader(file)}
    return record, rows, capsys.readouterr().out

  record, rows, said = predicted(run_folder, "own")
  of = record["images"][0]["findings"]
  assert record["conventions"]["thresholds_from"].startswith(
    "chosen by scored run, stage 3"
  )
  assert of["Mass"]["threshold"] == 0.6
  assert of["Mass"]["predicted"] is True
  assert of["Nodule"]["predicted"] is False
  assert of["Hernia"]["predicted"] is None
  assert of["Nodule"]["box"] is not None  # Where it would be.
  assert rows["Mass"]["predicted"] == "1"
  assert [float(rows["Mass"][k]) for k in ("x1", "y1", "x2", "y2")] == (
    of["Mass"]["box"]
  )
  assert rows["Nodule"]["x1"] == ""
  assert rows["Hernia"]["predicted"] == ""
  assert float(rows["Hernia"]["x2"]) > 0
  assert f"f.png: Mass {of['Mass']['probability']:.2f}\n" in said
  # They travel with the weights.
  converted = tmp_path / "converted"
  argv = [f"--weights={run_folder}", f"--out={converted}"]
  assert convert.main(argv) == 0
  again = predicted(converted, "again")[0]["images"][0]["findings"]
  assert again == of
  # Thresholds of a stage that is not the weights' are not taken.
  results["provenance"]["trained_stages"] = 1
  path.write_text(json.dumps(results))
  record, _, said = predicted(run_folder, "another stage")
  assert record["conventions"]["thresholds_from"].startswith("default")
  assert record["images"][0]["findings"]["Mass"]["predicted"] is None
  assert "is the most probable" in said
  # Those of a damaged file would be others in silence.
  path.write_text("{")
  assert run(run_folder, tmp_path / "damaged", tmp_path / "f.png") == 2
  assert str(path) in capsys.readouterr().err


def test_pictures_of_other_films_are_told(workdir, tmp_path, capsys):
  films(tmp_path / "in")
  assert run(workdir, tmp_path / "out", tmp_path / "in" / "b.png") == 0
  capsys.readouterr()
  assert run(workdir, tmp_path / "out", tmp_path / "in" / "d.jpg") == 0
  said = capsys.readouterr().out
  assert "of 1 other films, such as b_overlay.png" in said
  assert run(workdir, tmp_path / "out", tmp_path / "in" / "d.jpg") == 0
