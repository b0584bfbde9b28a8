"""`chexjax COMMAND ...`: what can be done with weights, without a clone."""

import importlib
import sys
from collections.abc import Sequence

import chexjax

COMMANDS = {
  "predict": "probabilities and boxes for image files",
  "merge": "the parts of predict --shard as one",
  "serve": "a DICOM node: takes films, sends their predictions",
  "evaluate": "score anybody's predictions, a run, or weights",
  "report": "one HTML page of an evaluation, or of two side by side",
  "convert": "the authors' released weights to ours, and back",
  "export": "a model as one file for other programs: StableHLO, ONNX",
  "leaks": "trivial statistics of films that predict a label",
  "cache": "what is kept in the cache, and its removal",
}


def _usage() -> str:
  lines = [f"  {name:<9} {text}" for name, text in COMMANDS.items()]
  return "\n".join(
    [
      "usage: chexjax COMMAND [OPTIONS], or chexjax COMMAND --help",
      *lines,
      f"chexjax {chexjax.__version__}; training needs a clone of the "
      "repository. Research software, not a medical device.",
    ]
  )


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command that the first argument names; return its exit status."""
  arguments = sys.argv[1:] if argv is None else list(argv)
  if not arguments or arguments[0] in ("-h", "--help", "--version"):
    print(_usage())
    return 0 if arguments else 2
  name, *rest = arguments
  if name not in COMMANDS:
    print(f"error: no command {name!r}\n{_usage()}", file=sys.stderr)
    return 2
  try:
    from chexjax.commands.console import run_command

    command = importlib.import_module(f"chexjax.commands.{name}")
  except ImportError as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  return run_command(lambda: command.main(rest))


if __name__ == "__main__":
  sys.exit(main())
