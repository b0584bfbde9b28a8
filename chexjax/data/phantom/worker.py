"""A child process of `write_phantom`, which draws every n-th film of a plan."""

import json
import pathlib
import sys

from chexjax.data.phantom.drawing import draw_share
from chexjax.data.phantom.sampling import plan_films


def main(folder: str, arguments: str, first: str, step: str) -> None:
  """Draw films number first, first + step, ...; print their boxes as JSON.

  Args:
    folder: of the images.
    arguments: of `write_phantom`, as JSON.
    first: number of the first film.
    step: number of workers.
  """
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
