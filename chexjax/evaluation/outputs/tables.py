"""Every table that there is data for."""

from chexjax.evaluation.outputs import further_tables, paper_tables
from chexjax.evaluation.outputs.table_cells import Results, Table


def all_tables(results: Results, *, published: bool = False) -> list[Table]:
  """Return Tables 1 to 8; those without data are left out.

  Args:
    results: tree of `results_json.assemble`.
    published: add the published figures, marked as not ours. Only for the
      official ChestX-ray14 test set: with other data they do not compare.

  Returns:
    The tables in order.
  """
  tables = [
    paper_tables.auc_table(results, published=published),
    paper_tables.overlap_table(results, published=published),
    paper_tables.t_iou_table(results, published=published),
    further_tables.all_measures_table(results),
    further_tables.detection_table(results),
    further_tables.subgroup_table(results),
    further_tables.gain_table(results),
    further_tables.wang_table(results),
  ]
  return [table for table in tables if table is not None]
