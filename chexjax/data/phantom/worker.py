"""Draw every n-th film of a plan: a child process of `write_phantom`."""

import json
import pathlib
import sys

from chexjax.data.phantom.sampling import plan_films
from chexjax.data.phantom.write import draw_share


def main(folder: str, arguments: str, first: str, step: str) -> None:
  """Draw films number first, first + step, ...; print their boxes as JSON."""
  options = json.loads(arguments)
  films = plan_films(
    options["num_images"],
    seed=options["seed"],
    prevalence=options["prevalence"],
  )
  share = films[int(first) :: int(step)]
  boxes = draw_share(
    pathlib.Path(folder), share, seed=options["seed"], size=options["size"]
  )
  print(json.dumps(boxes))


if __name__ == "__main__":
  main(*sys.argv[1:])
