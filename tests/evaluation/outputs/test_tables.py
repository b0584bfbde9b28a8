import csv
import io

import numpy as np
import pytest

from chexjax import evaluation
from chexjax.evaluation.outputs.tables import all_tables

FINDINGS = ("Mass", "Pleural_Thickening")


@pytest.fixture(scope="module")
def results():
  rng = np.random.default_rng(0)
  collector = evaluation.LocalizationCollector((32, 32), thresholds=(0.6, 0.9))
  names = [f"{i}.png" for i in range(20)]
  for i in range(8):
    maps = {name: rng.random((8, 8)) for name in ("sal", "det", "mix")}
    collector.add(
      image=names[i], patient=i, finding="Mass", boxes=[2, 2, 20, 20], maps=maps
    )
    other = {"finding": "Pleural_Thickening", "boxes": np.zeros((0, 4))}
    collector.add(image=names[i], patient=i, maps=maps, **other)
  labels = np.array([[i < 8, i % 3 == 0] for i in range(20)])
  images = evaluation.make_images(
    names, range(20), labels, rng.random((20, 2)), FINDINGS
  )
  return evaluation.assemble(
    evaluation.classify(labels, images.scores, FINDINGS),
    collector.table(),
    dataset="50 % & more",
    provenance={},
    findings=FINDINGS,
    images=images,
    others=collector.others(),
    draws=20,
  )


def test_csv_has_every_figure_once(results):
  rows = list(csv.DictReader(io.StringIO(evaluation.figures_csv(results))))
  keys = [tuple(list(row.values())[:5]) for row in rows]
  assert len(set(keys)) == len(keys)
  by = dict(zip(keys, rows))
  key = ("t_iou.0.3", "mix", "crossfit", "largest", "Mass")
  tree = results["localization"]["mix"]["crossfit"]["t_iou"]["0.3"]
  assert float(by[key]["value"]) == tree["Mass"]
  span = results["localization_interval"]["mix"]["crossfit"]["t_iou"]["0.3"]
  assert [float(by[key]["low"]), float(by[key]["high"])] == span["Mass"]
  undefined = (*key[:4], "Pleural_Thickening")
  assert by[undefined]["value"] == ""
  assert ("iou", "mix", "oracle", "most_active", "mean") in by
  assert ("rodeo.total", "mix", "crossfit", "", "all") in by
  assert ("map.0.5", "image_blind", "oracle", "", "mean") in by


def test_latex_is_escaped_and_its_rows_equally_long(results):
  text = evaluation.latex(results, published=True)
  assert "not a medical device" in text
  assert r"95 \% interval" in text
  assert r"\emph{not ours:} paper, Mix" in text
  for table in text.split(r"\begin{tabular}")[1:]:
    body = table[: table.index(r"\end{tabular}")]
    lines = [line for line in body.split("\n") if line.endswith(r"\\")]
    assert len({line.replace(r"\&", "").count("&") for line in lines}) == 1
    columns = table[1 : table.index("}")]
    assert len(columns) == lines[0].count("&") + 1


def test_markdown_shows_all_tables(results):
  text = evaluation.markdown(results)
  for number in range(1, 7):
    assert f"## Table {number}" in text
  assert "| released split |" in text
  assert "unknown" in text  # view, sex and age were not given


def test_a_subgroup_without_anybody_is_left_out(results):
  table = next(t for t in all_tables(results) if t.title.startswith("Table 6"))
  shown = {(row[0], row[1]) for row in table.rows}
  # Neither view, sex nor age is known; every box is large.
  assert shown == {
    ("view", "unknown"),
    ("sex", "unknown"),
    ("age", "unknown"),
    ("box size", "large"),
  }
