"""`python -m experiments.cache` is `chexjax cache`, from a clone."""

import sys

from chexjax.commands.cache import main
from chexjax.commands.console import run_command

if __name__ == "__main__":
  sys.exit(run_command(main))
