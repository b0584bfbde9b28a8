"""What a model says of a film: probability, decision, map and box."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chexjax.data.images import Film
from chexjax.evaluation.measures.heat_maps import upsample
from chexjax.inference.boxes import cut_box, of_film
from chexjax.inference.predictor import Predictor
from chexjax.report.overlay import Marked

SHOWN = 3  # findings in a picture, where nobody has chosen what is predicted
Findings = dict[str, dict[str, Any]]


class FilmFindings:
  """Turns the model's output for a film into findings and maps."""

  def __init__(self, predictor: Predictor, percentiles: Mapping[str, float]):
    """Remember how boxes are cut.

    Args:
      predictor: made the predictions.
      percentiles: finding -> share of the map's pixels below the cut, 0..1.
    """
    self.predictor, self.percentiles = predictor, dict(percentiles)

  def findings(self, film: Film, found: Mapping[str, Any]) -> Findings:
    """Return probability, decision and box of every finding.

    Args:
      film: content of the file.
      found: result of `make_forward` for this film, on the host.
    """
    box_map = self.predictor.box_map
    logits = found["full_logits"].astype(np.float64)
    return {
      name: self._decision(name, float(1 / (1 + np.exp(-logits[k]))))
      | cut_box(
        found["maps"][box_map][k],
        self.percentiles[name],
        size=self.predictor.info.image_size,
        original=film.original.shape,
        shape=self.predictor.info.shape,
      )
      | {"map": box_map}
      for k, name in enumerate(self.predictor.findings)
    }

  def heat(self, film: Film, found: Mapping[str, Any], name: str) -> np.ndarray:
    """Return the part of a finding's map that lies on the film.

    Args:
      film: content of the file.
      found: see `findings`.
      name: of the finding.

    Returns:
      `[h, w]`, of any size, to be stretched over the film.
    """
    info = self.predictor.info
    k = self.predictor.findings.index(name)
    heat = found["maps"][self.predictor.box_map][k]
    if info.shape == "squeeze":
      return heat
    full = upsample(heat, (info.image_size, info.image_size))
    return of_film(full, film.original.shape, info.shape)

  def marked(
    self,
    film: Film,
    found: Mapping[str, Any],
    findings: Findings,
    names: list[str],
  ) -> list[Marked]:
    """Return what a picture shows of some findings.

    A finding that is not predicted has its map but no box.

    Args:
      film: content of the file.
      found: see `findings`.
      findings: of this film.
      names: of the findings to show.
    """
    shown = []
    for name in names:
      of = findings[name]
      title, box = f"{name} {of['probability']:.2f}", of["box"]
      if of["predicted"] is False:
        title, box = f"{title}, not predicted", None
      shown.append(Marked(title, self.heat(film, found, name), box))
    return shown

  def _decision(self, name: str, probability: float) -> dict[str, Any]:
    cut = self.predictor.info.score_cuts.get(name)
    return {
      "probability": probability,
      "score_cut": cut,
      "predicted": None if cut is None else probability >= cut,
    }


def most_probable(findings: Findings) -> list[str]:
  """Return the names, the most probable first."""
  return sorted(findings, key=lambda name: -findings[name]["probability"])


def drawn(findings: Findings) -> list[str]:
  """Return the findings whose boxes are drawn over a film, the likeliest first.

  They are those that are predicted; where nobody has chosen from which score on
  a finding is, the three most probable ones.
  """
  names = most_probable(findings)
  if all(findings[name]["predicted"] is None for name in names):
    return names[:SHOWN]
  return [name for name in names if findings[name]["predicted"]]
