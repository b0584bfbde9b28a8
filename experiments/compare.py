"""Train several systems on the same data and put them side by side.

python -m experiments.compare --systems=all --seeds=3 --workdir=runs/compare

Every other option is one of `experiments.run`, given to all systems that read
it. What is finished is not trained again: the same command goes on. Started
more than once, as in a SLURM array, each process takes what no other one is at.
The last to finish writes tables.md, comparison.json and report.html.
--init_from=DIR, the workdir of another comparison, starts each training from
the same system and seed there.

Exit status: as of `experiments.run`; that of the first training that failed.
"""

import contextlib
import dataclasses
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time
import types
from collections.abc import Sequence

from chexjax.commands.console import run_command, set_up_process, status_of
from chexjax.io import expand_home, held
from experiments import flags
from experiments.system_options import OURS, for_system

STOPPED = 75


@dataclasses.dataclass(frozen=True)
class Job:
  """One training: a system from a seed."""

  system: str
  seed: int
  workdir: pathlib.Path

  @property
  def done(self) -> bool:
    """Whether it was scored; a run writes that last."""
    return (self.workdir / "evaluation.npz").is_file()


@dataclasses.dataclass(frozen=True)
class Plan:
  """What was asked for."""

  systems: tuple[str, ...]
  seeds: int
  workdir: pathlib.Path
  devices: tuple[str, ...]
  options: tuple[str, ...]
  init_from: pathlib.Path | None

  def jobs(self) -> list[Job]:
    """Return all trainings, seed by seed, so that a part compares too."""
    return self._jobs_in(self.workdir)

  def starts(self) -> list[Job]:
    """Return the trainings of another comparison that these start from."""
    return self._jobs_in(self.init_from) if self.init_from else []

  def _jobs_in(self, workdir: pathlib.Path) -> list[Job]:
    return [
      Job(name, seed, workdir / name / f"seed{seed}")
      for seed in range(self.seeds)
      for name in self.systems
    ]


def parse(argv: Sequence[str]) -> Plan:
  """Return what a command line asks for.

  Raises:
    SystemExit: an option is unknown or wrong; says what is near.
  """
  from chexjax.systems import NAMES, trains_on_boxes

  weak = [name for name in NAMES if not trains_on_boxes(name)]
  own = {"systems": "all", "seeds": "1", "workdir": "runs/compare"}
  own |= {"devices": "", "init_from": ""}
  options, rest = [], list(argv)
  if {"-h", "--help"} & set(rest):
    print(__doc__, "\nSystems:", ", ".join(weak))
    raise SystemExit(0)
  while rest:
    word = rest.pop(0)
    name, equals, value = word.removeprefix("--").partition("=")
    if word.startswith("--") and name in own:
      own[name] = value if equals else rest.pop(0) if rest else ""
    else:
      options.append(word)
  systems = tuple(own["systems"].split(","))
  if systems == ("all",):
    systems = (OURS, *(name for name in weak if name != OURS))
  faults = [
    f"--systems={name} is trained on boxes of test films and scored on fewer: "
    f"train it alone, python -m experiments.run --system={name}"
    if name in NAMES
    else flags.not_among("systems", name, weak)
    for name in systems
    if name not in weak
  ]
  if OURS not in systems:
    faults.append(f"--systems must have {OURS}, which the others are held to")
  if not own["seeds"].isdigit() or int(own["seeds"]) < 1:
    faults.append(f"--seeds must be at least 1, got {own['seeds']}")
  for name in ("system", "seed"):
    if any(word.partition("=")[0] == f"--{name}" for word in options):
      faults.append(f"--{name} is set for each training: give --{name}s")
  folders: dict[str, pathlib.Path] = {}
  for name in ("workdir", "init_from"):
    try:
      folders[name] = expand_home(pathlib.Path(own[name]))
    except ValueError as error:
      faults.append(f"--{name}={error}")
  if own["init_from"] and any(
    word.partition("=")[0] == "--init" for word in options
  ):
    faults.append("--init and --init_from contradict each other: give one")
  if faults:
    flags.refuse(faults)
  # All options are options of a run; nothing else is done with the result.
  flags.parse(options)
  plan = Plan(
    systems,
    int(own["seeds"]),
    folders["workdir"],
    tuple(filter(None, own["devices"].split(","))),
    tuple(options),
    folders["init_from"] if own["init_from"] else None,
  )
  missing = [str(job.workdir) for job in plan.starts() if not job.done]
  if missing:
    flags.refuse([f"--init_from: no finished training in {', '.join(missing)}"])
  return plan


