"""A system other than ours, from the training to the page."""

import json

import numpy as np
from PIL import Image
from tiny import TINY

import chexjax
from chexjax.commands import evaluate, predict, report
from chexjax.systems import SYSTEMS
from experiments.run import main
from experiments.system_options import for_system


def results_of(folder):
  return json.loads((folder / "results.json").read_text())


# One test, since each worker of pytest-xdist would train a fixture anew.
def test_a_system_from_the_training_to_the_page(tmp_path, capsys):
  folder = tmp_path / "w"
  argv = [*for_system(TINY, "cam"), f"--workdir={folder}"]
  assert main([*argv, f"--cache_dir={tmp_path / 'c'}"]) == 0
  results = results_of(folder)
  maps = list(SYSTEMS["cam"].maps)
  rows = [*maps, *(f"{name}_untrained" for name in maps), "image_blind"]
  assert set(rows) <= set(results["localization"])
  assert set(results["gains"]["cam"]) == {"cam_untrained"}
  assert set(results["wang_rule"]) >= set(maps)
  log = (folder / "metrics.jsonl").read_text().splitlines()
  assert {json.loads(line)["stage"] for line in log} == {1}
  # It is scored again and reported.
  assert evaluate.main([f"--workdir={folder}"]) == 0
  assert results_of(folder)["localization"] == results["localization"]
  assert report.main([f"--workdir={folder}"]) == 0
  assert "Grad-CAM++" in (folder / "report.html").read_text("utf-8")
  # Grad-CAM is asked of ours alone.
  capsys.readouterr()
  argv = [f"--workdir={folder}", f"--out={tmp_path / 'o'}", "--grad_cam"]
  assert evaluate.main(argv) == 2
  assert "grad_cam is for our own model" in capsys.readouterr().err
  # It is loaded and predicts.
  model = chexjax.load(folder)
  assert model.box_map == "cam"
  film = np.random.default_rng(0).integers(0, 256, (90, 100), np.uint8)
  out = model.predict(film)
  assert set(out.maps) == set(maps)
  assert np.isfinite(out.boxes).any()
  Image.fromarray(film).save(tmp_path / "film.png")
  argv = [f"--weights={folder}", f"--out={tmp_path / 'p'}"]
  assert predict.main([*argv, str(tmp_path / "film.png")]) == 0
  record = json.loads((tmp_path / "p" / "predictions.json").read_text())
  (found,) = record["images"]
  assert found["findings"]["Mass"]["map"] == "cam"
