"""Tables of labels as people have them."""

import codecs

import numpy as np
import pytest

from chexjax.data import faults as fault_lists
from chexjax.data import own_tables
from chexjax.data.label_cells import parse_findings
from chexjax.data.own_set import open_folder, open_own_set
from chexjax.data.sources import label_matrix


@pytest.fixture
def own(own_folder, tmp_path):
  return own_folder(tmp_path / "own")


def read(tmp_path, data, **options):
  """Return the labels and the faults of a table's bytes."""
  path = tmp_path / "labels.csv"
  path.write_bytes(data.encode() if isinstance(data, str) else data)
  faults = []
  return own_tables.read_rows(path, faults, **options), faults


TABLE = "file,findings,patient\na.png,Cat|Dog,1\nb.png,,2\nc.png,Dog,3\n"


@pytest.mark.parametrize(
  "data",
  [
    TABLE,
    TABLE.replace(",", ";"),
    TABLE.replace(",", "\t"),
    TABLE.replace("\n", "\r\n"),
    TABLE.replace("\n", "\r"),
    TABLE.replace("\n", ",,,\n"),
    TABLE + ",,\n\n",
    codecs.BOM_UTF8 + TABLE.encode(),
    codecs.BOM_UTF16_LE + TABLE.replace(",", "\t").encode("utf-16-le"),
    TABLE.replace(",,2", ",No Finding,2"),
    TABLE.replace(",,2", ",No finding,2"),
    TABLE.replace(",,2", ",Normal,2"),
    TABLE.replace(",,2", ", no_finding ,2"),
  ],
)
def test_every_way_to_save_it_is_the_same_table(tmp_path, data):
  want, _ = read(tmp_path, TABLE)
  labels, faults = read(tmp_path, data)
  assert not faults
  assert labels.findings == ("Cat", "Dog")
  plain = [row._replace(line=0) for row in labels]
  assert plain == [row._replace(line=0) for row in want]


def test_an_index_without_a_name_is_ignored_and_said(tmp_path):
  lines = TABLE.splitlines()
  for name in ("", "Unnamed: 0"):
    text = "\n".join([f"{name},{lines[0]}", *(f"7,{x}" for x in lines[1:])])
    labels, faults = read(tmp_path, text)
    assert not faults
    assert "1 column(s) without a name" in labels.notes[0]
    assert [row.file for row in labels] == ["a.png", "b.png", "c.png"]


@pytest.mark.parametrize(
  ("cell", "said"),
  [
    ("nan", "no finding"),
    ("None", "no finding"),
    ("0", "is a number"),
    ("1.0", "is a number"),
    ("[]", "in brackets"),
    ("['Cat', 'Dog']", "';'|','|brackets"),
    ("Cat;Dog", "holds ';'; separate findings by"),
    ('"Cat,Dog"', "holds ','; separate findings by"),
    ("-", "no finding"),
    ("Cat|nan", "no finding"),
    ("Cat|Normal", "is both"),
  ],
)
def test_what_is_no_finding_is_a_fault(tmp_path, cell, said):
  text = TABLE.replace("Cat|Dog", cell if '"' in cell else f'"{cell}"')
  _, (fault,) = read(tmp_path, text)
  assert fault.startswith("labels.csv line 2: ")
  assert any(word in fault for word in said.split("|"))


def test_names_with_marks_of_their_own_are_findings():
  cell = parse_findings(
    "Nodule/Mass|No Lung Opacity / Not Normal|胸水|COVID-19"
  )
  assert not cell.fault
  assert len(cell.findings) == 4


@pytest.mark.parametrize(
  ("change", "said"),
  [
    (("patient", "patient_id"), "'patient_id' is not read; did you mean pat"),
    (("patient", "Patient"), "'Patient' is not read; did you mean patient"),
    (("patient", "Split"), "'Split' is not read; did you mean split"),
    (("patient", "spilt"), "'spilt' is not read; did you mean split|lacks"),
    (("file", "image"), "lacks file (did you mean file instead of 'image'?)"),
    (("file", "Path"), "lacks file (did you mean file instead of 'Path'?)"),
    (("findings", "Finding Labels"), "did you mean findings"),
    (("findings", "label"), "did you mean findings"),
    (("findings", "findigns"), "lacks findings, and no column holds 0 and 1"),
    (("patient", "file"), "there twice"),
  ],
)
def test_a_column_that_is_nearly_ours_is_a_fault(tmp_path, change, said):
  labels, faults = read(tmp_path, TABLE.replace(*change))
  assert any(part in fault for part in said.split("|") for fault in faults)
  assert not labels.rows


COLUMNS = (
  "file,Cat,Dog,No Finding,Age,Sex\n"
  "a.png,1.0,0,,50,0\nb.png,-1,,,1,1\nc.png,,,1,0,1\nd.png,0,1,0,7,0\n"
)


