"""Pictures and an HTML page of results; matplotlib is imported to draw.

- `figures`, `overlay`: maps and boxes over a film
- `examples`: some cases of a scored split
- `cases`: `cases.zip`, pictures of boxed cases and of wrong calls
- `submission_pictures`: the same, of other people's predictions
- `score_curves`, `curves`, `training_curves`: figures of the scores, of the
  boxes, of a training run; `small_multiples` has their axes, `drawn_figures`
  draws all of a run
- `whose_films`, `verdict`, `key_figures`: the head of the report, in words and
  numbers
- `case_browser`, `case_answers`, `wrong_cases`: its cases
- `run`, `embedded`, `page`, `build`: the HTML report
- `side_by_side`: that of several systems
"""

from chexjax.extras import require
from chexjax.report.figures import Case, example_figure, example_grid

require("predict", "matplotlib", "PIL")

__all__ = ["Case", "example_figure", "example_grid"]
