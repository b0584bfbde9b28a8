"""Pictures of results; matplotlib is imported when one is drawn."""

from chexjax.report.figures import Case, example_figure, example_grid

__all__ = ["Case", "example_figure", "example_grid"]
