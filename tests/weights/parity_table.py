"""The largest difference from PyTorch, quantity by quantity.

python tests/weights/parity_table.py DIR              against DIR's figures
python tests/weights/parity_table.py DIR --seed=7     against torch_reference

DIR holds `make_state_dict.py` and `expected_seed0.npz`, which is what the
authors' PyTorch model computes with the weights of seed 0.
"""

import argparse
import importlib.util
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np

from chexjax import ops, weights
from chexjax.models import ChexModel, released_options

# quantity -> largest difference allowed: the figures.
EARLY, DEEP, PIXELS = 1e-4, 2e-3, 0.05
ALLOWED = {
  "anchors": 0.0, "merged map": EARLY, "saliency logits": EARLY,
  "RoIAlign": EARLY, "full-image logits": DEEP, "proposal scores": DEEP,
  "proposal deltas": DEEP, "boxes (px)": PIXELS, "picked boxes (px)": PIXELS,
  "crops": EARLY, "crop logits": DEEP, "crop + full logits": DEEP,
  "detection map (share of its range)": 1e-3,
  "picks that differ": 0.0,
}  # fmt: skip
MARGIN = 1e-3  # of the two best scores; below it either pick is right


def make_state(folder, seed):
  """Draws the stand-in for the released weights."""
  path = pathlib.Path(folder) / "make_state_dict.py"
  spec = importlib.util.spec_from_file_location("make_state_dict", path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  return module.make(seed)


def compute(state, images):
  """Runs our model on `[B, H, W]` uint8; returns everything by name."""
  model = ChexModel(**released_options())
  like = jax.eval_shape(
    lambda: model.init(jax.random.key(0), jnp.zeros((1, 64, 64, 3)))
  )
  variables = weights.load_released(state, like).variables
  height, width = images.shape[1:]

  @jax.jit
  def forward(images):
    logits, found = model.apply(variables, ops.normalize(images))
    draw = jax.vmap(
      jax.vmap(
        lambda boxes, scores: ops.released_detection_map(
          boxes, scores, height=height, width=width
        )
      )
    )
    maps = draw(found["proposal_boxes"], found["proposal_scores"])
    roi = ops.roi_align_proposals(found["hidden"][0, 0])[:8]
    return found | {
      "full_logits": logits.full, "crop_plus_full": logits.crop,
      "detection_map": maps, "roi": roi,
    }  # fmt: skip

  return jax.device_get(forward(images[..., None]))


def published(expected):
  """Names the arrays of `expected_seed0.npz` as `compare` reads them."""
  return {
    "anchors": expected["anchors"],
    "merged map": expected["merged_image0_mean"],
    "saliency logits": expected["saliency_image0"],
    "RoIAlign": expected["roi_class0_image0_first8"],
    "full-image logits": expected["full_logits"],
    "proposal scores": expected["det_scores"],
    "proposal deltas": expected["det_deltas"],
    "boxes (px)": expected["boxes"],
    "picked boxes (px)": expected["picked_boxes"][:, 0],
    "crops": expected["crops_image0"],
    "crop logits": expected["crop_logits"][:, 0],
    "crop + full logits": expected["preds"][:, 0],
    "detection map": expected["detection_heatmap_image0_class01"],
    "picked": expected["picked_idx"],
  }


def ours(found, size):
  """The same cuts out of what `compute` gave."""
  return {
    "anchors": ops.make_proposals(*size),
    "merged map": found["fpn"][0].mean(-1),
    "saliency logits": found["saliency_logits"][0],
    "RoIAlign": found["roi"].transpose(0, 3, 1, 2),
    "full-image logits": found["full_logits"],
    "proposal scores": found["proposal_scores"],
    "proposal deltas": found["proposal_deltas"],
    "boxes (px)": found["proposal_boxes"],
    "picked boxes (px)": found["picked_boxes"],
    "crops": found["crops"][0].transpose(0, 3, 1, 2),
    "crop logits": found["crop_logits"],
    "crop + full logits": found["crop_plus_full"],
    "detection map": found["detection_map"][0, :2, ::4, ::4],
    "picked": found["picked"],
  }


def by_reference(state, images):
  """The same cuts, computed by `torch_reference`."""
  import torch
  import torch_reference as reference

  with torch.no_grad():
    found = reference.released(state, images)
    hidden = found["hidden"][0, 0].permute(2, 0, 1)
    anchors = reference.proposals(*images.shape[1:])
    found["roi"] = reference.roi_align(hidden, anchors[:8]).permute(0, 2, 3, 1)
  named = ours({k: v.numpy() for k, v in found.items()}, images.shape[1:])
  return named | {"anchors": anchors.numpy()}


def compare(a, b):
  """Returns quantity -> largest difference of our `a` from their `b`.

  Where a class's two best scores are closer than `MARGIN` the pick is a coin
  toss: it, its box, crop and logit are left out there.
  """
  best = np.sort(b["proposal scores"], -1)
  sure = best[..., -1] - best[..., -2] > MARGIN
  within = {
    "picked boxes (px)": sure, "crop logits": sure,
    "crop + full logits": sure, "crops": sure[0],
  }  # fmt: skip
  table = {}
  for name in ALLOWED:
    if name in a:
      keep = within.get(name, ...)
      table[name] = float(np.abs(a[name] - b[name])[keep].max())
  gap = np.abs(a["detection map"] - b["detection map"]).max()
  table["detection map (share of its range)"] = float(
    gap / np.ptp(b["detection map"])
  )
  table["picks that differ"] = float((a["picked"] != b["picked"])[sure].sum())
  return table


def main(argv=None):
  """Prints the table; returns 1 where a difference is over what is allowed."""
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("folder", type=pathlib.Path)
  parser.add_argument("--seed", type=int)
  parser.add_argument("--size", type=int, nargs=2, default=(512, 512))
  args = parser.parse_args(argv)
  expected = np.load(args.folder / "expected_seed0.npz")
  state = make_state(args.folder, args.seed or 0)
  images = expected["image"]
  if args.seed is None:
    theirs = published(expected)
  else:  # the same films mirrored and cut, so that no pixel is as it was
    images = images[:, : args.size[0], ::-1][:, :, : args.size[1]].copy()
    theirs = by_reference(state, images)
  table = compare(ours(compute(state, images), images.shape[1:]), theirs)
  print("| quantity | largest difference | allowed |\n| --- | ---: | ---: |")
  for name, value in table.items():
    print(f"| {name} | {value:.1e} | {ALLOWED[name]:g} |")
  return int(any(table[name] > ALLOWED[name] for name in table))


if __name__ == "__main__":
  sys.exit(main())
