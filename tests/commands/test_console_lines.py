"""What a console shows of the library's messages and of a long work."""

import io
import logging
import re
import sys

import pytest

from chexjax import messages, progress
from chexjax.commands import console, console_lines, options
from chexjax.progress import Progress

TIME = r"\d\d:\d\d:\d\d"


class Terminal(io.TextIOWrapper):
  def isatty(self):
    return True


@pytest.fixture
def terminal(monkeypatch):
  """Makes standard output a terminal; what it returns shows what is there."""

  def start(kind="xterm", columns=80):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(written, "ascii"))
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setenv("COLUMNS", str(columns))
    console.show_messages()

    def shown():
      sys.stdout.flush()
      return written.getvalue().decode()

    return shown

  yield start
  messages.LOGGER.setLevel(logging.INFO)


@pytest.fixture
def clock(monkeypatch):
  """Time that passes only when it is told to."""

  class Clock:
    now = 100.0

  monkeypatch.setattr(progress.time, "monotonic", lambda: Clock.now)
  # Nobody looks beside the work, so that what is said depends on it alone.
  monkeypatch.setattr(progress, "_GLIMPSE", 1e6)
  return Clock


def work(clock, *, seconds, parts=100):
  with Progress("scoring films", total=parts) as told:
    for _ in range(parts):
      clock.now += seconds
      told.add()


def test_a_short_work_says_nothing(clock, capsys):
  work(clock, seconds=0.04)
  assert capsys.readouterr().out == ""


def test_elsewhere_there_is_a_line_for_every_tenth(clock, capsys):
  work(clock, seconds=2.0)
  said = capsys.readouterr().out
  assert "\r" not in said
  lines = said.splitlines()
  assert len(lines) == 10  # at 10 % to 90 %, and one at the end
  assert re.fullmatch(
    TIME + " scoring films: 50 %, 50 of 100, 2.0 s each, 1:40 left", lines[4]
  )
  assert re.fullmatch(
    TIME + " scoring films: 100 in 3:20, 2.0 s each", lines[9]
  )


def test_what_was_done_before_is_no_work_of_this_process(clock, capsys):
  with Progress("steps", total=1000, done=900) as told:
    for _ in range(2):
      clock.now += 10
      told.add(10)
    assert told.line() == "steps: 92 %, 920 of 1,000, 1.0/s, 1:20 left"
  assert "steps: 920 in 0:20, 1.0/s" in capsys.readouterr().out


def test_the_first_part_compiles_and_says_nothing_of_the_rate(clock):
  with Progress("films", total=100) as told:
    clock.now += 60
    told.add()
    clock.now += 2
    told.add()
    assert told.line().endswith("2.0 s each, 3:16 left")


def test_a_work_that_cannot_be_counted_says_how_long_it_took(clock, capsys):
  with Progress("compiling stage 1"):
    clock.now += 65
  assert re.fullmatch(
    TIME + " compiling stage 1: took 1:05\n", capsys.readouterr().out
  )


def test_a_work_that_fails_leaves_the_word_to_the_error(clock, capsys):
  def fail():
    with Progress("films", total=3):
      clock.now += 60
      raise OSError("full")

  with pytest.raises(OSError, match="full"):
    fail()
  assert capsys.readouterr().out == ""


def test_the_innermost_work_is_shown(clock, capsys):
  with Progress("steps", total=10) as outer:
    clock.now += 20
    with Progress("validation", total=2) as inner:
      outer.add(5)
      clock.now += 20
      inner.add()
    said = capsys.readouterr().out
  assert "steps" not in said
  assert "validation: 50 %" in said


def test_a_terminal_shows_one_line_that_changes(terminal):
  shown = terminal()
  messages.tell("first")
  messages.glimpse("1 of 10")
  messages.glimpse("10 of 10")
  messages.milestone("short")
  messages.tell("last")
  said = shown()
  assert "\x1b" not in said  # no colour, no escape sequence
  first, rest = said.split("\n", 1)
  assert re.fullmatch(f"{TIME} first", first.strip("\r"))
  parts = [part.rstrip() for part in rest.split("\r") if part.strip()]
  assert [re.sub(f"^{TIME} ", "", part) for part in parts] == [
    "1 of 10", "10 of 10", "short", "last",
  ]  # fmt: skip
  # The longer line is covered before the shorter one is alone.
  covered = next(p for p in rest.split("\r") if "short" in p)
  assert len(covered) == len("00:00:00 10 of 10")
  assert said.count("\n") == 2


def test_a_line_never_breaks_in_a_narrow_terminal(terminal):
  shown = terminal(columns=20)
  messages.glimpse("scoring films: 50 %, 50 of 100, 2.0 s each, 1:40 left")
  assert shown() == "\rscoring films: 50 %"


def test_a_dumb_terminal_has_lines_alone(terminal):
  shown = terminal("dumb")
  messages.glimpse("1 of 10")
  messages.milestone("2 of 10")
  assert re.fullmatch(f"{TIME} 2 of 10\n", shown())


def test_noise_is_kept_from_the_screen_and_the_datasets_words_are_not(capsys):
  absl = logging.getLogger("absl")
  before = list(absl.filters)
  absl.filters.clear()  # A command that ran before has set its own.
  try:
    console_lines.quiet_libraries()
    console_lines.quiet_libraries()
    (noise,) = absl.filters
  finally:
    absl.filters[:] = before

  def passes(level, path, text):
    record = logging.LogRecord("absl", level, path, 1, text, (), None)
    return noise.filter(record)

  assert not passes(logging.WARNING, "orbax/checkpoint/x.py", "no metric")
  assert not passes(logging.WARNING, "tfds/core/load.py", "Variant folder")
  assert not passes(logging.INFO, "a/tfds_chestxray14/builder.py", "survey")
  assert passes(logging.ERROR, "orbax/checkpoint/x.py", "broken")
  assert capsys.readouterr().err == ""
  assert not passes(logging.WARNING, "a/tfds_chestxray14/builder.py", "a part")
  assert capsys.readouterr().err.endswith(" note: a part\n")


def test_examples_in_the_help_keep_their_lines():
  text = "Do it.\n\nchexjax do --a\nchexjax do --b\n\nLong\ntext.\n"
  assert options._with_examples(text).splitlines() == [
    "Do it.", "  chexjax do --a", "  chexjax do --b", "", "Long", "text.",
  ]  # fmt: skip
