"""Which files of a folder are predicted."""

from chexjax.inference.image_files import find_images


def test_links_are_followed_and_clutter_is_counted(tmp_path, capsys):
  store, given = tmp_path / "store", tmp_path / "given"
  for path in (
    store / "a.png", given / "b.jpg", given / "notes.txt",
    given / "._b.jpg", given / "@eaDir" / "b.jpg", given / "__MACOSX" / "c.png",
    given / "out" / "b_overlay.png",
  ):  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
  (given / "linked").symlink_to(store)
  (given / "circle").symlink_to(given)
  (given / "gone.png").symlink_to(tmp_path / "nothing")
  jobs, failed = find_images([given], [given / "out"])
  assert [job.path for job in jobs] == [
    given / "b.jpg", given / "linked" / "a.png",
  ]  # fmt: skip
  assert [record["file"] for record in failed] == [str(given / "gone.png")]
  said = capsys.readouterr().out
  assert "2 images, 1 other files, 3 hidden and system files" in said


def test_a_hidden_file_that_is_given_itself_is_listed(tmp_path):
  path = tmp_path / ".a.png"
  path.write_bytes(b"x")
  assert [job.path for job in find_images([path], [tmp_path / "o"])[0]] == [
    path
  ]
