"""`python -m experiments.report` is `chexjax report`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.report import main

if __name__ == "__main__":
  sys.exit(run_command(main))
