"""The coded name of a finding."""

import csv
import functools
import hashlib
import importlib.resources
from typing import NamedTuple

from pydicom.sr.coding import Code

LOCAL_SCHEME = "99CHEXJAX"
_LONGEST_VALUE = 16  # of SH
_LONGEST_MEANING = 64  # of LO


class CodedFinding(NamedTuple):
  """A finding as DICOM names it.

  Attributes:
    name: of the finding, or of what is found at a site.
    site: of the body, where the name alone does not say it, else None.
  """

  name: Code
  site: Code | None = None


def code_of(finding: str) -> CodedFinding:
  """Return the code of a finding.

  The 14 findings of ChestX-ray14 have public codes, from `finding_codes.csv`;
  any other name gets one of the local scheme `99CHEXJAX`.

  Args:
    finding: its name, as the model has it; any text.
  """
  found = _table().get(finding)
  if found is not None:
    return found
  meaning = " ".join(finding.replace("\\", "/").split())
  plain = meaning.isascii() and meaning.isprintable()
  value = meaning
  if not plain or not 0 < len(value) <= _LONGEST_VALUE or meaning != finding:
    digest = hashlib.sha256(finding.encode("utf-8", "surrogatepass"))
    value = digest.hexdigest()[:_LONGEST_VALUE].upper()
  printable = "".join(c if c.isprintable() else "?" for c in meaning)
  return CodedFinding(
    Code(value, LOCAL_SCHEME, printable[:_LONGEST_MEANING] or value)
  )


@functools.cache
def _table() -> dict[str, CodedFinding]:
  file = importlib.resources.files(__package__) / "finding_codes.csv"
  found = {}
  for row in csv.DictReader(file.read_text("utf-8").splitlines()):
    site = None
    if row["site_value"]:
      site = Code(row["site_value"], row["site_scheme"], row["site_meaning"])
    name = Code(row["value"], row["scheme"], row["meaning"])
    found[row["finding"]] = CodedFinding(name, site)
  return found
