"""Keeps pydicom and GDCM from writing to the console.

Their warnings quote what a header holds, which may be a patient's name, and
what matters of them becomes a note or an error of our own.
"""

import contextlib
import logging
import threading
import warnings
from collections.abc import Iterator

_lock = threading.Lock()
_inside = 0
_outside = contextlib.ExitStack()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
  """Silence both while the block runs, in all threads that are in one.

  Python's list of warnings is one for all threads: the first thread in sets it,
  the last one out puts it back.
  """
  global _inside
  with _lock:
    if not _inside:
      _silence()
    _inside += 1
  try:
    yield
  finally:
    with _lock:
      _inside -= 1
      if not _inside:
        _outside.close()


def _silence() -> None:
  _outside.enter_context(warnings.catch_warnings())
  warnings.simplefilter("ignore")
  logger = logging.getLogger("pydicom")
  _outside.callback(setattr, logger, "disabled", logger.disabled)
  logger.disabled = True
  with contextlib.suppress(ImportError):
    import gdcm

    # The switch of errors is on by default, that of warnings too.
    gdcm.Trace.WarningOff()
    gdcm.Trace.ErrorOff()
    _outside.callback(gdcm.Trace.WarningOn)
    _outside.callback(gdcm.Trace.ErrorOn)
