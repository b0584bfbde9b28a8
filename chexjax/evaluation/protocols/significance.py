"""Whether differences are beyond chance when several are looked at.

Of 14 differences without any cause, one has a 95 % interval without 0 in every
second table. Holm (1979) corrects for their number.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

ERROR = 0.05


def bootstrap_p(samples: ArrayLike) -> float | None:
  """Compute the two-sided p-value of a difference from its draws.

  Twice the share of the draws on the rarer side of 0, with one more draw
  counted on that side: `2 (1 + min(#d <= 0, #d >= 0)) / (B + 1)` (Davison and
  Hinkley 1997, section 4.2). So it is never 0, and few draws show nothing.

  Args:
    samples: `[B]`; NaN, where a draw leaves the figure undefined, is left out.

  Returns:
    A float in 0..1; None without a defined sample.
  """
  every = np.asarray(samples, np.float64)
  defined = every[np.isfinite(every)]
  if not defined.size:
    return None
  rarer = min((defined <= 0).sum(), (defined >= 0).sum())
  return float(min(1.0, 2 * (1 + rarer) / (defined.size + 1)))


def holm(
  p_values: Mapping[str, float | None], *, error: float = ERROR
) -> dict[str, bool | None]:
  """Return which of several comparisons are beyond chance (Holm 1979).

  The smallest of m p-values must be at most `error / m`, the next one
  `error / (m - 1)`, and so on until one fails. The chance that any difference
  without a cause is named is at most `error`.

  Args:
    p_values: comparison -> its p-value; None where it is undefined, which
      counts for nothing.
    error: chance of naming any, in 0..1.

  Returns:
    Comparison -> the answer; None where it is undefined.
  """
  defined = {n: p for n, p in p_values.items() if p is not None}
  found: dict[str, bool | None] = dict.fromkeys(p_values)
  passed = True
  for i, name in enumerate(sorted(defined, key=lambda name: defined[name])):
    passed = passed and defined[name] <= error / (len(defined) - i)
    found[name] = passed
  return found
