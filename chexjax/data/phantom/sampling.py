"""The plan of a phantom: patients, their films, findings and lists.

The plan is drawn patient by patient. A patient depends on the seed and on the
patients before, not on those after. A longer plan therefore begins with the
shorter one.
"""

from typing import NamedTuple

import numpy as np

from chexjax.types import FINDINGS

# Positives over all 112,120 images of ChestX-ray14.
NIH_COUNTS = {
  "Infiltration": 19894,
  "Effusion": 13317,
  "Atelectasis": 11559,
  "Nodule": 6331,
  "Mass": 5782,
  "Pneumothorax": 5302,
  "Consolidation": 4667,
  "Pleural_Thickening": 3385,
  "Cardiomegaly": 2776,
  "Emphysema": 2516,
  "Edema": 2303,
  "Fibrosis": 1686,
  "Pneumonia": 1431,
  "Hernia": 227,
}

TEST_SHARE = 25_596 / 112_120
# Factor on the frequency of pneumothorax in the test list.
PNEUMOTHORAX_SHIFT = 3.5
# Share of AP films, and images per patient: (train and validation, test).
AP_SHARE = (0.35, 0.57)
MEAN_FILMS = (3.09, 9.15)
MOST_FILMS = 30

# Probability of 1, 2 and 3 findings in an image that has any: mean 1.57.
_HOW_MANY = (0.56, 0.31, 0.13)
# Probability that a film has the findings of the patient's film before.
_PERSISTENCE = 0.4


class Film(NamedTuple):
  """One image to draw.

  Attributes:
    number: position in the plan.
    patient: patient number, from 1.
    follow_up: number of the film within the patient, from 0.
    age: years.
    sex: "F" or "M".
    view: "AP" or "PA".
    findings: names in the order of `FINDINGS`; empty is No Finding.
    test: whether the patient is on the test list.
  """

  number: int
  patient: int
  follow_up: int
  age: int
  sex: str
  view: str
  findings: tuple[str, ...]
  test: bool

  @property
  def file_name(self) -> str:
    """The image's name in the official layout."""
    return f"{self.patient:08d}_{self.follow_up:03d}.png"


def finding_weights(prevalence: str, test: bool) -> tuple[float, np.ndarray]:
  """Return the share of No Finding and the findings' relative weights.

  "natural" has the frequencies of ChestX-ray14, where Hernia is in one image
  of 500. "balanced" has their 0.15th power (a square root would still leave
  Hernia at 1 %): every finding is in 4 to 9 % of the images, so that few images
  are enough to measure all 14.

  Args:
    prevalence: "balanced" or "natural".
    test: whether for the test list.

  Returns:
    The share of images without a finding, and `[14]` weights with sum 1.

  Raises:
    ValueError: `prevalence` is neither.
  """
  if prevalence == "natural":
    power, healthy = 1.0, 60_361 / 112_120
  elif prevalence == "balanced":
    power, healthy = 0.15, 0.4
  else:
    raise ValueError(
      f"prevalence must be 'balanced' or 'natural', got {prevalence!r}"
    )
  weights = np.array([NIH_COUNTS[name] for name in FINDINGS], float) ** power
  k = FINDINGS.index("Pneumothorax")
  # Divided by the mean factor, so that the overall frequency stays the same.
  overall = 1 + TEST_SHARE * (PNEUMOTHORAX_SHIFT - 1)
  weights[k] *= (PNEUMOTHORAX_SHIFT if test else 1.0) / overall
  return healthy, weights / weights.sum()


def plan_films(
  num_images: int, *, seed: int = 0, prevalence: str = "balanced"
) -> list[Film]:
  """Draw patients, their films, the findings of each film, and its list.

  Args:
    num_images: films; the last patient may lose some.
    seed: of everything.
    prevalence: "balanced" or "natural", see `finding_weights`.

  Returns:
    `num_images` films, by patient and follow-up.

  Raises:
    ValueError: `prevalence` is neither.
  """
  odds = [finding_weights(prevalence, test) for test in (False, True)]
  films: list[Film] = []
  in_test = 0
  patient = 0
  while len(films) < num_images:
    patient += 1
    rng = np.random.default_rng([seed, 0, patient])
    test = in_test < TEST_SHARE * len(films)
    count = min(int(rng.geometric(1 / MEAN_FILMS[test])), MOST_FILMS)
    # Many films of an early patient would distort the shares of a small plan.
    count = min(count, 1 + len(films) // 6)
    in_test += count * test
    films += _patient_films(rng, patient, count, len(films), test, odds[test])
  return films[:num_images]


def _patient_films(
  rng: np.random.Generator,
  patient: int,
  count: int,
  first: int,
  test: bool,
  odds: tuple[float, np.ndarray],
) -> list[Film]:
  """Draw the films of one patient."""
  sex = "M" if rng.uniform() < 0.56 else "F"
  age = int(np.clip(rng.normal(47, 16), 5, 92))
  findings: tuple[str, ...] = ()
  films = []
  for follow_up in range(count):
    if follow_up == 0 or rng.uniform() >= _PERSISTENCE:
      findings = _draw_findings(rng, *odds)
    view = "AP" if rng.uniform() < AP_SHARE[test] else "PA"
    films.append(
      Film(
        first + follow_up,
        patient,
        follow_up,
        age + follow_up // 4,
        sex,
        view,
        findings,
        test,
      )
    )
  return films


def _draw_findings(
  rng: np.random.Generator, healthy: float, weights: np.ndarray
) -> tuple[str, ...]:
  """Draw a set of findings that can occur together."""
  if rng.uniform() < healthy:
    return ()
  count = 1 + int(rng.choice(3, p=_HOW_MANY))
  chosen = rng.choice(len(FINDINGS), count, replace=False, p=weights)
  names = tuple(FINDINGS[k] for k in sorted(chosen))
  # The heart of a chest with emphysema is narrow.
  if "Cardiomegaly" in names and "Emphysema" in names:
    drop = ("Cardiomegaly", "Emphysema")[int(rng.integers(2))]
    names = tuple(name for name in names if name != drop)
  return names
