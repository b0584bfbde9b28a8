"""A phantom of which something is missing is known, and drawn anew if asked."""

import json

import pytest

from chexjax.data.phantom import ensure_phantom

SMALL = {"num_images": 40, "size": 64, "workers": 1}


def cut(path):
  path.write_bytes(path.read_bytes()[:-20])


DAMAGES = {
  "a film is gone": lambda ph: next((ph / "images").iterdir()).unlink(),
  "a film is cut": lambda ph: cut(next((ph / "images").iterdir())),
  "a list is cut": lambda ph: cut(ph / "BBox_List_2017.csv"),
  "a list is gone": lambda ph: (ph / "test_list.txt").unlink(),
  "the boxes are cut": lambda ph: cut(ph / "train_val_boxes.json"),
  "the manifest is cut": lambda ph: cut(ph / "phantom.json"),
  "the manifest is empty": lambda ph: (ph / "phantom.json").write_text(""),
}


def digest(folder):
  return {
    path.relative_to(folder): path.read_bytes()
    for path in folder.rglob("*")
    if path.is_file() and not path.name.startswith(".")
  }


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_phantom_is_named_and_drawn_anew(tmp_path, what, capsys):
  folder = ensure_phantom(tmp_path / "ph", **SMALL)
  whole = digest(folder)
  DAMAGES[what](folder)
  with pytest.raises(ValueError, match=r"ph is damaged \(.*\): delete it"):
    ensure_phantom(folder, **SMALL)
  ensure_phantom(folder, mend=True, **SMALL)
  assert digest(folder) == whole
  assert "it is drawn anew" in capsys.readouterr().err


def test_a_phantom_of_an_older_version_of_the_program_is_taken(tmp_path):
  folder = ensure_phantom(tmp_path / "ph", **SMALL)
  path = folder / "phantom.json"
  manifest = json.loads(path.read_text())
  del manifest["content"]
  path.write_text(json.dumps(manifest))
  assert ensure_phantom(folder, **SMALL) == folder
