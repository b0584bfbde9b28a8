"""Other people's predictions on a set of one's own: labels.csv, boxes.csv."""

import json

import numpy as np
import pytest
from own_predictions import HEIGHT, WIDTH, OwnPredictions
from PIL import Image

from chexjax.commands import report
from chexjax.commands.evaluate import main
from chexjax.data.own_set import open_own_set
from chexjax.inference.own_truth import OwnTestFilms


@pytest.fixture
def own(tmp_path):
  return OwnPredictions(tmp_path / "own")


@pytest.fixture
def theirs(tmp_path):
  return tmp_path / "theirs"


def evaluate(theirs, own, out, *more):
  argv = [f"--predictions={theirs}", f"--data_dir={own.folder}", "--draws=20"]
  status = main([*argv, f"--out={out}", *more])
  path = out / "results.json"
  return status, json.loads(path.read_text()) if path.exists() else None


def test_the_truth_is_the_sets_test_split(own):
  films = OwnTestFilms(own.folder)
  truth = films.truth(1024)
  assert list(truth.images) == list(own.test)
  dataset = open_own_set(own.folder, size=32)
  source = dataset.splits["test"]
  rows = [source.annotation(i) for i in range(len(source))]
  np.testing.assert_array_equal(truth.labels, [row["labels"] for row in rows])
  assert list(truth.patients) == [row["patient_id"] for row in rows]
  for (name, f), (x, y, w, h) in own.truth.items():
    want = np.array([x, y, x + w, y + h]) * 1024 / ([WIDTH, HEIGHT] * 2)
    np.testing.assert_allclose(truth.true_boxes(name, f)[0], want, rtol=1e-5)
  assert films.size("a/20.png") == (WIDTH, HEIGHT)


def test_a_film_on_its_side_has_the_size_that_viewers_show(own):
  exif = Image.Exif()
  exif[0x0112] = 6
  own.boxes = [line for line in own.boxes if "a/20" not in line]
  own.write()
  Image.new("L", (WIDTH, HEIGHT)).save(own.folder / "a/20.png", exif=exif)
  assert OwnTestFilms(own.folder).size("a/20.png") == (HEIGHT, WIDTH)


def test_scores_and_boxes_in_pixels_of_the_file(own, theirs, tmp_path):
  # Whole paths, without an ending, and the file's name alone.
  names = {n: [n, n[:-4], n[2:]][i % 3] for i, n in enumerate(own.test)}
  own.write_scores(theirs, names)
  own.write_boxes(theirs)
  status, results = evaluate(theirs, own, tmp_path / "out")
  assert status == 0
  assert results["dataset"] == "folder own"
  assert results["counts"]["boxes"] == {
    f: sum(g == f for _, g in own.truth) for f in own.findings
  }
  tree = results["localization"]["box"]["crossfit"]
  assert tree["iou"]["mean"] == pytest.approx(1, abs=1e-5)
  assert tree["pointing"]["mean"] == 1
  assert results["auc"]["mean"] > 0.7
  assert results["provenance"]["dataset"]["files"]["labels.csv"]
  assert "not ours" not in (tmp_path / "out" / "tables.md").read_text()
  assert (tmp_path / "out" / "cases.zip").exists()


def test_maps_alone_give_the_localisation_alone(own, theirs, tmp_path, capsys):
  own.write_maps(theirs)
  status, results = evaluate(theirs, own, tmp_path / "out", "--frame=96")
  assert status == 0
  assert "localisation alone" in capsys.readouterr().out
  assert results["localization"]["sal"]["crossfit"]["iou"]["mean"] > 0.7
  assert results["localization"]["sal"]["predicted"]["iou"]["mean"] is None
  assert set(results["auc"].values()) == {None}
  reasons = {
    (u["where"], u["finding"]): u["reason"] for u in results["undefined"]
  }
  for f in own.findings:
    for where in ("auc", "localization.*.predicted", "detection"):
      assert reasons[where, f] == "no scores"
  text = (tmp_path / "out" / "tables.md").read_text()
  assert "No finding has an AUC: no scores." in text


def test_boxes_alone_too(own, theirs, tmp_path):
  own.write_boxes(theirs)
  status, results = evaluate(theirs, own, tmp_path / "out")
  assert status == 0
  assert results["localization"]["box"]["oracle"]["iou"]["mean"] > 0.99
  found = results["detection"]["box"]["oracle"]["map"]["0.5"]
  assert set(found.values()) == {None}


def test_scores_of_some_findings(own, theirs, tmp_path, capsys):
  own.write_scores(theirs, findings=("Dog",))
  (theirs / "thresholds.json").write_text('{"Dog": 0.5, "Cat": 0.5}')
  status, results = evaluate(theirs, own, tmp_path / "out")
  assert status == 0
  said = capsys.readouterr().out
  assert "no scores of Cat" in said
  assert "not used: thresholds of Cat" in said
  assert results["auc"]["Cat"] is None
  assert results["auc"]["mean"] == results["auc"]["Dog"]
  assert results["counts"]["auc_findings"] == 1
  assert results["protocol"]["predicted"]["given"] == ["Dog"]
  text = (tmp_path / "out" / "tables.md").read_text()
  assert "not in its mean: Cat (no scores)" in text


def test_a_list_of_images(own, theirs, tmp_path):
  own.write_scores(theirs)
  some = list(own.test)[:20]
  for name in list(own.test)[20:]:
    del own.test[name]
  own.write_scores(theirs)
  (tmp_path / "some.txt").write_text("\n".join(some))
  more = f"--images={tmp_path / 'some.txt'}"
  status, results = evaluate(theirs, own, tmp_path / "out", more)
  assert status == 0
  assert results["provenance"]["dataset"]["scored_images"] == 20


