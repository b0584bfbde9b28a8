"""Archives that are damaged or hostile."""

import tarfile

import pytest
from archives import archive

from tfds_chestxray14 import unpacking


def _link(kind):
  member = tarfile.TarInfo("images/link.png")
  member.type = kind
  member.linkname = "/etc/passwd"
  return member


@pytest.mark.parametrize(
  ("member", "fault"),
  [
    ("../outside.png", "leads out"),
    ("/tmp/outside.png", "leads out"),
    ("images/../../outside.png", "leads out"),
    ("images/run.sh", "is no .png"),
    (_link(tarfile.SYMTYPE), "is a link"),
    (_link(tarfile.LNKTYPE), "is a link"),
  ],
)
def test_hostile_archive(tmp_path, member, fault):
  path = tmp_path / "a.tar.gz"
  path.write_bytes(archive([("images/a.png", b"1"), (member, b"")]))
  out = tmp_path / "deep" / "out"
  with pytest.raises(ValueError, match=fault):
    unpacking.unpack(path, out)
  written = {p for p in tmp_path.rglob("*") if p.is_file()}
  assert written == {path, out / "a.png"}


def test_truncated_and_empty_archive(tmp_path):
  path = tmp_path / "a.tar.gz"
  whole = archive([("images/a.png", bytes(range(256)) * 999)])
  path.write_bytes(whole[: len(whole) // 2])
  with pytest.raises(ValueError, match="does not unpack"):
    unpacking.unpack(path, tmp_path / "out")
  assert not (tmp_path / "out" / "a.png").exists()
  path.write_bytes(archive([]))
  with pytest.raises(ValueError, match="holds no image"):
    unpacking.unpack(path, tmp_path / "out")
