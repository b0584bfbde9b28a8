"""One slip in a table is one fault, with advice that fits it."""

import pytest

from chexjax.data.own_set import open_own_set


@pytest.fixture
def own(own_folder, tmp_path):
  return own_folder(tmp_path / "own")


def said(own):
  with pytest.raises(ValueError, match=r"faults? in") as caught:
    open_own_set(own.write(), size=32)
  return str(caught.value)


def as_columns(own):
  """Write the findings as columns of 0 and 1."""
  names = "Cat", "Dog"
  lines = ["file,Cat,Dog,patient"]
  for line in own.labels[1:]:
    file, findings, patient = line.split(",")
    cells = [str(int(name in findings.split("|"))) for name in names]
    lines.append(",".join([file, *cells, patient]))
  own.labels = lines
  return own


@pytest.mark.parametrize("cell", ["2", "yes", "present", "1;0"])
def test_a_wrong_cell_of_a_column_is_the_only_fault(own, cell):
  as_columns(own)
  assert own.labels[1].startswith("a/00.png,1,")
  own.labels[1] = own.labels[1].replace(",1,", f",{cell},", 1)
  told = said(own)
  assert told.startswith("1 fault in")
  assert f"line 2: Cat is '{cell}'" in told


@pytest.mark.parametrize("cell", ["[Cat]", "Cat;Dog", "nan", "3"])
def test_a_wrong_cell_of_findings_is_the_only_fault(own, cell):
  own.labels[1] = own.labels[1].replace(",Cat,", f",{cell},")
  told = said(own)
  assert told.startswith("1 fault in")
  assert "labels.csv line 2" in told


def test_a_misspelled_finding_of_a_box_is_named_with_the_near_one(own):
  own.boxes[1] = own.boxes[1].replace("Cat", "Catt")
  own.boxes[2] = own.boxes[2].replace("Dog", "dog")
  own.boxes[3] = own.boxes[3].replace("Cat", "Zebra")
  told = said(own)
  assert told.startswith("3 faults in")
  assert "no line of labels.csv has the finding 'Catt'; did you mean Cat?" in (
    told
  )
  assert "has the finding 'dog'; did you mean Dog?" in told
  assert "has the finding 'Zebra'\n" in told + "\n"


@pytest.mark.parametrize(
  ("name", "mark"), [('"Mass, large"', "','"), ("A|B", "'|'"), ("A;B", "';'")]
)
def test_a_column_whose_name_cannot_be_a_finding_is_to_be_renamed(
  own, name, mark
):
  as_columns(own)
  own.boxes = own.boxes[:1]
  own.labels[0] = own.labels[0].replace("Dog", name)
  told = said(own)
  assert told.startswith("1 fault in")
  assert f"holds {mark}; give the finding a name without it" in told
