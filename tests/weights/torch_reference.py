"""The released model written out in plain PyTorch, from its state dict.

Independent of chexjax: names, sizes and arithmetic are put down once more,
from the facts of the paper and the released files. Widths are read off the
weights, so that small models work too.
"""

import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F


def leaky(x):
  return F.leaky_relu(x, 0.1)


def norm(state, name, x, train=False):
  return F.batch_norm(
    x,
    state[f"{name}.running_mean"].detach().clone(),
    state[f"{name}.running_var"].detach().clone(),
    state[f"{name}.weight"],
    state[f"{name}.bias"],
    training=train,
    eps=1e-5,
  )


def conv(state, name, x, stride=1):
  weight = state[f"{name}.weight"]
  bias = state.get(f"{name}.bias")
  return F.conv2d(x, weight, bias, stride, weight.shape[-1] // 2)


def count(state, pattern):
  """How many of `pattern % 0`, `pattern % 1`, ... begin a name."""
  for i in itertools.count():
    if not any(name.startswith(pattern % i) for name in state):
      return i


def densenet(state, prefix, x, act=leaky, train=False):
  """Maps `[B, 3, H, W]` to the four taps."""
  x = conv(state, f"{prefix}conv0", x, 2)
  x = act(norm(state, f"{prefix}norm0", x, train))
  x = F.max_pool2d(x, 3, 2, 1)
  taps = []
  for block in (1, 2, 3, 4):
    layer = 1
    while f"{prefix}denseblock{block}.denselayer{layer}.conv1.weight" in (
      state
    ):
      name = f"{prefix}denseblock{block}.denselayer{layer}"
      y = act(norm(state, f"{name}.norm1", x, train))
      y = conv(state, f"{name}.conv1", y)
      y = act(norm(state, f"{name}.norm2", y, train))
      x = torch.cat([x, conv(state, f"{name}.conv2", y)], 1)
      layer += 1
    last = block == 4
    close = f"{prefix}norm5" if last else f"{prefix}transition{block}.norm"
    x = act(norm(state, close, x, train))
    taps.append(x)
    if not last:
      x = F.avg_pool2d(conv(state, f"{prefix}transition{block}.conv", x), 2)
  return taps


def resnet(state, stem, stages, x, act=F.relu, train=False):
  """Maps `[B, 3, H, W]` to the last stage's map."""
  x = act(norm(state, stem[1], conv(state, stem[0], x, 2), train))
  x = F.max_pool2d(x, 3, 2, 1)
  for number, stage in enumerate(stages):
    for block in range(count(state, stage + ".%d.")):
      name = f"{stage}.{block}"
      stride = 2 if number and not block else 1
      y = act(
        norm(
          state, f"{name}.bn1", conv(state, f"{name}.conv1", x, stride), train
        )
      )
      y = norm(state, f"{name}.bn2", conv(state, f"{name}.conv2", y), train)
      if f"{name}.downsample.0.weight" in state:
        x = conv(state, f"{name}.downsample.0", x, stride)
        x = norm(state, f"{name}.downsample.1", x, train)
      x = act(x + y)
  return x  # fmt: skip


def classify(state, x, prefix="backbone."):
  """Full-image logits, merged map, hidden maps, saliency logits."""
  merged = None
  for level, tap in reversed(
    list(enumerate(densenet(state, f"{prefix}0.0.", x)))
  ):
    lateral = conv(state, f"{prefix}1.inner_blocks.{level}", tap)
    if merged is not None:
      lateral = lateral + F.interpolate(merged, scale_factor=2, mode="nearest")
    merged = lateral
  hidden, saliency, pooled = [], [], []
  for k in range(count(state, f"{prefix}1.conv.convs1.%d.")):
    one, two = (f"{prefix}1.conv.convs{i}.{k}" for i in (1, 2))
    h = conv(state, f"{one}.2", leaky(norm(state, f"{one}.0", merged)))
    s = conv(state, f"{two}.2", leaky(norm(state, f"{two}.0", h)))[:, 0]
    r = state[f"{prefix}1.pool.pools.{k}.beta"].exp()
    flat = s.flatten(1)
    pooled.append((torch.logsumexp(r * flat, 1) - math.log(flat.shape[1])) / r)
    hidden.append(h)
    saliency.append(s)
  return (
    torch.stack(pooled, 1),
    merged,
    torch.stack(hidden, 1),
    torch.stack(saliency, 1),
  )


def proposals(height, width):
  """Size, then centre y, then centre x; clipped."""
  boxes = []
  for part in (8, 4, 2):
    h, w = height / part, width / part
    for j in range(2 * part + 1):
      for i in range(2 * part + 1):
        x, y = i * w / 2, j * h / 2
        boxes.append([
          max(x - w / 2, 0), max(y - h / 2, 0),
          min(x + w / 2, width), min(y + h / 2, height),
        ])  # fmt: skip
  return torch.tensor(boxes)


def roi_align(maps, boxes, size=5, samples=2, scale=0.25):
  """`[C, h, w]`, `[N, 4]` to `[N, C, size, size]`, sample by sample."""
  _, height, width = maps.shape

  def taps(start, end, length):
    start, end = start * scale, end * scale
    step = (end - start).clamp(min=1) / size / samples
    place = (
      start[:, None] + (torch.arange(size * samples) + 0.5) * step[:, None]
    )
    inside = (place >= -1) & (place <= length)
    place = place.clamp(0, length - 1)
    low = place.floor().long()
    high = (low + 1).clamp(max=length - 1)
    return low, high, place - low, inside

  y0, y1, fy, in_y = taps(boxes[:, 1], boxes[:, 3], height)
  x0, x1, fx, in_x = taps(boxes[:, 0], boxes[:, 2], width)

  def at(y, x):
    return maps[:, y[:, :, None], x[:, None, :]]

  fy, fx = fy[:, :, None], fx[:, None, :]
  value = (
    at(y0, x0) * (1 - fy) * (1 - fx) + at(y0, x1) * (1 - fy) * fx
    + at(y1, x0) * fy * (1 - fx) + at(y1, x1) * fy * fx
  ) * (in_y[:, :, None] & in_x[:, None, :])  # fmt: skip
  return F.avg_pool2d(value.transpose(0, 1), samples)


def decode(anchors, deltas, height, width):
  """Faster R-CNN's coding with weights 1, clipped to the image."""
  size = anchors[:, 2:] - anchors[:, :2]
  centre = anchors[:, :2] + size / 2 + deltas[..., :2] * size
  size = size * deltas[..., 2:].clamp(max=math.log(1000 / 16)).exp()
  boxes = torch.cat([centre - size / 2, centre + size / 2], -1)
  limit = torch.tensor([width, height, width, height], dtype=boxes.dtype)
  return torch.minimum(boxes.clamp(min=0), limit)


def glimpse(image, box, size):
  """`[3, H, W]` through a grid of Gaussians of variance 1."""
  _, height, width = image.shape

  def rows(low, high, length):
    g = (low + high) / length - 1
    extent = (high - low) / length
    step = (max(height, width) - 1) / (size - 1) * extent
    index = torch.arange(size, dtype=image.dtype)
    mean = (length + 1) / 2 * (g + 1) + (index - size / 2 - 0.5) * step
    at = torch.arange(length, dtype=image.dtype)
    filters = torch.exp(-((at - mean[:, None]) ** 2) / 2)
    return filters / filters.sum(1, keepdim=True).clamp(min=1e-8)

  x1, y1, x2, y2 = box
  return rows(y1, y2, height) @ image @ rows(x1, x2, width).T


def crop_logits(state, crops):
  """`[B, K, 3, S, S]` to `[B, K]`."""
  stages = [
    f"classifier.model.0.{4 + i}"
    for i in range(4)
    if f"classifier.model.0.{4 + i}.0.conv1.weight" in state
  ]
  stem = ("classifier.model.0.0", "classifier.model.0.1")
  x = resnet(state, stem, stages, crops.flatten(0, 1))
  x = torch.cat([x.amax((2, 3)), x.mean((2, 3))], 1)
  x = x.unflatten(0, crops.shape[:2])
  out = []
  for k in range(crops.shape[1]):
    name = f"classifier.heads.{k}"
    y = norm(state, f"{name}.0", x[:, k])
    y = F.relu(F.linear(y, state[f"{name}.2.weight"], state[f"{name}.2.bias"]))
    y = norm(state, f"{name}.4", y)
    y = F.linear(y, state[f"{name}.6.weight"], state[f"{name}.6.bias"])
    out.append(y[:, 0])
  return torch.stack(out, 1)


def detection_map(boxes, scores, height, width):
  """Adds each raw score inside its rounded box."""
  heat = torch.zeros(height, width, dtype=scores.dtype)
  for box, score in zip(boxes.round().int().tolist(), scores):
    x1, y1, x2, y2 = box
    heat[y1:y2, x1:x2] += score
  return heat


def released(state, images, *, roi_size=5, crop_size=64, dtype=torch.float32):
  """Computes everything that `expected_seed0.npz` holds, in evaluation mode.

  Args:
    state: name -> numpy array.
    images: `[B, H, W]` uint8.
    roi_size: bins along each side of a pooled region.
    crop_size: side of a crop.
    dtype: of the arithmetic.
  """
  state = {
    k: torch.from_numpy(np.array(v)).to(dtype)
    for k, v in state.items()
    if not k.endswith("num_batches_tracked")
  }
  mean = torch.tensor([0.485, 0.456, 0.406], dtype=dtype)
  std = torch.tensor([0.229, 0.224, 0.225], dtype=dtype)
  x = torch.from_numpy(images).to(dtype)[:, None] / 255
  x = (x - mean[:, None, None]) / std[:, None, None]
  height, width = x.shape[2:]
  full, merged, hidden, saliency = classify(state, x)
  anchors = proposals(height, width).to(dtype)
  scores, deltas = [], []
  for h, s in zip(hidden.flatten(0, 1), saliency.flatten(0, 1)):
    gate = torch.sigmoid(roi_align(s[None], anchors, roi_size))
    y = roi_align(h, anchors, roi_size) * gate
    y = F.relu(conv(state, "head.int_layers.0.0", y)).amax((2, 3))
    scores.append((y @ state["head.head.detection.weight"].T)[:, 0])
    weight = state["head.head.regression.weight"]
    deltas.append(y @ weight.T + state["head.head.regression.bias"])
  scores = torch.stack(scores).unflatten(0, full.shape)
  deltas = torch.stack(deltas).unflatten(0, full.shape)
  boxes = decode(anchors, deltas, height, width)
  picked = scores.argmax(-1)
  chosen = boxes.gather(2, picked[..., None, None].expand(-1, -1, 1, 4))[
    :, :, 0
  ]
  crops = torch.stack([
    torch.stack([glimpse(image, box, crop_size) for box in of])
    for image, of in zip(x, chosen)
  ])  # fmt: skip
  logits = crop_logits(state, crops)
  return {
    "full_logits": full,
    "fpn": merged.permute(0, 2, 3, 1),
    "hidden": hidden.permute(0, 1, 3, 4, 2),
    "saliency_logits": saliency,
    "proposal_scores": scores,
    "proposal_deltas": deltas,
    "proposal_boxes": boxes,
    "picked": picked,
    "picked_boxes": chosen,
    "crops": crops.permute(0, 1, 3, 4, 2),
    "crop_logits": logits,
    "crop_plus_full": logits + full,
    "detection_map": torch.stack([
      detection_map(b, s, height, width)
      for b, s in zip(boxes.flatten(0, 1), scores.flatten(0, 1))
    ]).unflatten(0, full.shape),
  }  # fmt: skip
