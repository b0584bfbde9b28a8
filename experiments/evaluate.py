"""`python -m experiments.evaluate` is `chexjax evaluate`, from a clone."""

import sys

from chexjax.commands.evaluate import main

if __name__ == "__main__":
  sys.exit(main())