def test_faults_are_named(own, theirs, tmp_path, capsys):
  own.write_scores(theirs, findings=("Cat", "Dogg"))
  path = theirs / "scores.csv"
  train = "a/00.png"
  path.write_text(path.read_text() + f"0.5,0.5,{train}\n0.5,0.5,z.png\n")
  good = own.truth["a/20.png", own.test["a/20.png"][0]]
  own.write_boxes(
    theirs,
    {
      ("a/20.png", "Cat"): (60, 0, 50, 10),
      ("a/20.png", "Catt"): good,
      ("c.png", "Cat"): good,
    },
  )
  status, results = evaluate(theirs, own, tmp_path / "out")
  assert (status, results) == (2, None)
  said = capsys.readouterr().err
  for words in (
    "'Dogg' (did you mean Dog?)",
    f"surplus images, not in the test split (1): {train}",
    "unknown image names (1): z.png",
    "'Catt' (did you mean Cat?)",
    "boxes off the image (1): entry 0 (a/20.png) [60, 0, 50, 10] on 96 x 64",
    "boxes.json: unknown image names (1): c.png",
  ):
    assert words in said, words


def test_names_that_two_films_have_are_no_guess(own, theirs, tmp_path, capsys):
  (own.folder / "b" / "20.png").write_bytes(
    (own.folder / "a" / "20.png").read_bytes()
  )
  own.labels.append("b/20.png,Cat,p99,test")
  own.write()
  own.test["b/20.png"] = ["Cat"]
  names = {n: n[2:] for n in own.test}
  own.write_scores(theirs, names)
  status, _ = evaluate(theirs, own, tmp_path / "out")
  assert status == 2
  said = capsys.readouterr().err
  assert "names that several images have" in said
  assert "20.png (a/20.png, b/20.png)" in said


def test_nothing_to_score_is_refused(own, theirs, tmp_path, capsys):
  theirs.mkdir()
  status, _ = evaluate(theirs, own, tmp_path / "out")
  assert status == 2
  assert "neither scores.csv, nor maps" in capsys.readouterr().err
  (theirs / "scores.csv").write_text("file\na/20.png\n")
  status, _ = evaluate(theirs, own, tmp_path / "out")
  assert status == 2
  assert "no column of a finding; they are Cat, Dog" in capsys.readouterr().err


def test_a_set_without_a_test_split_is_refused(own, theirs, tmp_path, capsys):
  own.labels = [line.replace(",test", ",validation") for line in own.labels]
  own.write()
  own.write_scores(theirs)
  status, _ = evaluate(theirs, own, tmp_path / "out")
  assert status == 2
  assert "no image of the split test" in capsys.readouterr().err


def test_several_readers_boxes_are_one_row(own, theirs, tmp_path):
  (name, f), (x, y, w, h) = next(iter(own.truth.items()))
  own.boxes.append(f"{name},{f},{x + 1},{y + 1},{w - 1},{h - 1}")
  own.write()
  own.write_boxes(theirs)
  status, results = evaluate(theirs, own, tmp_path / "out")
  assert status == 0
  counts = results["counts"]
  assert counts["boxes"][f] == counts["pairs"][f] + 1
  assert results["localization"]["box"]["oracle"]["iou"]["mean"] > 0.99


def test_a_page_without_scores_and_with_several_boxes(own, theirs, tmp_path):
  (name, f), (x, y, *_) = next(iter(own.truth.items()))
  own.boxes.append(f"{name},{f},0,0,{x + 1},{y + 1}")
  own.write()
  own.write_maps(theirs)
  out = tmp_path / "out"
  status, results = evaluate(theirs, own, out, "--frame=96")
  assert status == 0
  assert report.main([f"--workdir={out}"]) == 0
  page = (out / "report.html").read_text(encoding="utf-8")
  for line in results["summary"]:
    assert line in page
  block = page.split('<script type="application/json" id="about">')[1]
  rows = json.loads(block.split("</script>")[0])["rows"]
  assert {row["runs"][0]["score"] for row in rows} == {None}
  more = {(row["image"], row["finding"]): row["more"] for row in rows}
  np.testing.assert_allclose(
    more.pop((name, f)),
    [[0, 0, (x + 1) / WIDTH, (y + 1) / HEIGHT]],
    atol=1e-3,
  )
  assert not any(more.values())


def test_uncertain_labels_count_for_nothing(own, theirs, tmp_path):
  lines = ["file,Cat,Dog,patient,split"]
  uncertain = 0
  for line in own.labels[1:]:
    name, findings, patient, split = line.split(",")
    has = ["1" if f in findings.split("|") else "0" for f in own.findings]
    if split == "test" and findings == "Dog" and uncertain < 3:
      has[0], uncertain = "-1", uncertain + 1
    lines.append(",".join([name, *has, patient, split]))
  own.labels = lines
  own.write()
  own.write_scores(theirs)
  status, results = evaluate(theirs, own, tmp_path / "out")
  assert status == 0
  assert results["counts"]["unknown_labels"] == {"Cat": 3}
  counts = results["counts"]
  assert counts["positives"]["Cat"] + counts["negatives"]["Cat"] == 37
  assert counts["positives"]["Dog"] + counts["negatives"]["Dog"] == 40


def test_a_table_of_nearly_the_name_is_no_official_list(
  own, theirs, tmp_path, capsys
):
  own.write_scores(theirs)
  (own.folder / "labels.csv").rename(own.folder / "Labels.csv")
  status, _ = evaluate(theirs, own, tmp_path / "out")
  assert status == 2
  said = capsys.readouterr().err
  assert "Labels.csv" in said
  assert "Data_Entry" not in said
