"""`python -m experiments.report` is `chexjax report`, from a clone."""

import sys

from chexjax.commands.report import main

if __name__ == "__main__":
  sys.exit(main())
