"""The 14 findings: their painters, their order and their boxes."""

import numpy as np

from chexjax.data.phantom import diffuse, focal, pleural
from chexjax.data.phantom.chest import Scene
from chexjax.data.phantom.placing import Delta

# In the order of painting: findings of the whole lung first, because they
# change what the later ones are painted over.
PAINTERS = {
  "Emphysema": diffuse.paint_emphysema,
  "Cardiomegaly": diffuse.paint_cardiomegaly,
  "Hernia": diffuse.paint_hernia,
  "Fibrosis": diffuse.paint_fibrosis,
  "Edema": diffuse.paint_edema,
  "Effusion": pleural.paint_effusion,
  "Pneumothorax": pleural.paint_pneumothorax,
  "Pleural_Thickening": pleural.paint_thickening,
  "Consolidation": focal.paint_consolidation,
  "Pneumonia": focal.paint_pneumonia,
  "Infiltration": focal.paint_infiltration,
  "Atelectasis": focal.paint_atelectasis,
  "Mass": focal.paint_mass,
  "Nodule": focal.paint_nodule,
}

# Smallest share of a finding's peak that still belongs to its box.
BOX_SHARE = 0.3


def paint(
  scene: Scene, name: str, rng: np.random.Generator, strength: float
) -> np.ndarray:
  """Add a finding to the scene's density.

  Args:
    scene: the chest; its density and vessels are changed in place.
    name: one of `FINDINGS`.
    rng: source of the finding's shape and place.
    strength: conspicuity, 1 is ordinary.

  Returns:
    `[4]` float32 box x1, y1, x2, y2 in pixels around its contribution.
  """
  delta = PAINTERS[name](scene, rng, strength)
  scene.density[delta.window] += delta.values
  return contribution_box(delta)


def contribution_box(delta: Delta) -> np.ndarray:
  """Return the box of all pixels with at least `BOX_SHARE` of the peak.

  Args:
    delta: what a finding adds to the density.

  Returns:
    `[4]` float32 x1, y1, x2, y2 in pixels of the canvas.
  """
  size = np.abs(delta.values)
  mask = size >= np.float32(BOX_SHARE) * size.max()
  rows = np.flatnonzero(mask.any(1)) + (delta.window[0].start or 0)
  columns = np.flatnonzero(mask.any(0)) + (delta.window[1].start or 0)
  return np.array(
    [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32
  )
