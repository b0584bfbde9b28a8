"""The files of an evaluation: results, tables, figures, boxes."""
