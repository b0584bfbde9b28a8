"""The few lines that a run ends with."""

import copy

import pytest
from test_summary import results

from chexjax.evaluation.outputs.short_summary import short_summary
from chexjax.report.verdict import verdict


@pytest.fixture(scope="module")
def noise():
  return results().results


def test_every_figure_has_its_interval(noise):
  lines = short_summary(noise)
  head, auc, mix, blind, beaten, chance, left = lines
  assert head == (
    "own, 60 test films; means over 2 findings (AUC), 1 (IoU); 95 % intervals"
  )
  for line, path in (
    (auc, ("auc",)),
    (mix, ("localization", "mix", "crossfit", "iou")),
    (blind, ("localization", "image_blind", "crossfit", "iou")),
  ):
    tree, spans = noise, noise
    for place, key in enumerate(path):
      tree = tree[key]
      spans = spans[key if place else f"{key}_interval"]
    low, high = spans["mean"]
    assert f"{tree['mean']:.3f} ({low:.3f} to {high:.3f})" in line
  assert auc.startswith("AUC  ")
  assert mix.startswith("IoU of Mix  ")
  assert blind.startswith("IoU of image-blind box  ")
  assert "IoU of Mix over the image-blind box" in chance
  assert beaten == "Mix beats the image-blind box on 0 of 1 findings"
  assert left == (
    "findings of fewer than 10 patients, in no mean: 1 of the AUC, 1 of the IoU"
  )


def test_what_is_not_above_chance_is_named():
  lines = short_summary(results(skill=0.0, rare=0, given="good").results)
  assert lines[-2].startswith("not above chance: AUC of ")
  assert "Mass" in lines[-2]
  # Without a positive film it is in no mean either.
  assert lines[-1] == "without an AUC: Rare (no positive among 60 images)"
  good = short_summary(results(skill=0.9, rare=0, given="good").results)
  assert good[-2] == "not above chance: nothing of these"


def test_without_intervals_nothing_is_said_of_chance():
  lines = short_summary(results(draws=0).results)
  assert lines[-2].startswith("no intervals were drawn")
  assert "(" not in lines[1]
  assert "intervals" not in lines[0]


def test_few_patients_leave_no_mean():
  tree = results(common=9, rare=5).results
  head, auc, iou, *_ = short_summary(tree)
  assert head.endswith("means over 1 findings (AUC), 0 (IoU); 95 % intervals")
  assert auc.startswith("AUC  0.")
  # One reason instead of a row for every map.
  assert iou == "IoU  no mean: no finding has 10 patients"


def test_without_a_true_box_nothing_is_said_of_boxes():
  tree = results(common=0, rare=0).results
  lines = short_summary(tree)
  assert "no test film has a true box: places are not scored" in lines
  assert lines[0].endswith("means over 1 findings (AUC); 95 % intervals")
  assert "IoU" not in "".join(lines)


def test_without_any_mean_its_reason_stands_there(noise):
  tree = copy.deepcopy(noise)
  tree["auc"]["mean"] = None
  tree["counts"] |= {
    "auc_findings": 0,
    "localization_findings": {"oracle": 0, "crossfit": 0},
  }
  few = "no finding has 10 patients"
  tree["undefined"] += [
    {"where": "auc", "finding": f"F{i}", "reason": "no labels"}
    for i in range(4)
  ]
  tree["counts"]["positives"] |= {f"F{i}": 0 for i in range(4)}
  tree["undefined"] += [
    {"where": where, "finding": "mean", "reason": few}
    for where in ("auc", "localization")
  ]
  head, *rows, left = short_summary(tree)
  assert head == "own, 60 test films"
  assert rows[:2] == [f"AUC  no mean: {few}", f"IoU  no mean: {few}"]
  assert "not above chance" not in "".join(rows)
  assert left.endswith("; without an AUC: 4 findings")


def test_findings_are_counted_as_in_the_report(noise):
  def gain(difference, *, apart):
    return {"difference": difference, "interval": [0, 1], "apart": apart}

  judged = {
    "Mass": gain(0.1, apart=True),
    "Nodule": gain(-0.1, apart=True),
    "Cyst": gain(0.1, apart=False),
    "Rare": gain(0.1, apart=True),
    "mean": gain(0.1, apart=True),
  }
  tree = noise | {
    "gains": {"mix": {"mix_untrained": {"crossfit": {"iou": judged}}}}
  }
  # Rare has too few patients, Nodule is worse, and Cyst no clear difference.
  line = (
    "Mix beats the image-blind box on 0 of 1 findings, its untrained head on "
    "1 of 3 findings"
  )
  assert line in short_summary(tree)
  assert "untrained heads on 1 of 3 findings; worse on Nodule" in (
    " ".join(verdict(tree))
  )
