"""`python -m experiments.evaluate` is `chexjax evaluate`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.evaluate import main

if __name__ == "__main__":
  sys.exit(run_command(main))
