"""`chexjax COMMAND`, and who hears what the library says."""

import os
import re
import subprocess
import sys

import pytest

import chexjax
from chexjax.__main__ import COMMANDS, main
from chexjax.commands.console import run_command, show_messages
from chexjax.messages import LOGGER, glimpse, milestone, tell, warn


def test_without_a_command_all_are_listed(capsys):
  assert main([]) == 2
  assert main(["--help"]) == 0
  said = capsys.readouterr().out
  for name in COMMANDS:
    assert said.count(f"\n  {name} ") == 2
  assert chexjax.__version__ in said
  assert "not a medical device" in said


def test_an_unknown_command_is_named(capsys):
  assert main(["predicct"]) == 2
  assert "no command 'predicct'" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
  with pytest.raises(SystemExit) as ended:
    main([name, "--help"])
  assert ended.value.code == 0
  said = capsys.readouterr().out
  # Every example has a line of its own.
  examples = [line for line in said.splitlines() if f"chexjax {name}" in line]
  assert examples
  assert all(line.count("chexjax ") == 1 for line in examples)


@pytest.mark.parametrize("name", COMMANDS)
def test_options_at_fault_are_status_2(name, capsys):
  with pytest.raises(SystemExit) as ended:
    main([name, "--no_such_option"])
  assert ended.value.code == 2
  assert "no_such_option" in capsys.readouterr().err


def test_the_console_shows_each_message_once(capsys):
  show_messages()
  show_messages()
  tell("one")
  warn("two")
  glimpse("1/2")
  milestone("2/2")
  said = capsys.readouterr()
  time = r"\d\d:\d\d:\d\d"
  assert re.fullmatch(f"{time} one\n{time} 2/2\n", said.out)
  assert re.fullmatch(f"{time} two\n", said.err)
  assert not LOGGER.propagate


def test_the_library_is_silent_until_it_is_asked():
  code = "from chexjax.messages import tell, warn; tell('a'); warn('b')"
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=True
  )
  assert done.stdout == done.stderr == ""


def test_what_the_system_stops_ends_in_a_sentence(capsys):
  def full():
    raise OSError(28, "No space left on device", "out/predictions.json")

  def interrupted():
    raise KeyboardInterrupt

  assert run_command(full) == 74
  assert "No space left on device: 'out/predictions.json'" in (
    capsys.readouterr().err
  )
  assert run_command(interrupted) == 130
  assert "the same command does it again" in capsys.readouterr().err


def test_a_reader_that_ends_early_is_no_fault():
  done = subprocess.run(
    f"{sys.executable} -m chexjax predict --help | head -1; "
    "echo ${PIPESTATUS[0]}",
    shell=True,
    executable="/bin/bash",
    capture_output=True,
    text=True,
  )
  assert "Traceback" not in done.stderr
  assert done.stdout.splitlines()[-1] == "0"


def test_a_figure_needs_no_notebook(tmp_path):
  """As `!python -m ...` in a notebook, whose backend is not installed."""
  code = (
    "from chexjax.commands.console import set_up_process; set_up_process(); "
    "from matplotlib.figure import Figure; Figure().savefig('x.png')"
  )
  backend = "module://no_such_package.backend_inline"
  subprocess.run(
    [sys.executable, "-c", code],
    cwd=tmp_path,
    env=os.environ | {"MPLBACKEND": backend},
    check=True,
  )
  assert (tmp_path / "x.png").stat().st_size > 0
