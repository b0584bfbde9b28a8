"""`evaluate`: one call for maps, a stream of maps, boxes, or nothing."""

import dataclasses

import numpy as np
import pytest

from chexjax import evaluation

FINDINGS = ("Mass", "Nodule", "Hernia")
FRAME = (32, 32)
NAMES = ("sal", "mix")
NUM, BOXED = 28, 22
FEW = {"draws": 10, "folds": 2}


def image(i):
  return f"{i}.png"


@pytest.fixture(scope="module")
def truth():
  rng = np.random.default_rng(0)
  labels = rng.random((NUM, 3)) < 0.5
  labels[:2] = [[True] * 3, [False] * 3]
  low = rng.integers(0, 12, (BOXED, 2))
  boxes = {
    image(i): {FINDINGS[i % 2]: np.array([x, y, x + 16, y + 12], float)}
    for i, (x, y) in enumerate(low)
  }
  return evaluation.Truth(
    images=[image(i) for i in range(NUM)],
    patients=[i // 2 for i in range(NUM)],
    findings=FINDINGS,
    labels=labels,
    boxes=boxes,
    frame=FRAME,
  )


@pytest.fixture(scope="module")
def scores():
  return np.random.default_rng(1).random((NUM, 3))


@pytest.fixture(scope="module")
def maps():
  rng = np.random.default_rng(2)
  return {
    image(i): {name: rng.random((3, 8, 8)) for name in NAMES}
    for i in range(BOXED)
  }


def triples(maps):
  for name, of in maps.items():
    for k, finding in enumerate(FINDINGS):
      yield name, finding, {n: values[k] for n, values in of.items()}


def evaluate(truth, scores, given=None, **options):
  return evaluation.evaluate(
    scores=scores, truth=truth, maps_or_boxes=given, **FEW, **options
  )


def step_by_step(truth, scores, maps):
  """The same figures, from the collector and `assemble`."""
  rules = {name: evaluation.DEFAULT_MAPS[name] for name in NAMES}
  collector = evaluation.LocalizationCollector(FRAME, maps=rules)
  patient = dict(zip(truth.images, truth.patients))
  for name, finding, heat in triples(maps):
    if finding != "Hernia":  # has no box: is not localised
      collector.add(
        image=name,
        patient=patient[name],
        finding=finding,
        boxes=truth.true_boxes(name, finding),
        maps=heat,
      )
  images = evaluation.make_images(
    truth.images, truth.patients, truth.labels, scores, FINDINGS
  )
  return evaluation.assemble(
    evaluation.classify(truth.labels, scores, FINDINGS),
    collector.table(),
    dataset="own",
    provenance={},
    findings=("Mass", "Nodule"),
    images=images,
    others=collector.others(),
    **FEW,
  )


def test_maps_and_their_stream_have_the_figures_of_the_single_steps(
  truth, scores, maps, tmp_path, monkeypatch
):
  monkeypatch.chdir(tmp_path)
  want = step_by_step(truth, scores, maps)
  assert evaluate(truth, scores, maps).results == want
  assert evaluate(truth, scores, triples(maps)).results == want
  assert set(want["localization"]) >= {"sal", "mix", "image_blind"}
  assert set(want["detection"]) == {"sal", "mix", "image_blind"}
  assert not list(tmp_path.iterdir())  # nothing is written


def test_true_boxes_as_detections_score_1(truth, scores):
  pairs = [
    (i, f, box) for i, of in truth.boxes.items() for f, box in of.items()
  ]
  found = evaluation.Detections(
    np.array([i for i, _, _ in pairs]),
    np.array([f for _, f, _ in pairs]),
    np.array([box for _, _, box in pairs]),
    np.ones(len(pairs)),
  )
  scored = evaluate(truth, scores, found)
  tree = scored.results["localization"]["box"]
  assert tree["oracle"]["iou"] == {"Mass": 1, "Nodule": 1, "mean": 1}
  assert tree["crossfit"] == tree["oracle"]
  detection = scored.results["detection"]["box"]["oracle"]
  assert detection["map"]["0.5"]["mean"] == 1
  assert scored.results["protocol"]["component"] == "given"
  assert "box" in scored.csv()


def test_without_maps_or_boxes_only_baselines_are_scored(truth, scores):
  scored = evaluate(truth, scores)
  rows = {"image_blind", "whole_image", "centre_prior"}
  assert set(scored.results["localization"]) == rows
  assert "detection" not in scored.results
  auc = evaluation.classify(truth.labels, scores, FINDINGS).auc
  assert {f: scored.results["auc"][f] for f in FINDINGS} == auc
  assert scored.markdown()
  assert scored.latex()


def test_a_watch_is_told_of_every_boxed_pair_in_the_tables_order(
  truth, scores, maps
):
  seen = []
  scored = evaluate(
    truth,
    scores,
    triples(maps),
    watch=lambda image, finding, heat, rows: seen.append(
      (image, finding, sorted(heat), rows)
    ),
  )
  pairs = zip(scored.table.image.tolist(), scored.table.finding.tolist())
  assert seen == [(i, f, ["mix", "sal"], 1) for i, f in pairs]


def test_an_error_names_the_image_and_the_finding(truth, scores, maps):
  bad = {**maps, "3.png": {n: m.copy() for n, m in maps["3.png"].items()}}
  bad["3.png"]["sal"][1, 0, 0] = np.nan
  with pytest.raises(ValueError, match=r"3\.png, Nodule, sal.*not finite"):
    evaluate(truth, scores, bad)
  fewer = {name: of for name, of in maps.items() if name != "4.png"}
  with pytest.raises(ValueError, match=r"1 pairs .* no maps: 4\.png Mass"):
    evaluate(truth, scores, fewer)
  with pytest.raises(ValueError, match=r"maps of x\.png, which is none of"):
    evaluate(truth, scores, {**maps, "x.png": maps["1.png"]})
  short = {**maps, "2.png": {n: m[:2] for n, m in maps["2.png"].items()}}
  with pytest.raises(ValueError, match=r"2\.png, map sal: want \[K, h, w\]"):
    evaluate(truth, scores, short)
  lacking = {**maps, "5.png": {"sal": maps["5.png"]["sal"]}}
  with pytest.raises(ValueError, match=r"5\.png, Mass: got maps \['sal'\]"):
    evaluate(truth, scores, lacking)
  with pytest.raises(ValueError, match=r"scores of \['Nodule'\]"):
    evaluate(truth, np.where([0, 1, 0], np.nan, scores))


def test_arrays_of_all_films_have_the_same_figures(truth, scores, maps):
  """What a model gives of films without boxes is not asked for."""
  rng = np.random.default_rng(3)
  arrays = {
    name: np.stack(
      [
        maps[i][name] if i in maps else rng.random((3, 8, 8))
        for i in truth.images
      ]
    )
    for name in NAMES
  }
  boxes = np.full((NUM, 3, 4), np.nan)
  for i, of in truth.boxes.items():
    for finding, box in of.items():
      boxes[truth.images.index(i), FINDINGS.index(finding)] = box
  same = dataclasses.replace(truth, boxes=boxes)
  want = evaluate(truth, scores, maps).results
  assert evaluate(same, scores, arrays).results == want
  # The true boxes as the model's.
  found = evaluate(truth, scores, boxes).results["localization"]["box"]
  assert found["crossfit"]["iou"]["mean"] == 1


@pytest.mark.parametrize(
  ("given", "said"),
  [
    (np.zeros((NUM, 2, 4)), r"boxes must be \[N, K, 4\] = \(28, 3, 4\)"),
    ({"sal": np.zeros((3, 3, 8, 8))}, r"map sal: want \[N, K, h, w\] with N"),
    ({"0.png": {"sal": np.zeros((2, 8, 8))}}, r"0\.png, map sal: want"),
  ],
)
def test_arrays_of_another_shape_are_named(truth, scores, given, said):
  with pytest.raises(ValueError, match=said):
    evaluate(truth, scores, given)


def test_a_truth_that_contradicts_itself_is_refused(truth):
  with pytest.raises(ValueError, match="different names"):
    dataclasses.replace(truth, images=[image(0)] * NUM)
  with pytest.raises(ValueError, match=r"boxes must be \[N, K, 4\]"):
    dataclasses.replace(truth, boxes=np.zeros((NUM, 4)))


def test_boxes_of_findings_that_are_not_localised_are_as_if_not_there(
  truth, scores, maps
):
  mass = {i: of for i, of in truth.boxes.items() if "Mass" in of}
  only = dataclasses.replace(truth, boxes=mass, boxed_findings=("Mass",))
  want = evaluate(only, scores, maps).results
  more = dataclasses.replace(truth, boxed_findings=("Mass",))
  assert evaluate(more, scores, maps).results == want


def test_a_finding_may_not_be_called_as_the_mean_is(truth):
  with pytest.raises(ValueError, match="no finding may be called mean"):
    dataclasses.replace(truth, findings=("Mass", "mean", "Hernia"))


@pytest.mark.parametrize(
  "box", [[96, 8, 120, 40], [8, 70, 40, 90], [-9, 8, 0, 40]]
)
@pytest.mark.parametrize("as_array", [False, True])
def test_true_boxes_of_another_frame_are_refused(box, as_array):
  boxes = np.full((1, 1, 4), np.nan)
  boxes[0, 0] = box
  with pytest.raises(ValueError, match=r"f\.png, Mass lies outside.*64 x 96"):
    evaluation.Truth(
      images=["f.png"],
      patients=[0],
      findings=["Mass"],
      labels=np.ones((1, 1)),
      boxes=boxes if as_array else {"f.png": {"Mass": np.array(box)}},
      frame=(64, 96),
    )


def test_maps_and_boxes_that_are_mixed_up_say_what_the_other_takes(
  truth, scores
):
  boxes = np.zeros((NUM, 3, 4))
  with pytest.raises(ValueError, match="boxes are given without a name"):
    evaluation.evaluate(
      scores=scores, truth=truth, maps_or_boxes={"mine": boxes}
    )
  with pytest.raises(ValueError, match="maps are given by name"):
    evaluation.evaluate(
      scores=scores, truth=truth, maps_or_boxes=np.zeros((NUM, 3, 8, 8))
    )
