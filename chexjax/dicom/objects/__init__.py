"""DICOM objects of a film's predictions.

They need the film's dataset, scores, boxes in its stored pixels and pictures;
no model.

- `result`: what is written: the findings, the algorithm
- `finding_codes`: the coded name of a finding, from `finding_codes.csv`
- `source`: the film's header, its identity for the objects
- `uids`, `equipment`: what the objects have in common
- `structured_report`, `presentation_state`, `secondary_capture`,
  `segmentation`: one kind of object each
"""
