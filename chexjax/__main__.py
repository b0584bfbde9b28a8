"""`python -m chexjax` is `chexjax`."""

import sys

from chexjax.commands.main import main

if __name__ == "__main__":
  sys.exit(main())