def train(
  job: Job,
  plan: Plan,
  device: str | None,
  running: "set[subprocess.Popen[bytes]]",
) -> int:
  """Run one training in a process of its own; return its exit status."""
  command = [sys.executable, "-m", "experiments.run"]
  command += for_system(plan.options, job.system)
  command += [f"--seed={job.seed}", f"--workdir={job.workdir}"]
  if plan.init_from:
    command += [f"--init={plan.init_from / job.system / job.workdir.name}"]
  environment = dict(os.environ)
  if device is not None:
    environment["CUDA_VISIBLE_DEVICES"] = device
  log = job.workdir.with_suffix(".log")
  print(f"{job.system}, seed {job.seed}: training, log in {log}", flush=True)
  began = time.monotonic()
  with log.open("a") as file:
    process = subprocess.Popen(
      command, stdout=file, stderr=subprocess.STDOUT, env=environment
    )
    running.add(process)
    status = process.wait()
    running.discard(process)
  minutes = (time.monotonic() - began) / 60
  if status:
    lines = log.read_text(errors="replace").splitlines()[-5:]
    print(f"{job.system}, seed {job.seed}: ended with status {status}")
    print("\n".join(f"  {line}" for line in lines), flush=True)
  else:
    print(f"{job.system}, seed {job.seed}: done in {minutes:.1f} min")
  return status


def work(
  plan: Plan,
  waiting: "queue.Queue[Job]",
  device: str | None,
  running: "set[subprocess.Popen[bytes]]",
) -> int:
  """Take trainings that are not done and that nobody is at, one by one."""
  worst = 0
  while True:
    try:
      job = waiting.get_nowait()
    except queue.Empty:
      return worst
    job.workdir.parent.mkdir(parents=True, exist_ok=True)
    try:
      # Not the run's own lock, which it takes itself.
      with held(job.workdir.with_name(f".seed{job.seed}.job")):
        status = 0 if job.done else train(job, plan, device, running)
    except BlockingIOError:
      print(f"{job.system}, seed {job.seed}: another process is at it")
      continue
    worst = worst or status
    if status in (2, STOPPED) or status < 0:
      return worst


def compare(plan: Plan) -> int:
  """Train what is missing, then write the tables; return the exit status."""
  jobs = plan.jobs()
  waiting: queue.Queue[Job] = queue.Queue()
  for job in jobs:
    waiting.put(job)
  statuses: list[int] = []
  running: set[subprocess.Popen[bytes]] = set()

  def take(device: str | None) -> None:
    statuses.append(work(plan, waiting, device, running))

  def pass_on(number: int, frame: types.FrameType | None) -> None:
    # Each training saves itself and ends, and nothing new is begun.
    with contextlib.suppress(queue.Empty):
      while True:
        waiting.get_nowait()
    for process in list(running):
      process.send_signal(number)

  before = signal.signal(signal.SIGTERM, pass_on)

  threads = [
    threading.Thread(target=take, args=(device,))
    for device in plan.devices or (None,)
  ]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  signal.signal(signal.SIGTERM, before)
  done = [job for job in jobs if job.done]
  print(f"{len(done)} of {len(jobs)} trainings are done")
  status = next((s for s in statuses if s), 0)
  if status or len(done) < len(jobs):
    print("the same command goes on; tables are written when all are done")
    return status
  return tables(plan, done)


def tables(plan: Plan, done: Sequence[Job]) -> int:
  """Write tables, figures and the page of all trainings."""
  from chexjax.report.side_by_side import write_side_by_side
  from chexjax.systems import SYSTEMS
  from chexjax.training import workdir
  from chexjax.weights.model_info import box_map_of

  stored = workdir.stored(done[0].workdir)
  rest = [name for name in plan.systems if name != OURS]
  text = write_side_by_side(
    {
      name: [job.workdir for job in done if job.system == name]
      for name in plan.systems
    },
    plan.workdir,
    reference=OURS,
    titles={OURS: "chexjax"} | {name: SYSTEMS[name].title for name in rest},
    maps={OURS: box_map_of(stored.stage)}
    | {name: box_map_of(1, system=name) for name in rest},
    assumed={name: SYSTEMS[name].assumed for name in rest},
    published=stored.data_dir is not None,
  )
  print(text)
  print(f"tables.md, comparison.json and report.html are in {plan.workdir}")
  return 0


def main(argv: Sequence[str] | None = None) -> int:
  """Run the command line; return the exit status."""
  plan = parse(sys.argv[1:] if argv is None else argv)
  set_up_process()
  try:
    return compare(plan)
  except (OSError, ImportError, ValueError) as error:
    print(f"error: {error}", file=sys.stderr)
    return status_of(error)


if __name__ == "__main__":
  sys.exit(run_command(main))
