"""`python -m experiments.merge` is `chexjax merge`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.merge import main

if __name__ == "__main__":
  sys.exit(run_command(main))
