"""Gains over an untrained head: paired, marked where there are none."""

import csv
import io

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.measures.released_rules import released_rule
from chexjax.evaluation.outputs import further_tables, table_cells
from chexjax.evaluation.outputs.notes import notes
from chexjax.evaluation.protocols import (
  bootstrap,
  figure_trees,
  gains,
  localization,
)

FINDINGS = ("Mass", "Nodule", "Hernia")  # no box of Hernia
FRAME = (64, 64)
MAPS = ("sal", "det", "mix", "det_untrained", "mix_untrained")
NOTHING = dict.fromkeys(("difference", "interval", "p", "apart"))
RULE = evaluation.MapRule("percentile", "minmax")


def scene(names=MAPS, *, num=24):
  """Images and a table: `mix` finds the boxes, all other maps are noise."""
  rng = np.random.default_rng(0)
  collector = evaluation.LocalizationCollector(
    FRAME, maps=dict.fromkeys(names, RULE), thresholds=(0.6, 0.8, 0.9)
  )
  for i in range(num):
    x, y = rng.integers(0, 8, 2) * 4
    noise = rng.random((16, 16))
    maps = dict.fromkeys(names, noise)
    maps["mix"] = noise * 0.1
    maps["mix"][y // 4 : y // 4 + 6, x // 4 : x // 4 + 7] += 1
    collector.add(
      image=f"{i}.png",
      patient=i // 2,
      finding=FINDINGS[i % 2],
      boxes=[x, y, x + 28, y + 24],
      maps={name: maps[name] for name in names},
    )
  labels = np.array([[i % 2 == 0, i % 2 == 1, i == 0] for i in range(num)])
  images = evaluation.make_images(
    [f"{i}.png" for i in range(num)], np.arange(num) // 2, labels,
    rng.random((num, 3)), FINDINGS,
  )  # fmt: skip
  return images, collector.table()


def assembled(parts, **options):
  images, table = parts
  return evaluation.assemble(
    evaluation.classify(images.labels, images.scores, FINDINGS),
    table,
    dataset="phantom",
    provenance={},
    findings=FINDINGS,
    images=images,
    **{"draws": 50, **options},
  )


@pytest.fixture(scope="module")
def results():
  return assembled(scene())


def test_a_gain_is_the_difference_of_the_rows(results):
  tree = results["localization"]
  pairs = [
    ("det", "det_untrained"), ("mix", "mix_untrained"), ("mix", "sal"),
    ("det", "sal"),
  ]  # fmt: skip
  assert {(a, b) for a, of in results["gains"].items() for b in of} == {*pairs}
  for row, reference in pairs:
    for protocol in ("oracle", "crossfit"):
      for measure in ("iou", "cdice"):
        of = results["gains"][row][reference][protocol][measure]
        ours, theirs = (
          tree[name][protocol][measure] for name in (row, reference)
        )
        for finding in ("Mass", "Nodule", "mean"):
          want = ours[finding] - theirs[finding]
          assert of[finding]["difference"] == pytest.approx(want)
        assert of["Hernia"] == NOTHING
  assert set(results["gains"]["mix"]["sal"]) == {"oracle", "crossfit", "beats"}


def test_the_interval_is_paired():
  """A constant shift is known for sure, however much the rows differ."""
  images, table = scene()
  measures = localization.measure_table(table, FINDINGS)
  of = measures["det_untrained"]["crossfit"]
  measures["det"]["crossfit"] = {
    f: m if m.iou is None else m._replace(iou=m.iou + 0.1)
    for f, m in of.items()
  }
  draws = bootstrap.draw_patients(images.patient, draws=50)
  tree = gains.gain_tree(measures, table, draws)["det"]["det_untrained"]
  for finding in ("Mass", "Nodule", "mean"):
    span = tree["crossfit"]["iou"][finding]["interval"]
    assert span == pytest.approx([0.1, 0.1])
  assert tree["beats"] is True
  alone = localization.interval_tree(measures, table, draws)["det"]["crossfit"][
    "iou"
  ]
  assert alone["mean"][1] - alone["mean"][0] > 0.01


def test_the_same_row_gains_nothing_and_is_marked(results):
  of = results["gains"]["det"]["det_untrained"]
  assert of["crossfit"]["iou"]["mean"] == {
    "difference": 0,
    "interval": [0, 0],
    "p": 1,
    "apart": False,
  }
  assert of["beats"] is False
  assert results["gains"]["mix"]["mix_untrained"]["beats"] is True
  lines = evaluation.markdown(results).split("\n")
  marked = [line for line in lines if f"({table_cells.NO_BETTER})" in line]
  assert len(marked) == 6  # Table 2: two measures, two protocols; Table 4: two
  assert all(f"| Det ({table_cells.NO_BETTER}) |" in line for line in marked)
  assert not any("released" in line for line in marked)


def test_a_mark_is_of_its_measure_and_protocol():
  results = {"gains": {"mix": {"mix_untrained": {}}}}
  at = results["gains"]["mix"]["mix_untrained"]
  for protocol, measure, low in (
    ("oracle", "iou", 0.1),
    ("crossfit", "iou", 0.0),
    ("crossfit", "cdice", 0.1),
  ):
    gain = {"difference": 0.2, "interval": [low, 0.3]}
    figure_trees.set_at(at, (protocol, measure), {"mean": gain})
  undefined = {"difference": None, "interval": None}
  figure_trees.set_at(at, ("oracle", "cdice"), {"mean": undefined})
  marked = {
    (protocol, measure)
    for protocol in ("oracle", "crossfit", "predicted")
    for measure in ("iou", "cdice", "t_iou")
    if "(" in table_cells.row_label(results, "mix", protocol, measure=measure)
  }
  assert marked == {("crossfit", "iou")}


def test_without_an_untrained_head_nothing_is_said_of_one():
  results = assembled(scene(("sal", "det", "mix")))
  pairs = {(a, b) for a, of in results["gains"].items() for b in of}
  assert pairs == {("mix", "sal"), ("det", "sal")}
  assert "ntrained" not in evaluation.markdown(results)
  assert not any("ntrained" in line for line in notes(results))


def test_a_single_map_has_no_gains():
  results = assembled(scene(("mix",)))
  assert results["gains"] == {}
  assert "Table 7" not in evaluation.markdown(results)


def test_results_without_gains_still_make_tables(results):
  old = {key: of for key, of in results.items() if key != "gains"}
  text = evaluation.markdown(old)
  assert "Table 6" in text
  assert "Table 7" not in text
  assert evaluation.figures_csv(old)
  assert "gains" not in assembled(scene(), draws=0)


def test_no_boxes_leave_the_gains_undefined():
  images, _ = scene()
  empty = evaluation.LocalizationCollector(
    FRAME, maps=dict.fromkeys(MAPS, RULE)
  ).table()
  results = assembled((images, empty))
  of = results["gains"]["mix"]["mix_untrained"]
  assert of["crossfit"]["iou"]["mean"] == NOTHING
  assert of["beats"] is None
  row = further_tables.gain_table(results).rows[0]
  assert row[3:] == [None] * 6


def test_table_and_csv_hold_the_gains(results):
  table = further_tables.gain_table(results)
  assert len({len(row) for row in (table.header, *table.rows)}) == 1
  by = {tuple(row[:3]): row for row in table.rows}
  row = by["Mix", "Mix, untrained head", "IoU"]
  gain = results["gains"]["mix"]["mix_untrained"]["crossfit"]["iou"]["mean"]
  assert row[-3:] == [gain["difference"], tuple(gain["interval"]), "yes"]
  assert by["Det", "Det, untrained head", "cDice"][-1] == "no"
  assert len(by) == 8
  lines = list(csv.reader(io.StringIO(evaluation.figures_csv(results))))
  keys = [tuple(line[:5]) for line in lines]
  assert len(set(keys)) == len(keys)
  key = ("gain.mix_untrained.iou", "mix", "crossfit", "largest", "mean")
  values = lines[keys.index(key)][5:]
  want = [gain["difference"], *gain["interval"]]
  assert [float(value) for value in values] == want


def test_the_untrained_rows_are_said(results):
  text = evaluation.markdown(results)
  assert "| IoU | Mix, untrained head | crossfit |" in text
  assert len([n for n in notes(results) if "never trained" in n]) == 1


def test_an_untrained_heads_map_is_read_as_the_trained_ones():
  for name in ("det", "mix"):
    control = evaluation.untrained_name(name)
    assert released_rule(control) == released_rule(name)
    assert evaluation.trained_name(control) == name
  assert evaluation.trained_name("sal") == "sal"
  assert evaluation.without_untrained(MAPS) == ["sal", "det", "mix"]


def test_bold_is_what_stands_the_correction(results):
  """A finding's difference may be bold only with enough draws for Holm."""
  text, tex = evaluation.markdown(results), evaluation.latex(results)
  gain = results["gains"]["mix"]["mix_untrained"]["crossfit"]["iou"]
  assert gain["mean"]["apart"]
  assert f"**{gain['mean']['difference']:.3f}**" in text
  assert rf"\textbf{{{gain['mean']['difference']:.3f}}}" in tex
  # 50 draws: 2 / 51 is below 0.05, but not below 0.05 / 2.
  assert gain["Mass"]["interval"][0] > 0
  assert not gain["Mass"]["apart"]
  more = assembled(scene(), draws=100)
  assert more["gains"]["mix"]["mix_untrained"]["crossfit"]["iou"]["Mass"][
    "apart"
  ]
  same = results["gains"]["det"]["det_untrained"]["crossfit"]["iou"]
  assert not same["mean"]["apart"]
