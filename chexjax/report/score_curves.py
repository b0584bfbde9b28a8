"""Figures of an evaluation's scores, written as PNG: ROC, PR, calibration."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from chexjax.evaluation import ScoredImages
from chexjax.evaluation.protocols import bootstrap
from chexjax.evaluation.protocols.bootstrap import defined_ratio
from chexjax.evaluation.protocols.ranking import Ranking, rank
from chexjax.report.small_multiples import (
  File,
  save_png,
  set_title,
  small_multiples,
)

_LINE, _GREY = "#0072B2", "#777777"
_BINS = 10
_DRAWS = 200


class _Panel(NamedTuple):
  """A finding's axes and its images with a known label.

  Attributes:
    name: of the finding.
    axes: to draw on.
    truth: `[N]` bool.
    score: `[N]`.
    counts: `[B, M]`, how often each patient is in each draw.
    places: `[N]` column in `counts` of each image's patient.
  """

  name: str
  axes: Any
  truth: np.ndarray
  score: np.ndarray
  counts: np.ndarray
  places: np.ndarray


def roc_points(
  ranking: Ranking, counts: np.ndarray, places: np.ndarray, grid: np.ndarray
) -> np.ndarray:
  """Compute the true positive rates of every draw of patients.

  Args:
    ranking: of the images by their score.
    counts: `[B, M]`, how often each of M patients is in each of B draws.
    places: `[N]`, column in `counts` of each image's patient.
    grid: `[G]` false positive rates, rising.

  Returns:
    `[B, G]`; NaN where a draw has no positive or no negative image.
  """
  result = np.full((len(counts), len(grid)), np.nan)
  for b, count in enumerate(counts):
    negative = np.concatenate([[0], np.cumsum(count[places[ranking.negative]])])
    positive = np.concatenate([[0], np.cumsum(count[places[ranking.positive]])])
    if not negative[-1] or not positive[-1]:
      continue
    false = 1 - negative[ranking.below] / negative[-1]
    true = 1 - positive[ranking.first] / positive[-1]
    result[b] = np.interp(
      grid,
      np.concatenate([[0], false[::-1], [1]]),
      np.concatenate([[0], true[::-1], [1]]),
    )
  return result


def pr_points(
  ranking: Ranking, counts: np.ndarray, places: np.ndarray, grid: np.ndarray
) -> np.ndarray:
  """Compute the precision at every recall, in every draw of patients.

  Args:
    ranking: of the images by their score.
    counts: `[B, M]`, how often each of M patients is in each of B draws.
    places: `[N]`, column in `counts` of each image's patient.
    grid: `[G]` recalls, rising, above 0.

  Returns:
    `[B, G]`, the precision at the highest score that reaches the recall; NaN
    where a draw has no positive image.
  """
  result = np.full((len(counts), len(grid)), np.nan)
  for b, count in enumerate(counts):
    negative = np.concatenate([[0], np.cumsum(count[places[ranking.negative]])])
    positive = np.concatenate([[0], np.cumsum(count[places[ranking.positive]])])
    if not positive[-1]:
      continue
    true = positive[-1] - positive[ranking.first][::-1]
    false = negative[-1] - negative[ranking.below][::-1]
    precision = defined_ratio(true, true + false)
    at = np.searchsorted(true, grid * positive[-1] - 1e-9)
    result[b] = precision[np.minimum(at, len(true) - 1)]
  return result


def calibration_points(
  score: np.ndarray, truth: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Compute mean score and share of positives in bins of equally many images.

  Args:
    score: `[N]` probabilities.
    truth: `[N]` bool.
    weights: `[B, N]`, how often each image is in each draw.

  Returns:
    `[C]` mean scores and `[B, C]` shares, C at most 10; equal scores are in one
    bin. NaN where a draw has no image of a bin.
  """
  edges = np.unique(np.quantile(score, np.arange(1, _BINS) / _BINS))
  bins = np.searchsorted(edges, score, "left")
  used = np.unique(bins)
  mean = np.array([score[bins == n].mean() for n in used])
  share = np.stack(
    [
      defined_ratio(
        weights[:, bins == n] @ truth[bins == n], weights[:, bins == n].sum(1)
      )
      for n in used
    ],
    1,
  )
  return mean, share


def roc_figure(
  file: File, images: ScoredImages, results: dict[str, Any], *, seed: int = 0
) -> None:
  """Draw the ROC of every finding, with the middle 95 % of draws of patients.

  Args:
    file: path or open binary file.
    images: labels and scores.
    results: tree of `evaluation.assemble`; gives the AUCs.
    seed: of the draws.
  """

  def draw(panel: _Panel) -> None:
    panel.axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.6, linestyle=":")
    _curve(panel, roc_points, np.linspace(0, 1, 101))
    _say(panel, results, "AUC", "auc")

  _figure(
    file, images, results, draw, ("false positive rate", "true positive rate"),
    seed,
  )  # fmt: skip


