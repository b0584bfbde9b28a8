"""The few lines that a run ends with."""

import pytest
from test_summary import results

from chexjax.evaluation.outputs.short_summary import short_summary


@pytest.fixture(scope="module")
def noise():
  return results().results


def test_every_figure_has_its_interval(noise):
  lines = short_summary(noise)
  head, auc, mix, blind, chance = lines
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
  assert (
    "findings of fewer than 10 patients, in no mean: 1 of the AUC" in chance
  )


def test_what_is_not_above_chance_is_named():
  lines = short_summary(results(skill=0.0, rare=0, given="good").results)
  assert lines[-1].startswith("not above chance: AUC of ")
  assert "Mass" in lines[-1]
  good = short_summary(results(skill=0.9, rare=0, given="good").results)
  assert good[-1] == "not above chance: nothing of these"


def test_without_intervals_nothing_is_said_of_chance():
  lines = short_summary(results(draws=0).results)
  assert lines[-1].startswith("no intervals were drawn")
  assert "(" not in lines[1]
  assert "intervals" not in lines[0]


def test_few_patients_leave_no_mean():
  tree = results(common=9, rare=5).results
  tree["counts"]["localization_findings"]["crossfit"] = 0
  assert "0 (IoU)" in short_summary(tree)[0]
  assert short_summary(tree)[2].endswith("no mean")
