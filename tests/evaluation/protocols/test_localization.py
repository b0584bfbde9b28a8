from chexjax.evaluation.protocols import bootstrap, localization

FINDINGS = ("Mass", "Nodule")


def test_intervals_hold_the_figure(parts):
  images, table = parts
  measures = localization.measure_table(table, FINDINGS)
  draws = bootstrap.draw_patients(images.patient, draws=200)
  values = localization.value_tree(measures)["mix"]["oracle"]["iou"]
  spans = localization.interval_tree(measures, table, draws)["mix"]["oracle"][
    "iou"
  ]
  for name in (*FINDINGS, "mean"):
    low, high = spans[name]
    assert low < values[name] < high