def pr_figure(
  file: File, images: ScoredImages, results: dict[str, Any], *, seed: int = 0
) -> None:
  """Draw precision over recall, with the middle 95 % of draws of patients.

  The dotted line is the share of positives: what guessing gives.

  Args:
    file: path or open binary file.
    images: labels and scores.
    results: tree of `evaluation.assemble`; gives the average precisions.
    seed: of the draws.
  """

  def draw(panel: _Panel) -> None:
    share = panel.truth.mean()
    panel.axes.axhline(share, color=_GREY, linewidth=0.8, linestyle=":")
    _curve(panel, pr_points, np.linspace(0.01, 1, 100))
    _say(panel, results, "AP", "average_precision")

  _figure(file, images, results, draw, ("recall", "precision"), seed)


def calibration_figure(
  file: File, images: ScoredImages, results: dict[str, Any], *, seed: int = 0
) -> None:
  """Draw how often a finding is there, over the probability that was given.

  Args:
    file: path or open binary file.
    images: labels and scores.
    results: tree of `evaluation.assemble`; says what is undefined.
    seed: of the draws.
  """

  def draw(panel: _Panel) -> None:
    panel.axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.6, linestyle=":")
    if panel.score.min() < 0 or panel.score.max() > 1:
      text = "scores are no\nprobabilities"
      panel.axes.text(0.5, 0.4, text, ha="center", fontsize=8)
      return
    weights = panel.counts[:, panel.places]
    mean, drawn = calibration_points(panel.score, panel.truth, weights)
    once = np.ones((1, len(panel.score)))
    share = calibration_points(panel.score, panel.truth, once)[1][0]
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    panel.axes.vlines(mean, low, high, color=_LINE, linewidth=1.2, alpha=0.5)
    panel.axes.plot(mean, share, "o-", color=_LINE, markersize=3, linewidth=1)

  words = ("mean probability given", "share of films with the finding")
  _figure(file, images, results, draw, words, seed)


def _curve(
  panel: _Panel, points: Callable[..., np.ndarray], grid: np.ndarray
) -> None:
  """Draw a curve and the band of its draws."""
  ranking = rank(panel.truth, panel.score)
  band = points(ranking, panel.counts, panel.places, grid)
  low, high = np.nanquantile(band, [0.025, 0.975], axis=0)
  panel.axes.fill_between(grid, low, high, color=_LINE, alpha=0.25, linewidth=0)
  once = np.ones((1, panel.counts.shape[1]), np.int32)
  line = points(ranking, once, panel.places, grid)[0]
  panel.axes.plot(grid, line, color=_LINE)


def _say(panel: _Panel, results: dict[str, Any], title: str, key: str) -> None:
  """Write a figure and its interval over the axes, where no curve is."""
  said = f"{title} {results[key][panel.name]:.3f}"
  span = results.get(f"{key}_interval", {}).get(panel.name)
  if span:
    said += f" ({span[0]:.3f} to {span[1]:.3f})"
  panel.axes.text(
    0.5, 1.02, said, ha="center", fontsize=7, transform=panel.axes.transAxes
  )
  set_title(panel.axes, panel.name, pad=14)


def _panels(
  images: ScoredImages, results: dict[str, Any], axes: Any, seed: int
) -> Iterator[_Panel]:
  """Yield the axes of every finding with an AUC; say it on the others."""
  taken = bootstrap.draw_patients(images.patient, draws=_DRAWS, seed=seed)
  for k, (name, ax) in enumerate(zip(images.names, axes)):
    set_title(ax, name)
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    if results["auc"][name] is None:
      ax.text(0.5, 0.4, "undefined", ha="center", fontsize=8)
      continue
    known = ~images.unknown[:, k]
    yield _Panel(
      name,
      ax,
      images.labels[known, k],
      images.scores[known, k],
      taken.counts,
      taken.places(images.patient[known]),
    )


def _figure(
  file: File,
  images: ScoredImages,
  results: dict[str, Any],
  draw: Callable[[_Panel], None],
  words: tuple[str, str],
  seed: int,
) -> None:
  figure, axes = small_multiples(len(images.names), 5, width=2.1, height=2.25)
  for panel in _panels(images, results, axes, seed):
    draw(panel)
  figure.supxlabel(words[0], fontsize=9)
  figure.supylabel(words[1], fontsize=9)
  save_png(figure, file)
