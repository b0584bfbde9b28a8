"""serve refuses wrong options before it loads anything."""

import pytest

pytest.importorskip("pynetdicom")
from chexjax.commands import serve

GOOD = ["--weights=w", "--aet=CHEXJAX", "--port=0", "--peer=A@127.0.0.1:9"]


@pytest.mark.parametrize(
  ("option", "said"),
  [
    ("--port=70000", "--port must be 0 to 65535"),
    ("--max_queue=0", "--max_queue must be at least 1"),
    ("--batch_size=0", "--batch_size must be at least 1"),
    ("--aet=" + "x" * 17, "--aet has 1 to 16"),
    ("--peer=nobody", "a peer is written AET@HOST:PORT"),
    ("--weights=nowhere", "no file or folder nowhere"),
  ],
)
def test_a_wrong_option_is_named(tmp_path, capsys, option, said):
  argv = [*GOOD, f"--queue={tmp_path / 'queue'}", option]
  assert serve.main(argv) == 2
  assert said in capsys.readouterr().err


def test_only_this_machine_unless_told():
  fields = {f.name: f.default for f in serve.dataclasses.fields(serve.Options)}
  assert fields["bind"] == fields["http_bind"] == "127.0.0.1"
