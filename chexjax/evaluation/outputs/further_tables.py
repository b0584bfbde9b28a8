"""Tables 4 to 7: all measures, detection, subgroups and gains."""

from chexjax.evaluation.outputs.table_cells import (
  MEASURE_NAMES,
  Cell,
  Results,
  Table,
  finding_label,
  interval_cell,
  main_map,
  map_label,
  mean_label,
  plain,
  row_label,
  value_at,
)
from chexjax.evaluation.protocols.gains import MEASURES, beats

_WANG_SHOWN = (
  ("iou", "0.1"), ("iou", "0.3"), ("iou", "0.5"), ("iobb", "0.1"),
  ("iobb", "0.25"), ("iobb", "0.5"),
)  # fmt: skip


def all_measures_table(results: Results) -> Table:
  """Return Table 4: means of all measures over the findings.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The `Table`.
  """
  rows: list[list[Cell]] = []
  for name, by_protocol in results["localization"].items():
    for protocol, of in by_protocol.items():
      cells = [of[key]["mean"] for key in MEASURE_NAMES]
      label = row_label(results, name, protocol)
      rows.append([label, plain(protocol), *cells])
  header = ["box from", "protocol", *MEASURE_NAMES.values()]
  title = f"Table 4: all measures, {mean_label(results)} findings"
  return Table(title, header, rows)


def detection_table(results: Results) -> Table | None:
  """Return Table 5: mAP and RoDeO.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The `Table`; None without `detection`.
  """
  if not results.get("detection"):
    return None
  rows: list[list[Cell]] = []
  for name, by_protocol in results["detection"].items():
    for protocol, of in by_protocol.items():
      scores = [score["all"] for score in of["rodeo"].values()]
      means = [ap["mean"] for ap in of["map"].values()]
      rows.append([map_label(name), protocol, *means, *scores])
  first = next(iter(next(iter(results["detection"].values())).values()))
  few = value_at(results, "few_patients", "localization") or {}
  count = sum(
    value is not None and name not in (*few, "mean")
    for name, value in next(iter(first["map"].values())).items()
  )
  header = ["box from", "protocol"]
  header += [f"mAP at {t}, mean over {count}" for t in first["map"]]
  header += ["RoDeO", *(f"RoDeO {name}" for name in list(first["rodeo"])[1:])]
  return Table("Table 5: detection, no finding given", header, rows)


def subgroup_table(results: Results) -> Table | None:
  """Return Table 6: the subgroups, means over the findings.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The `Table`; None where the images are unknown.
  """
  if "subgroups" not in results:
    return None
  name = main_map(results)
  rows: list[list[Cell]] = []
  for kind, groups in results["subgroups"].items():
    for group, of in groups.items():
      boxes = sum(of["boxes"].values())
      if not of.get("images", boxes):  # Nobody is in it.
        continue
      at = (name, "crossfit", "iou", "mean")
      rows.append(
        [
          plain(kind),
          group,
          of.get("images", ""),
          of["auc"]["mean"] if "auc" in of else "",
          interval_cell(of, "auc_interval", "mean"),
          boxes,
          value_at(of, "localization", *at),
          interval_cell(of, "localization_interval", *at),
          value_at(of, "localization", "image_blind", *at[1:]),
        ]
      )
  header = ["group", "", "images", "AUC", "95 % interval", "boxes"]
  header += [f"IoU ({map_label(name)}, crossfit)", "95 % interval"]
  return Table(
    f"Table 6: subgroups, AUC: mean over {results['counts']['auc_findings']}, "
    f"IoU: {mean_label(results)} findings",
    [*header, "image-blind IoU"],
    rows,
  )


def gain_table(results: Results) -> Table | None:
  """Return Table 7: rows against their references.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The `Table`; None without a pair of a row and its reference.
  """
  findings = list(results["counts"]["boxes"])
  said = {True: "yes", False: "no", None: None}
  rows: list[list[Cell]] = []
  bold: set[tuple[int, int]] = set()
  for name, references in results.get("gains", {}).items():
    for reference, of in references.items():
      for key in MEASURES:
        gains = of["crossfit"][key]
        span = gains["mean"]["interval"]
        bold |= {
          (len(rows), column)
          for column, f in enumerate((*findings, "mean"), 3)
          if gains[f].get("apart")
        }
        rows.append(
          [map_label(name), map_label(reference), MEASURE_NAMES[key]]
          + [gains[f]["difference"] for f in (*findings, "mean")]
          + [span and tuple(span), said[beats(span)]]
        )
  if not rows:
    return None
  labels = [finding_label(results, f, where="localization") for f in findings]
  header = ["row", "against", "measure", *labels, mean_label(results)]
  return Table(
    "Table 7: gains over controls and other maps, crossfit",
    [*header, "95 % interval", "beats it"],
    rows,
    apart=frozenset(bold),
  )


def wang_table(results: Results) -> Table | None:
  """Return Table 8: found and false boxes under the rule of Wang et al.

  Args:
    results: tree of `results_json.assemble`.

  Returns:
    The `Table`; None without maps or true boxes.
  """
  findings = list(results["counts"]["boxes"])
  rows: list[list[Cell]] = []
  for name, by_measure in results.get("wang_rule", {}).items():
    for measure, level in _WANG_SHOWN:
      for figure, label in (("found", "found"), ("false_boxes", "false boxes")):
        of = by_measure[measure][level][figure]
        if all(of[f] is None for f in findings):
          continue
        shown = f"T({MEASURE_NAMES[measure]}) = {level}"
        rows.append(
          [
            map_label(name),
            shown,
            label,
            *(of[f] for f in findings),
            of["mean"],
          ]
        )
  if not rows:
    return None
  labels = [finding_label(results, f, where="localization") for f in findings]
  header = ["boxes from", "hit", "figure", *labels, mean_label(results)]
  title = "Table 8: cuts at 60 and 180 of 255, every region a box"
  return Table(title, header, rows)
