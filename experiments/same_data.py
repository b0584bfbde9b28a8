"""A run that goes on trains on the data it began with."""

import json

from chexjax.data.sources import Dataset
from experiments.configs import Config


def check(config: Config, dataset: Dataset) -> None:
  """Writes `data.json` to the workdir, after a check of the one there.

  It holds the findings, the split and the lists' hashes; images themselves are
  not compared.

  Raises:
    ValueError: the workdir's run began with other data; names what differs.
  """
  path = config.workdir / "data.json"
  known = ("findings", "size", "validation", "split_hash", "files")
  ours = {name: dataset.metadata.get(name) for name in known}
  ours = json.loads(json.dumps(ours))
  if path.exists():
    theirs = json.loads(path.read_text())
    differing = [name for name in known if theirs.get(name) != ours[name]]
    if differing:
      raise ValueError(
        f"the run in {config.workdir} began with other data: "
        + "; ".join(f"{n}: {theirs.get(n)}, now {ours[n]}" for n in differing)
        + ". Give the data it began with, or another --workdir"
      )
    return
  scratch = path.with_suffix(".tmp")
  scratch.write_text(json.dumps(ours, indent=2))
  scratch.replace(path)
