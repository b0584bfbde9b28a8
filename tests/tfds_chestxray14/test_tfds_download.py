"""The download, against a local server that misbehaves."""

import hashlib
import http.server
import threading

import pytest
from archives import archive

from tfds_chestxray14 import download, transfer
from tfds_chestxray14.transfer import RemoteFile


class _Server(http.server.ThreadingHTTPServer):
  """Serves `files`; `behaviour[name]` says how it goes wrong."""

  def __init__(self):
    super().__init__(("127.0.0.1", 0), _Handler)
    self.files: dict[str, bytes] = {}
    self.behaviour: dict[str, str] = {}
    self.requests: list[tuple[str, str]] = []

  @property
  def url(self):
    return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
  def log_message(self, *args):
    pass

  def do_GET(self):
    name = self.path.lstrip("/")
    asked = self.headers.get("Range", "")
    self.server.requests.append((name, asked))
    data = self.server.files.get(name)
    if data is None:
      self.send_error(404)
      return
    behaviour = self.server.behaviour.get(name, "")
    start = 0
    if asked and behaviour != "no ranges":
      start = int(asked.removeprefix("bytes=").rstrip("-"))
    if start >= len(data) and start:
      self.send_response(416)
      more = 100 if behaviour == "says too much" else 0
      self.send_header("Content-Range", f"bytes */{len(data) + more}")
      self.send_header("Content-Length", "0")
      self.end_headers()
      return
    self.send_response(206 if start else 200)
    if start:
      span = f"bytes {start}-{len(data) - 1}/{len(data)}"
      self.send_header("Content-Range", span)
    length = len(data) - start
    if behaviour == "says too much":
      length += 100
    if behaviour != "no length":
      self.send_header("Content-Length", str(length))
    kind = "text/html" if behaviour == "page" else "application/gzip"
    self.send_header("Content-Type", kind)
    self.end_headers()
    body = data[start:]
    if behaviour == "breaks off":
      body = body[: max(1, len(data) // 3)]
    if behaviour == "breaks off at once" and start:
      body = b""
    elif behaviour == "breaks off at once":
      body = body[:10]
    self.wfile.write(body)


@pytest.fixture
def server():
  with _Server() as server:
    thread = threading.Thread(
      target=server.serve_forever, args=(0.02,), daemon=True
    )
    thread.start()
    yield server
    server.shutdown()
    thread.join()


def _remote(server, name, data=None):
  data = server.files[name] if data is None else data
  digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
  return RemoteFile(name, f"{server.url}/{name}", digest)


@pytest.fixture
def data(server):
  data = bytes(range(256)) * 4000
  server.files["a.bin"] = data
  return data


@pytest.mark.parametrize("behaviour", ["", "breaks off", "no ranges"])
def test_fetch(server, data, tmp_path, behaviour):
  server.behaviour["a.bin"] = behaviour
  said = transfer.fetch(_remote(server, "a.bin"), tmp_path, pause_s=0)
  assert said == "size right, sha256 right"
  assert (tmp_path / "a.bin").read_bytes() == data
  assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]
  resumed = [asked for _, asked in server.requests if asked]
  assert bool(resumed) == (behaviour == "breaks off")


def test_each_further_attempt_is_told(server, data, tmp_path):
  server.behaviour["a.bin"] = "breaks off at once"
  said = []
  with pytest.raises(OSError, match=r"broke off after 10 bytes"):
    transfer.fetch(
      _remote(server, "a.bin"), tmp_path, attempts=3, pause_s=0, say=said.append
    )
  assert len(said) == 2
  assert "a.bin broke off after 10 bytes" in said[0]
  assert "attempt 2 of 3 in 0 s" in said[0]


def test_fetch_goes_on_in_the_next_run(server, data, tmp_path):
  server.behaviour["a.bin"] = "breaks off at once"
  remote = _remote(server, "a.bin")
  with pytest.raises(OSError, match=r"broke off after 10 bytes.*goes on"):
    transfer.fetch(remote, tmp_path, attempts=2, pause_s=0)
  assert not (tmp_path / "a.bin").exists()
  server.behaviour.clear()
  transfer.fetch(remote, tmp_path, pause_s=0)
  assert server.requests[-1] == ("a.bin", "bytes=10-")
  assert (tmp_path / "a.bin").read_bytes() == data


def test_part_from_a_server_without_ranges_starts_anew(server, data, tmp_path):
  (tmp_path / "a.bin.part").write_bytes(b"rubbish")
  server.behaviour["a.bin"] = "no ranges"
  transfer.fetch(_remote(server, "a.bin"), tmp_path, pause_s=0)
  assert (tmp_path / "a.bin").read_bytes() == data


@pytest.mark.parametrize("extra", [0, 7])
def test_part_that_is_whole_or_too_long(server, data, tmp_path, extra):
  (tmp_path / "a.bin.part").write_bytes(data + bytes(extra))
  transfer.fetch(_remote(server, "a.bin"), tmp_path, pause_s=0)
  assert (tmp_path / "a.bin").read_bytes() == data


def test_wrong_length_is_an_error(server, data, tmp_path):
  server.behaviour["a.bin"] = "says too much"
  with pytest.raises(OSError, match=r"a.bin broke off after"):
    transfer.fetch(_remote(server, "a.bin"), tmp_path, attempts=2, pause_s=0)
  assert not (tmp_path / "a.bin").exists()


def test_wrong_hash_is_an_error_and_the_part_goes(server, data, tmp_path):
  remote = _remote(server, "a.bin", b"something else")
  with pytest.raises(ValueError, match=r"sha256 is .* must be"):
    transfer.fetch(remote, tmp_path, pause_s=0)
  assert not list(tmp_path.iterdir())


def test_wrong_file_that_is_there_is_an_error(server, data, tmp_path):
  (tmp_path / "a.bin").write_bytes(b"wrong")
  with pytest.raises(ValueError, match="must be"):
    transfer.fetch(_remote(server, "a.bin"), tmp_path, pause_s=0)


def test_what_is_not_known_is_said(server, data, tmp_path):
  server.behaviour["a.bin"] = "no length"
  remote = RemoteFile("a.bin", f"{server.url}/a.bin")
  said = transfer.fetch(remote, tmp_path, pause_s=0)
  assert said == "size not known, no checksum known"


def test_web_page_and_missing_file(server, data, tmp_path):
  server.behaviour["a.bin"] = "page"
  with pytest.raises(ValueError, match="gives a web page"):
    transfer.fetch(_remote(server, "a.bin"), tmp_path, pause_s=0)
  with pytest.raises(OSError, match="404"):
    transfer.fetch(RemoteFile("b", f"{server.url}/b"), tmp_path, pause_s=0)


@pytest.fixture
def mirror(server, drawn):
  images = sorted((drawn.path / "images").iterdir())
  for number in range(3):
    members = [
      (f"images/{path.name}", path.read_bytes()) for path in images[number::3]
    ]
    server.files[f"images_{number + 1:03d}.tar.gz"] = archive(members)
  for path in drawn.path.glob("*_*.*"):
    server.files[path.name] = path.read_bytes()
  archives, lists = [], []
  for name in sorted(server.files):
    place = archives if name.endswith(".gz") else lists
    place.append(_remote(server, name))
  return archives, lists


def test_whole_download_can_be_built(server, mirror, drawn, tmp_path, capsys):
  archives, lists = mirror
  server.behaviour["images_002.tar.gz"] = "breaks off"
  out = tmp_path / "out"

  def run(*flags):
    return download.main(
      [f"--out={out}", *flags], archives=archives, lists=lists, pause_s=0
    )

  assert run("--limit_archives=1") == 0
  assert len(list((out / "images").iterdir())) == 16
  assert run() == 0
  assert "images_001.tar.gz: unpacked before" in capsys.readouterr().out
  assert not list(out.glob("*.tar.gz"))
  from tfds_chestxray14 import take_survey

  found = take_survey(out)
  assert not found.faults
  assert len(found.probes) == 48
  for path in (out / "images").iterdir():
    source = drawn.path / "images" / path.name
    assert path.read_bytes() == source.read_bytes()


def test_failed_archive_does_not_stop_the_others(
  server, mirror, tmp_path, capsys
):
  archives, lists = mirror
  del server.files["images_001.tar.gz"]
  code = download.main(
    [f"--out={tmp_path}/out", f"--base_url={server.url}"],
    archives=archives,
    lists=lists,
    pause_s=0,
  )
  assert code == 1
  assert "images_001.tar.gz: FAILED" in capsys.readouterr().err
  assert len(list((tmp_path / "out" / "images").iterdir())) == 32


def test_lists_without_an_address_are_asked_for(mirror, tmp_path, capsys):
  archives, lists = mirror
  bare = [x._replace(url="") for x in lists]
  code = download.main(
    [f"--out={tmp_path}/out"], archives=archives, lists=bare, pause_s=0
  )
  assert code == 2
  assert "in a browser" in capsys.readouterr().err


def test_official_files():
  assert len(download.ARCHIVES) == 12
  assert {x.name for x in download.LISTS} == {
    "Data_Entry_2017.csv",
    "BBox_List_2017.csv",
    "train_val_list.txt",
    "test_list.txt",
  }
  digests = [x.digest for x in (*download.ARCHIVES, *download.LISTS)]
  assert len(set(digests)) == 16
