"""`python -m experiments.serve` is `chexjax serve`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.serve import main

if __name__ == "__main__":
  sys.exit(run_command(main))
