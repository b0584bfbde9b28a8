"""`python -m experiments.cache` is `chexjax cache`, from a clone."""

import sys

from chexjax.commands.cache import main

if __name__ == "__main__":
  sys.exit(main())
