"""Machines that cannot be reached."""

import socket
import urllib.error

import pytest

from tfds_chestxray14 import transfer
from tfds_chestxray14.transfer import RemoteFile


@pytest.mark.parametrize(
  ("number", "attempts"), [(socket.EAI_NONAME, 1), (socket.EAI_AGAIN, 3)]
)
def test_an_unknown_machine_is_tried_again_only_if_it_may_be_known_later(
  tmp_path, monkeypatch, number, attempts
):
  asked, said = [], []

  def unknown(request, timeout):
    asked.append(request.full_url)
    raise urllib.error.URLError(socket.gaierror(number, "not known"))

  monkeypatch.setattr(transfer.urllib.request, "urlopen", unknown)
  remote = RemoteFile("a.bin", "http://machine.invalid/a.bin")
  with pytest.raises(OSError, match="not known") as caught:
    transfer.fetch(remote, tmp_path, attempts=3, pause_s=0, say=said.append)
  assert len(asked) == attempts
  assert len(said) == attempts - 1
  assert ".part" not in str(caught.value)
