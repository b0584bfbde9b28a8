"""Inference: films in; probabilities, maps and boxes out.

- `predictor`: `load` opens a model, `Predictor` runs it on films
- `films`: the kinds of films that a caller may give
- `forward`: the jitted forward pass
- `maps`, `boxes`, `thresholds`: from intermediates to maps and boxes
- `image_files`, `dicom_files`, `prediction_files`: what `chexjax predict` reads
  and writes
- `test_split`, `split_recorder`, `scoring`: a model scored on a test split
- `own_truth`: a set of one's own as the truth of an evaluation
- `picked_films`, `film_names`: some films of a split, and films by their names
"""

from chexjax.inference.predictor import Predictions, Predictor, load

__all__ = ["Predictions", "Predictor", "load"]
