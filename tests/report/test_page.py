"""The page as a file: complete, self-contained, names escaped."""

import html.parser
import json
import re

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.outputs import evaluation_npz
from chexjax.evaluation.outputs.notes import notes
from chexjax.evaluation.outputs.tables import all_tables
from chexjax.evaluation.protocols import comparison
from chexjax.evaluation.protocols.decisions import decide
from chexjax.evaluation.protocols.wrong_calls import score_cuts, worst_calls
from chexjax.report import case_answers, page
from chexjax.report.cases import Cases, CaseWriter
from chexjax.report.embedded import Figure
from chexjax.report.key_figures import option_differences

NASTY = "</script><img src=x onerror=alert(1)>&\u2028'\".png"
FINDINGS = ("Mass", "Nodule")


MAPS = ("sal", "det", "mix")
FIGURE = Figure("a <figure>", "data:image/png;base64,", 9, 5, "Some", "shows <")


def make_run(folder, label, *, num=12, seed=0, side=16, names_of_maps=MAPS):
  """Evaluates `num` boxed cases of two findings; one has a nasty name."""
  rng = np.random.default_rng(seed)
  where = np.random.default_rng(7)  # true boxes do not depend on the seed
  collector = evaluation.LocalizationCollector(
    (side, side),
    thresholds=(0.6, 0.8, 0.9),
    maps={
      name: evaluation.DEFAULT_MAPS[evaluation.trained_name(name)]
      for name in names_of_maps
    },
  )
  names = [NASTY, *(f"{i:08d}_000.png" for i in range(1, num))]
  labels = np.array([[i % 2 == 0, i % 2 == 1] for i in range(num)])
  chance = np.random.default_rng(seed + 100).random((num, 2))
  images = evaluation.make_images(
    names, [i // 2 for i in range(num)], labels,
    np.clip(labels * 0.3 + chance * 0.7, 0, 1), FINDINGS,
    view=["AP"] * num, sex=["F", "M"] * (num // 2), age=[50] * num,
  )  # fmt: skip

  def heats(x, y):
    for kind in names_of_maps:
      heat = rng.random((side, side)) * 0.3
      heat[y : y + 6, x : x + 6] += 0.5 * rng.random()
      yield kind, heat

  folder.mkdir()
  with CaseWriter(folder / "cases.zip") as writer:
    for i, name in enumerate(names):
      x, y = where.integers(0, side - 6, 2)
      maps = dict(heats(x, y))
      case = {"image": name, "finding": FINDINGS[i % 2]}
      box = [x, y, x + 6, y + 6]
      collector.add(**case, patient=i // 2, boxes=box, maps=maps)
      film = (60 + 40 * rng.random((64, 64))).astype(np.uint8)
      writer.image(name, film)
      writer.case(name, FINDINGS[i % 2], maps)
    boxed = {(name, FINDINGS[i % 2]) for i, name in enumerate(names)}
    cuts = score_cuts(decide(images).thresholds)
    for call in worst_calls(images, cuts, without=boxed):
      writer.wrong_call(call.image, call.finding, dict(heats(2, 2)))
  table = collector.table()
  results = evaluation.assemble(
    images.classification(),
    table,
    dataset="phantom",
    provenance={"command": "evaluate <here>", "git_revision": "abc"},
    findings=FINDINGS,
    images=images,
    draws=20,
  )
  evaluation_npz.save(folder / "evaluation.npz", images, table)
  stored = evaluation_npz.load(folder / "evaluation.npz")
  measures = evaluation.measure_table(stored.table, FINDINGS)
  return page.Run(label, results, stored, measures, Cases(folder / "cases.zip"))


def render(*runs):
  compared = None
  if len(runs) == 2:
    a, b = runs
    tree = comparison.compare(
      a.record, b.record, a.measures, b.measures, draws=20
    )
    compared = page.comparison_rows(tree)
  return page.render(
    title="Runs <&> more",
    runs=runs,
    tables=[all_tables(run.results) for run in runs],
    notes=[notes(run.results) for run in runs],
    figures=[[FIGURE] for _ in runs],
    comparison=compared,
  )


@pytest.fixture(scope="module")
def run(tmp_path_factory):
  return make_run(tmp_path_factory.mktemp("a") / "run", "first <run>")


class Tags(html.parser.HTMLParser):
  """Collects tags, and the text of JSON scripts."""

  def __init__(self, text):
    super().__init__()
    self.tags, self.links, self.blocks, self._id = [], [], {}, None
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    attrs = dict(attrs)
    self.tags.append(tag)
    self._id = attrs.get("id") if tag == "script" else None
    self.links += [attrs[k] for k in ("src", "href") if k in attrs]

  def handle_data(self, data):
    if self._id:
      self.blocks[self._id] = self.blocks.get(self._id, "") + data


def test_names_from_data_cannot_leave_their_place(run):
  text = render(run)
  parsed = Tags(text)
  assert parsed.tags.count("script") == 3
  assert "onerror" not in re.sub(
    r"<script type=.application/json.*?</script>", "", text, flags=re.S
  )
  about = json.loads(parsed.blocks["about"])
  assert NASTY in {row["image"] for row in about["rows"]}
  assert "Runs &lt;&amp;&gt; more" in text
  both = render(run, run)
  assert "first &lt;run&gt;" in both
  assert "<run>" not in both


def test_nothing_is_fetched(run):
  parsed = Tags(render(run))
  assert all(link.startswith(("data:", "#")) for link in parsed.links)
  text = render(run)
  assert "http://" not in text
  assert "https://" not in text
  assert "not a medical device" in text


def test_the_cases_are_those_of_the_table(run):
  about, pictures = page.case_data([run])
  table = run.record.table
  boxed = [row for row in about["rows"] if row["true"]]
  assert about["rows"][: len(table.image)] == boxed
  boxes = page.predicted_boxes(run)["mix"]
  for p, row in enumerate(boxed):
    mine = row["runs"][0]["maps"]["mix"]
    iou = evaluation.overlap.iou(boxes[p], table.true_box[p])
    assert mine["iou"] == pytest.approx(float(iou), abs=1e-4)
    np.testing.assert_allclose(row["true"], table.true_box[p] / 16, atol=1e-4)
    assert pictures[row["film"]].startswith("/9j/")  # a JPEG
  # 12 films and 3 maps of each case, each once.
  assert len(pictures) == len(set(pictures)) == 12 + 3 * len(about["rows"])


def test_wrong_calls_are_cases_too(run):
  about, pictures = page.case_data([run])
  wrong = [row for row in about["rows"] if not row["true"]]
  images, calls = run.record.images, about["runs"][0]["calls"]
  # Every film has a box of its own finding: only the other can be an alarm.
  alarms = {
    (str(images.image[i]), name)
    for k, name in enumerate(FINDINGS)
    for i in range(12)
    if not images.labels[i, k] and images.scores[i, k] >= calls[name]["cut"]
  }
  assert {(row["image"], row["finding"]) for row in wrong} == alarms
  assert alarms
  for row in wrong:
    assert row["runs"][0]["kind"] == "false alarm"
    assert pictures[row["runs"][0]["maps"]["mix"]["picture"]]
  for k, name in enumerate(FINDINGS):
    of = calls[name]
    found = (images.scores[:, k] >= of["cut"]) & images.labels[:, k]
    assert (of["found"], of["positives"]) == (found.sum(), 6)
  kinds = [row["runs"][0]["kind"] for row in about["rows"] if row["true"]]
  assert kinds.count("miss") == 12 - sum(of["found"] for of in calls.values())
  table = {row[0]: row for row in case_answers.call_rows(run)}
  assert table["Mass"][2] == calls["Mass"]["found"] / 6


def test_two_runs_side_by_side(run, tmp_path):
  other = make_run(tmp_path / "other", "second", seed=1)
  config = {"seed": 0, "model": {"growth": 4}, "workdir": "a"}
  runs = [
    each._replace(results={**each.results, "provenance": {"config": options}})
    for each, options in (
      (run, config),
      (other, {**config, "model": {"growth": 8}, "workdir": "b"}),
    )
  ]
  assert option_differences(runs) == [["model.growth", "4", "8"]]
  text = render(*runs)
  assert "model.growth" in text
  about, _ = page.case_data([run, other])
  rows = about["rows"]
  assert {len(row["runs"]) for row in rows} == {2}
  assert sum(row["true"] is not None for row in rows) == 12
  # What is wrong in one run is shown of both.
  wrong = [{run["kind"] for run in row["runs"]} for row in rows[12:]]
  assert {"false alarm", "right"} in wrong
  assert rows[0]["runs"][0] != rows[0]["runs"][1]


def test_the_order_of_the_page(run):
  text = render(run)
  marks = [
    f'id="{name}"' for name in ("verdict", "key", "cases", "tables", "figures")
  ]
  places = [text.index(mark) for mark in (*marks, "What the terms mean")]
  assert places[:5] == sorted(places[:5])
  assert places[1] < places[5] < places[2]
  assert 'width="9" height="5" alt="shows &lt;"' in text
  folded = text[places[4] :]
  assert "<summary>Some (1)</summary>" in folded
  assert "<details open" not in folded


def test_runs_of_other_images_are_not_compared(run, tmp_path):
  other = make_run(tmp_path / "other", "second", num=10)
  with pytest.raises(ValueError, match="images: 2 only in the first"):
    render(run, other)


def test_no_pictures_and_no_film(run):
  about, pictures = page.case_data([run._replace(cases=None)])
  assert not pictures
  assert about["rows"][0]["film"] is None


def test_an_untrained_head_has_rows_but_no_pictures(run, tmp_path):
  names = (*MAPS, "det_untrained", "mix_untrained")
  other = make_run(tmp_path / "other", "second", names_of_maps=names)
  text = render(other)
  assert "Mix, untrained head" in text
  assert "Table 7" in text
  assert "untrained" not in render(run)
  about, _ = page.case_data([other])
  assert [m["name"] for m in about["runs"][0]["maps"]] == list(MAPS)
  assert {*about["rows"][0]["runs"][0]["maps"]} == {*MAPS}
  assert "Comparison" in render(run, other)


def test_bold_is_what_stands_the_correction(run):
  """An interval without 0 alone is not enough."""
  of = {"a": 0.5, "b": 0.6, "difference": 0.1, "interval": [0.01, 0.2]}
  tree = {
    "auc": {
      "Mass": {**of, "p": 0.04, "apart": False},
      "mean": {**of, "p": 0.04, "apart": True},
    },
    "localization": {},
  }
  rows = page.comparison_rows(tree)
  assert [len(row) for row in rows] == [9, 9]
  table = all_tables(run.results)[-1]._replace(apart=frozenset({(0, 3)}))
  text = page.render(
    title="two",
    runs=[run, run],
    tables=[[table], []],
    notes=[[], []],
    figures=[[], []],
    comparison=rows,
  )
  assert text.count('<tr class="apart">') == 1
  assert text.count('class="number apart"') == 1
  for line in run.results["summary"]:
    assert line in text
