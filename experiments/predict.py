"""`python -m experiments.predict` is `chexjax predict`, from a clone."""

import sys

from chexjax.commands.console import run_command
from chexjax.commands.predict import main

if __name__ == "__main__":
  sys.exit(run_command(main))
