"""`python -m experiments.leaks` is `chexjax leaks`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.leaks import main

if __name__ == "__main__":
  sys.exit(run_command(main))
