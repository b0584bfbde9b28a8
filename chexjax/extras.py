"""Packages that only a part of the library needs."""

import importlib.util


def require(extra: str, *modules: str) -> None:
  """Check that the packages of an extra are installed; nothing is imported.

  Args:
    extra: of this project, which brings them.
    modules: their import names.

  Raises:
    ImportError: some are absent; says what to install.
  """
  absent = [name for name in modules if importlib.util.find_spec(name) is None]
  if absent:
    raise ImportError(
      f"{', '.join(absent)} not found, which this part of chexjax needs: "
      f"pip install 'chexjax[{extra}]'"
    )