@pytest.mark.parametrize(
  ("uncertain", "of_b"),
  [
    ("ignore", ((), ("Cat", "Dog"))),
    ("positive", (("Cat",), ("Dog",))),
    ("negative", ((), ("Dog",))),
  ],
)
def test_a_column_of_0_and_1_is_a_finding(tmp_path, uncertain, of_b):
  labels, faults = read(tmp_path, COLUMNS, uncertain=uncertain)
  assert not faults
  assert labels.findings == ("Cat", "Dog")
  read_as = [(row.findings, row.unknown) for row in labels]
  # An empty cell beside No Finding = 1 is a 0.
  assert read_as == [(("Cat",), ()), of_b, ((), ()), (("Dog",), ())]
  said = "\n".join(labels.notes)
  assert "2 columns of 0 and 1 are findings: Cat, Dog" in said
  assert "1 labels are -1 (uncertain)" in said
  assert "not read: Age, Sex" in said


@pytest.mark.parametrize(
  ("change", "said"),
  [
    (("a.png,1.0", "a.png,2"), "line 2: Cat is '2', must be 1, 0, -1"),
    (("a.png,1.0", "a.png,yes"), "line 2: Cat is 'yes', must be 1, 0, -1"),
    (("a.png,1.0,0,", "a.png,1.0,0,1"), "Cat and No Finding are both 1"),
  ],
)
def test_faults_of_columns(tmp_path, change, said):
  _, faults = read(tmp_path, COLUMNS.replace(*change))
  assert said in faults[0]


def test_a_tube_is_no_disease(tmp_path):
  text = "file,Mass,Support Devices,No Finding\na,,1,1\nb,1,,0\nc,0,0,\n"
  labels, faults = read(tmp_path, text)
  assert not faults
  assert labels.rows[0].findings == ("Support Devices",)
  assert labels.rows[0].unknown == ()


def test_unknown_labels_are_nan_and_counted(own):
  own.labels = ["file,Cat,Dog", *(f"a/{i:02}.png,1,0" for i in range(30))]
  own.labels[1:4] = ["a/00.png,,1", "a/01.png,-1,1", "a/02.png,0,1"]
  own.write()
  (own.path / "boxes.csv").unlink()
  dataset = open_own_set(own.path, size=32)
  counts = [dataset.metadata["counts"][name] for name in dataset.splits]
  assert sum(c.get("unknown", {}).get("Cat", 0) for c in counts) == 2
  matrix = np.concatenate([label_matrix(s) for s in dataset.splits.values()])
  assert np.isnan(matrix).sum(0).tolist() == [2, 0]
  assert np.nansum(matrix, 0).tolist() == [27, 3]
  for source in dataset.splits.values():
    for i in range(len(source)):
      labels = source.annotation(i)["labels"]
      assert labels.dtype == (np.float32 if np.isnan(labels).any() else "u1")


@pytest.mark.parametrize("name", ["Labels.csv", "label.csv", "labels.xlsx"])
def test_a_table_of_nearly_that_name_is_a_fault(own, name):
  (own.write() / "labels.csv").rename(own.path / name)
  with pytest.raises(ValueError, match=rf"{name} is not read; did you mean"):
    open_folder(own.path, size=32, cache=own.path)


def test_boxes_of_nearly_that_name_are_a_fault(own):
  (own.write() / "boxes.csv").rename(own.path / "Boxes.csv")
  with pytest.raises(ValueError, match=r"1 fault .*\n.*did you mean boxes.csv"):
    open_own_set(own.path, size=32)


def test_a_flood_of_faults_is_kept_in_a_file(own, tmp_path):
  own.labels = ["file,findings"] + [f"{i}.png,Cat" for i in range(5000)]
  own.write()
  with pytest.raises(ValueError, match="faults in") as caught:
    open_folder(own.path, size=32, cache=tmp_path / "cache")
  lines = str(caught.value).splitlines()
  assert len(lines) == 1 + fault_lists.SHOWN + 1
  (path,) = (tmp_path / "cache").iterdir()
  assert str(path) in lines[-1]
  count = int(lines[0].split()[0])
  assert len(path.read_text().splitlines()) == count > 5000


def test_without_labels_boxes_are_not_judged(own):
  own.labels[0] = "picture,findings,patient"
  own.write()
  with pytest.raises(ValueError, match="1 fault in"):
    open_own_set(own.path, size=32)


@pytest.mark.parametrize(("word", "meant"), [("val", "validation"),
                                             ("Train", "train")])  # fmt: skip
def test_a_split_of_another_name_is_hinted(tmp_path, word, meant):
  text = TABLE.replace("patient", "split")
  _, faults = read(tmp_path, text.replace(",1\n", f",{word}\n"))
  assert f"did you mean {meant}?" in faults[0]


@pytest.mark.parametrize("name", ["mean", "all"])
@pytest.mark.parametrize(
  "text", ["file,findings\na.png,NAME\n", "file,NAME\na.png,1\n"]
)
def test_a_name_that_results_use_is_refused(tmp_path, name, text):
  _, (fault, *_) = read(tmp_path, text.replace("NAME", name))
  assert "give the finding another name" in fault


def test_a_control_character_in_a_name_is_refused(tmp_path):
  _, (fault, *_) = read(tmp_path, "file,findings\na.png,Ca\0t\n")
  assert "control character" in fault


def test_a_path_that_is_absolute_is_named_with_its_line(own):
  own.labels[1] = own.labels[1].replace("a/00.png", str(own.path / "a/00.png"))
  own.write()
  with pytest.raises(ValueError, match=r"line 2: file '/.*' must be a plain"):
    open_folder(own.path, size=32, cache=own.path)
