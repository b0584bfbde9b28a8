"""Pictures and an HTML page of results; matplotlib is imported to draw.

- `figures`, `overlay`: maps and boxes over a film
- `examples`: some cases of a scored split
- `cases`: `cases.zip`, small pictures of every boxed case
- `submission_pictures`: the same, of other people's predictions
- `curves`, `training_curves`: figures of an evaluation, of a training run
- `small_multiples`: the axes that both draw on
- `run`, `case_browser`, `page`, `build`: the HTML report
"""

from chexjax.extras import require
from chexjax.report.figures import Case, example_figure, example_grid

require("predict", "matplotlib", "PIL")

__all__ = ["Case", "example_figure", "example_grid"]
