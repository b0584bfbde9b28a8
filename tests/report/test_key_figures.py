"""The head of the page: whose films, and the figures that there are."""

import copy

import pytest
from test_page import FINDINGS, make_run, render

from chexjax.report import case_browser, key_figures, page, whose_films


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  return make_run(tmp_path_factory.mktemp("a") / "run", "run")


def with_means(results):
  """Six patients of a finding have no mean; as if they were ten."""
  results = copy.deepcopy(results)
  results["auc"]["mean"] = 0.7
  results["counts"]["localization_findings"] = {"oracle": 2, "crossfit": 2}
  for of in results["localization"].values():
    for protocol in of.values():
      protocol["iou"]["mean"] = 0.4
  return results


def test_key_figures_without_means_say_why(run):
  few = "none: no finding has 10 patients"
  said = dict(page.summary(run))
  assert said["Mean AUC"] == said["Mean IoU"] == few
  assert not [value for value in said.values() if value.startswith("-")]


def test_without_a_true_box_there_are_no_key_figures_of_boxes(run):
  results = with_means(run.results)
  assert "IoU" in str(page.summary(run._replace(results=results)))
  assert "crossfit" in dict(key_figures.terms([run]))
  results["counts"]["boxes"] = dict.fromkeys(FINDINGS, 0)
  bare = run._replace(results=results)
  assert "IoU" not in str(page.summary(bare))
  assert {"AUC", "Mix"} <= dict(key_figures.terms([bare])).keys()
  assert not {"IoU", "crossfit"} & dict(key_figures.terms([bare])).keys()


def test_the_top_of_the_page_says_whose_films_they_are(run):
  text = render(run)
  head = text[: text.index("<nav")]
  assert "The films are drawn by a program" in head
  assert "12 drawn test films of 6 drawn patients" in head
  for name, said in (
    ("ChestX-ray14", "The films are real: 12 test films of 6 patients"),
    ("folder own", "12 test films of 6 patients of folder own, taken to be"),
  ):
    other = run._replace(results={**run.results, "dataset": name})
    assert said in whose_films.whose_films(other)


def test_the_summary_says_what_is_no_better_than_untrained(run):
  worse = {"mean": {"difference": 0.0, "interval": [-0.1, 0.1]}}
  better = {"mean": {"difference": 0.2, "interval": [0.1, 0.3]}}
  gains = {"oracle": {"iou": better}, "crossfit": {"iou": worse}}
  results = with_means(run.results)
  results["gains"] = {"mix": {"mix_untrained": gains}}
  said = dict(page.summary(run._replace(results=results)))
  assert "Mean IoU, Mix, oracle" in said
  assert "Mean IoU, Mix (no better than untrained), crossfit" in said


def test_cases_without_a_true_box_are_called_so(run):
  boxed, bare = (
    case_browser.case_data([run])[0]["said"],
    case_browser.said([run], []),
  )
  assert boxed.startswith("12 pairs of film and finding with a true box, and")
  assert boxed.endswith("Boxes of the cross-fitted thresholds.")
  assert bare.startswith("No test film has a true box. Shown are of each")
  assert "0 pairs" not in bare
  assert "Boxes" not in bare
