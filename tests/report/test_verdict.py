"""The verdict in words, from the intervals of the results."""

from chexjax.report.verdict import (
  comparison_verdict,
  side_by_side_verdict,
  verdict,
)


def gain(difference, *, apart):
  return {"difference": difference, "interval": [0, 1], "apart": apart}


def results(**more):
  return {
    "auc": {"mean": 0.7},
    "auc_interval": {
      "Mass": [0.6, 0.8],
      "Pleural_Thickening": [0.49, 0.8],
      "Rare": [0.9, 1.0],
      "mean": [0.6, 0.7],
    },
    "few_patients": {"auc": {"Rare": 3}, "localization": {}},
    "protocol": {"maps": {"sal": {}, "mix": {}}},
    "over_blind": {
      "mix": {
        "Mass": gain(0.1, apart=True),
        "Nodule": gain(0.1, apart=False),
        "Edema": gain(-0.1, apart=True),
        "mean": gain(0.1, apart=True),
        "beats": True,
      }
    },
    **more,
  }


def test_each_sentence_counts_and_names_what_it_does_not_hold_for():
  assert verdict(results()) == [
    "Finds 1 of 2 findings clearly above chance; not Pleural Thickening.",
    "Boxes of Mix beat a constant box that never sees the film on 1 of 3 "
    "findings; worse on Edema; no clear difference on Nodule.",
  ]


def test_untrained_heads_are_judged_where_there_are_any():
  tree = {
    "mix": {
      "mix_untrained": {"crossfit": {"iou": {"Mass": gain(0.1, apart=True)}}}
    }
  }
  assert verdict(results(gains=tree))[-1] == (
    "Boxes of Mix beat those of untrained heads on 1 of 1 findings."
  )


def test_without_intervals_nothing_is_said_of_chance():
  said = verdict(results(auc_interval={}, over_blind={}))
  assert said == ["No intervals were drawn, so nothing is said about chance."]
  assert not verdict(
    results(auc={"mean": None}, auc_interval={}, over_blind={}, few_patients={})
  )


def test_of_too_few_patients_nothing_is_judged():
  few = {"least": 10, "auc": {"Mass": 3}, "localization": {"Mass": 2}}
  tree = results(auc={"mean": None}, few_patients=few, localization={})
  assert verdict(tree) == [
    "Too few test patients to judge anything: no finding has 10 of them."
  ]


def test_two_runs():
  tree = {
    "auc": {"mean": gain(-0.02, apart=True)},
    "localization": {
      "mix": {"crossfit": {"iou": {"mean": gain(0.01, apart=False)}}}
    },
  }
  assert comparison_verdict(tree, "mix", ["a", "b"]) == [
    "b is below a in mean AUC (-0.020, 95 % interval 0.000 to 1.000).",
    "No clear difference in cross-fitted mean IoU of Mix (+0.010, 95 % "
    "interval 0.000 to 1.000).",
  ]


def test_several_systems():
  def system(value, **against):
    return {"auc": {"mean": {"value": value}}, "against": against}

  def over(difference, *, apart=True):
    return {"auc": {"mean": gain(difference, apart=apart)}}

  tree = {
    "reference": "x",
    "systems": {
      "x": system(0.8),
      "y": system(0.9, **over(0.1)),
      "z": system(0.7, **over(-0.1)),
      "w": system(0.81, **over(0.01, apart=False)),
    },
  }
  titles = {name: name.upper() for name in "xyzw"}
  assert side_by_side_verdict(tree, titles, dict.fromkeys("xyzw", "mix")) == [
    "Highest mean AUC: Y, 0.900. Clearly above X: Y. Clearly below X: Z. No "
    "clear difference: W."
  ]
