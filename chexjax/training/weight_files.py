"""Files of other people's weights: found in a folder, or downloaded."""

import os
import pathlib
from collections.abc import Sequence

from chexjax import messages
from chexjax.io import check_folder, expand_home
from chexjax.runtime.cache_home import DEFAULT, cache_home
from chexjax.weights.torch_files import SUFFIXES

# Repositories of ImageNet weights on the Hugging Face hub.
HUB = {
  "densenet121": "timm/densenet121.tv_in1k",
  "resnet34": "timm/resnet34.tv_in1k",
}


def find_file(folder: pathlib.Path, names: Sequence[str]) -> pathlib.Path:
  """Return the only weights file under a folder whose path has a name.

  Args:
    folder: searched through and through.
    names: the first that is found decides.

  Raises:
    FileNotFoundError: there is none; lists what is there.
    ValueError: more than one file has the name.
  """
  folder = expand_home(folder)
  if not folder.is_dir():
    raise FileNotFoundError(f"--init_dir={folder} is no folder")
  files = sorted(p for p in folder.rglob("*") if p.suffix in SUFFIXES)
  for name in names:
    # All files of timm are called model.safetensors; their folders differ.
    found = [p for p in files if name in str(p.relative_to(folder))]
    if len(found) == 1:
      return found[0]
    if found:
      raise ValueError(
        f"--init_dir={folder} has more than one {name}: "
        + ", ".join(str(p) for p in found)
      )
  there = ", ".join(p.name for p in files) or "none"
  raise FileNotFoundError(
    f"no file named *{' or *'.join(names)}* ({', '.join(SUFFIXES)}) under "
    f"--init_dir={folder}; weight files there: {there}"
  )


def _hub_options() -> dict[str, str]:
  """Return a folder for downloads where the client's own cannot be written.

  Without a home the client would make a folder called `~`.
  """
  if {"HF_HOME", "HF_HUB_CACHE", "XDG_CACHE_HOME"} & set(os.environ):
    return {}
  try:
    check_folder(expand_home(pathlib.Path("~/.cache/huggingface")))
  except (OSError, ValueError):
    return {"cache_dir": str(cache_home(DEFAULT) / "huggingface")}
  return {}


def download(name: str) -> pathlib.Path:
  """Download a backbone's file from timm's repository on the hub.

  Args:
    name: a key of `HUB`.

  Raises:
    ImportError: the hub's client is absent.
    OSError: the download failed.
  """
  repo = HUB[name]
  try:
    import huggingface_hub
  except ImportError as error:
    raise ImportError(
      f"downloading {repo} needs the hub client: pip install 'chexjax[hub]'; "
      "or give --init_dir=DIR with the files, or --init=none to start from "
      "scratch"
    ) from error
  messages.tell(f"downloading {repo} from the Hugging Face hub")
  try:
    file = huggingface_hub.hf_hub_download(
      repo, "model.safetensors", **_hub_options()
    )
  except Exception as error:  # The client's network library raises many types.
    raise OSError(
      f"{repo} could not be downloaded (no network?): {error}; give "
      "--init_dir=DIR with DenseNet-121 and ResNet-34 of torchvision or timm, "
      "or --init=none to start from scratch"
    ) from error
  return pathlib.Path(file)
