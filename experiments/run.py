"""The main job: train up to `--stage`, then print the paper's tables.

python -m experiments.run --stage=3
"""

import sys
import time

from experiments import flags, memory


def main(argv: list[str] | None = None) -> int:
  """Runs the command line; returns the exit status."""
  config = flags.parse(sys.argv[1:] if argv is None else argv, prog="run")
  if argv is None:
    memory.relaunch()
  began = time.monotonic()
  # Here, so that a wrong option is answered before orbax and grain are loaded.
  from experiments import initial, prepare, provenance
  from experiments.stages import Run

  prepare.use_compilation_cache(config)
  try:
    start = initial.load(config)
    flags.store(config, provenance.collect())
    dataset = prepare.open_data(config)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return 2
  Run(config, dataset, start).all_stages()
  print(f"done in {(time.monotonic() - began) / 60:.1f} min")
  return 0


if __name__ == "__main__":
  sys.exit(main())
