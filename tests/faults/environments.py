"""Runs every command in surroundings that programs often forget.

  sudo python tests/faults/environments.py
  python tests/faults/environments.py --only latin1 narrow

No home, a home that is read-only, other encodings, no /dev/shm, a strict umask,
a disk without locks or hard links, 20 columns, no terminal at all. Each command
must end with status 0 and without a traceback. Some surroundings need the
superuser, who becomes another user in them. The last line says how many were
tried and how many were lost.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPO = pathlib.Path(__file__).parents[2]
sys.path += [str(REPO / "tests" / "helpers"), str(REPO / "tests")]

from conftest import _XLA_FLAGS, OwnFolder  # noqa: E402
from tiny import TINY, TINY_OWN  # noqa: E402

USER = "12345"  # It has no entry in passwd.
# The interpreter may lie in a folder of the superuser's: this user reads all,
# and writes nothing of others.
AS_USER = [
  "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
  "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search",
]  # fmt: skip
NO_LOCKS = """
import errno, fcntl, os
def refuse(*_, **__):
  raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
def unknown(*_, **__):
  raise OSError({errno}, os.strerror({errno}))
fcntl.flock = fcntl.lockf = unknown
os.link = refuse
"""
# Name -> words before the command, variables (None removes one).
PLACES = {
  "as it is": ([], {}),
  "no home": (AS_USER, {"HOME": None, "USER": None, "LOGNAME": None}),
  "home of root": (AS_USER, {"HOME": "/root"}),
  "home is /": (AS_USER, {"HOME": "/"}),
  "read-only home": (AS_USER, {"HOME": "{root}/locked"}),
  "cache elsewhere": (AS_USER, {"HOME": None, "XDG_CACHE_HOME": "{root}/xdg"}),
  "ascii": ([], {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}),
  "plain C": (
    [], {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
  ),
  "latin-1": ([], {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}),
  "no shm": (
    ["unshare", "-m", "sh", "-c", 'umount -l /dev/shm; exec "$@"', "sh"], {},
  ),
  "locked shm": (
    ["unshare", "-m", "sh", "-c",
     'mount -t tmpfs -o ro,mode=0555 none /dev/shm; exec "$@"', "sh"], {},
  ),
  "umask": (["sh", "-c", 'umask 077; exec "$@"', "sh"], {}),
  "ENOLCK": ([], {"PYTHONPATH": "{root}/ENOLCK:" + str(REPO)}),
  "ENOSYS": ([], {"PYTHONPATH": "{root}/ENOSYS:" + str(REPO)}),
  "narrow": ([], {"COLUMNS": "20", "LINES": "3"}),
  "closed": (["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh"], {}),
  "no terminal": (["setsid", "sh", "-c", 'exec "$@" </dev/null', "sh"], {}),
}  # fmt: skip


def commands(root, place):
  """Lists the commands, with options that write into `place`."""
  own, workdir = root / "own", place / "run"
  experiments = [sys.executable, "-m", "experiments."]

  def of(name, *options):
    return [*experiments[:-1], f"experiments.{name}", *map(str, options)]

  dataset = [sys.executable, "-m"]
  return {
    "run": of("run", *TINY, "--stage=1", f"--workdir={workdir}"),
    "run of one's own": of(
      "run", *TINY_OWN, "--stage=1", f"--data_dir={own}", "--image_size=128",
      f"--workdir={place / 'of own'}",
    ),
    "predict": of(
      "predict", f"--weights={workdir}", f"--out={place / 'predicted'}", own,
    ),
    "evaluate": of(
      "evaluate", f"--workdir={place / 'of own'}", f"--out={place / 'scored'}",
    ),
    "report": of("report", f"--workdir={place / 'of own'}"),
    "convert": of(
      "convert", f"--weights={workdir}", f"--out={place / 'converted'}",
    ),
    "contact_sheet": of(
      "contact_sheet", f"--out={place / 'sheet.png'}", "--image_size=128",
    ),
    "cache": of("cache"),
    "prepare_own": of(
      "prepare_own", "--from=yolo", f"--source={root / 'yolo'}",
      f"--out={place / 'prepared'}",
    ),
    "check": [*dataset, "tfds_chestxray14.check", str(root / "nih")],
    "download": [
      *dataset, "tfds_chestxray14.download", f"--out={place / 'fetched'}",
      "--limit_archives=0",
    ],
    "benchmark": of("benchmark", "ops", "--toy", f"--out={place / 'b.json'}"),
    "help": of("run", "--help"),
  }  # fmt: skip


def make_inputs(root):
  """Writes the sets that the commands read."""
  from chexjax.data.phantom import write_phantom

  OwnFolder(root / "own", ("Ödem", "Katze")).write()
  write_phantom(root / "nih", num_images=64, size=128, seed=3)
  yolo = root / "yolo"
  for kind in ("images", "labels"):
    (yolo / kind).mkdir(parents=True)
  for i in range(8):
    shutil.copy(root / f"own/a/{i:02}.png", yolo / f"images/{i:02}.png")
    (yolo / f"labels/{i:02}.txt").write_text(f"{i % 2} 0.5 0.5 0.2 0.2\n")
  (yolo / "classes.txt").write_text("Ödem\nKatze\n", encoding="utf-8")
  for name in ("ENOLCK", "ENOSYS"):
    (root / name).mkdir()
    text = NO_LOCKS.replace("{errno}", f"errno.{name}")
    (root / name / "sitecustomize.py").write_text(text)
  (root / "locked").mkdir(mode=0o555)
  (root / "xdg").mkdir()
  os.chmod(root / "xdg", 0o777)


def surroundings(root, changed):
  """Returns the variables of a command."""
  env = os.environ | {
    "PYTHONPATH": str(REPO), "JAX_PLATFORMS": "cpu",
    "TMPDIR": str(root / "tmp"), "PYTHONDONTWRITEBYTECODE": "1",
    "XLA_FLAGS": _XLA_FLAGS,
  }  # fmt: skip
  for name in ("XDG_CACHE_HOME", "JAX_COMPILATION_CACHE_DIR", "MPLCONFIGDIR"):
    env.pop(name, None)
  for name, value in changed.items():
    if value is None:
      env.pop(name, None)
    else:
      env[name] = value.replace("{root}", str(root))
  return env


def main(argv=None):
  """Tries all; returns the number of commands that ended otherwise."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("--folder", type=pathlib.Path)
  parser.add_argument("--only", nargs="+", choices=PLACES, default=[*PLACES])
  options = parser.parse_args(argv)
  root = options.folder or pathlib.Path(tempfile.mkdtemp())
  root.mkdir(parents=True, exist_ok=True)
  os.chmod(root, 0o777)
  (root / "tmp").mkdir()
  os.chmod(root / "tmp", 0o777)
  make_inputs(root)
  tried = lost = 0
  for number, name in enumerate(options.only):
    before, changed = PLACES[name]
    place = root / f"place{number}"
    place.mkdir()
    os.chmod(place, 0o777)
    env = surroundings(root, {"HOME": str(root / "home")} | changed)
    if before != AS_USER:
      # Where the home is as always, one compilation will do.
      env["JAX_COMPILATION_CACHE_DIR"] = str(root / "compiled")
    for what, command in commands(root, place).items():
      done = subprocess.run(
        [*before, *command], cwd=REPO, env=env, capture_output=True,
        stdin=subprocess.DEVNULL,
      )  # fmt: skip
      said = (done.stdout + done.stderr).decode(errors="replace")
      log = place / f"{what}.log"
      log.write_text(said, encoding="utf-8")
      # The lists that NIH offers in a browser alone are status 2.
      allowed = (2,) if what == "download" else (0,)
      tried += 1
      if done.returncode not in allowed or "Traceback" in said:
        lost += 1
        last = said.strip().splitlines()[-1:]
        print(f"{name}: {what}: {done.returncode} {last}, {log}", flush=True)
    print(f"{name}: done", flush=True)
  print(f"tried {tried}, survived {tried - lost}, lost {lost}")
  return lost


if __name__ == "__main__":
  sys.exit(main())
