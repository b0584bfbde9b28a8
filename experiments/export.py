"""`python -m experiments.export` is `chexjax export`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.export import main

if __name__ == "__main__":
  sys.exit(run_command(main))
