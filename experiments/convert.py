"""`python -m experiments.convert` is `chexjax convert`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.convert import main

if __name__ == "__main__":
  sys.exit(run_command(main))
