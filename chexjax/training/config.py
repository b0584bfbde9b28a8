"""Every option of a run, with its unit and the paper's value as default."""

import dataclasses
import json
import pathlib
from typing import Any, Literal

from chexjax.runtime.cache_home import DEFAULT
from chexjax.types import MapOptions


@dataclasses.dataclass(frozen=True)
class ModelConfig:
  """Width, depth and variant; the fields are those of `ChexModel`."""

  block_sizes: tuple[int, ...] = (6, 12, 24, 16)
  """Dense layers per block of the DenseNet."""
  growth: int = 32
  """Channels that a dense layer adds."""
  bn_size: int = 4
  """Width of a dense layer's bottleneck, in units of growth."""
  stem: int = 64
  """Channels of the DenseNet's first convolution."""
  fpn_features: int = 256
  """Channels of the merged feature map."""
  hidden: int = 128
  """Channels of a finding's hidden map."""
  detection_features: int = 64
  """Channels of the detection head."""
  roi_size: int = 5
  """Bins along each side of a pooled region."""
  crop_size: int = 64
  """Side of a crop, in pixels."""
  crop_stages: tuple[int, ...] = (3, 4, 6, 3)
  """Basic blocks per stage of the crop ResNet."""
  crop_width: int = 64
  """Channels of the crop ResNet's first stage."""
  crop_hidden: int = 512
  """Width of a finding's crop head."""
  lse_r: float = 1.0
  """Sharpness of lse pooling."""
  centre_prior: float = 0.0
  """Deviation, as a fraction of the side, of a Gaussian in the middle of the
  film that weighs the cells of a saliency map, there and where it is pooled; 0
  for none, .25 where maps would lie at the film's border."""
  pooling: Literal["lse", "lse_lba"] = "lse"
  """Pooling of the saliency logits; lse_lba learns its sharpness."""
  crop: Literal["bilinear", "gaussian"] = "bilinear"
  """How crops are read from the image."""
  gate_gradient: bool = True
  """Whether the saliency gate on pooled features is trained."""
  crop_leaky: bool = True
  """Whether the crop ResNet uses LeakyReLU(0.1), as the DenseNet and the
  saliency heads always do; the detection head and the heads of the crop
  classifier always use ReLU, as the released code."""
  add_full_logit: bool = False
  """Whether a crop's logit has the full image's added."""
  noise_scale: float = 1.0
  """Factor on the Gumbel noise."""
  explore: float = 0.0
  """Share of the regions sampled in training that follow the saliency."""


@dataclasses.dataclass(frozen=True)
class StageConfig:
  """Length and optimizer of one stage."""

  epochs: float = 10.0
  """Passes over the training images."""
  warmup_epochs: float = 0.5
  """Passes over which the learning rate rises from 0."""
  learning_rate: float = 1e-3
  """Learning rate after the warm-up."""
  decay: Literal["cosine", "constant"] = "cosine"
  """What the learning rate does after the warm-up."""
  weight_decay: float = 1e-3
  """Decoupled weight decay."""
  cls_scale: float = 1.0
  """Factor on the classification loss."""
  average: float = 0.0
  """Decay of a moving average of weights and statistics, below 1, such as
  0.998; it is what is validated, saved and used. 0: the weights themselves."""


@dataclasses.dataclass(frozen=True)
class EvidenceOptions:
  """How regions are weighed."""

  regions: int = 8
  """Regions weighed per image and step, of one finding that it has; half of a
  batch's images are taken, those with a finding first."""
  crop: float = 1.0
  """Factor on the log-probability that the region's crop has the finding."""
  erase: float = 1.0
  """Factor on the log-probability that the image without the region has not."""
  saliency: float = 0.3
  """Factor on the score by the saliency in the region
  (`ops.saliency_scores`)."""
  area: float = 0.4
  """What a region pays: factor on the log of its share of the image."""
  scale: float = 2.5
  """Factor on all evidence; the higher, the sharper are the confidences."""
  score_weight: float = 0.05
  """Factor on the loss of the scores."""
  refine_weight: float = 1.0
  """Factor on the loss of the boxes."""
  overlap: float = 0.2
  """IoU from which on a proposal counts for the box of another one."""


@dataclasses.dataclass(frozen=True)
class AugmentConfig:
  """Ranges of the augmentation, drawn uniformly."""

  zoom: float = 0.1
  """Largest enlargement, as a fraction."""
  translate: float = 50 / 512
  """Largest shift either way, as a fraction of the image's side."""
  rotate: float = 10.0
  """Largest rotation either way, in degrees."""
  flip: bool = True
  """Whether half of the images are mirrored left and right."""
  shear: float = 0.0
  """Largest shear along x either way, in degrees."""
  contrast: float = 0.0
  """Largest logarithm of the factor on contrast either way; brightness moves
  by up to 64 grey values times this."""
  gamma: float = 0.0
  """Largest logarithm of the exponent on grey values either way."""
  noise: float = 0.0
  """Largest standard deviation of normal noise, in grey values of 0..255."""
  cut_out: float = 0.0
  """Largest side of a rectangle that half of the images lose, as a fraction
  of the image's side."""


@dataclasses.dataclass(frozen=True)
class Config:
  """All options of a run."""

  config: Literal["phantom", "own", "paper", "released", "nih_mini"] = "phantom"
  """Where the defaults of all other options come from."""
  stage: int = 3
  """Train up to this stage: 1, 2 or 3; another system has stage 1 alone."""
  system: str = "chexjax"
  """What is trained: our own model, or another system of docs/baselines.md."""
  workdir: pathlib.Path = pathlib.Path("runs/phantom")
  """Folder of checkpoints, logs and results; a run goes on from there."""
  data_dir: pathlib.Path | None = None
  """Folder in ChestX-ray14's layout, or with a labels.csv of its own; the
  phantom draws its own."""
  cache_dir: pathlib.Path = DEFAULT
  """Folder of drawn phantoms and built records; by default
  XDG_CACHE_HOME/chexjax, or without that variable ~/.cache/chexjax."""
  compilation_cache: bool = True
  """Whether compiled steps are kept in cache_dir."""
  init: str | None = None
  """Weights to start from: imagenet (both backbones, as the paper), released
  (the authors'), a path that chexjax predict takes, or none: scratch."""
  init_dir: pathlib.Path | None = None
  """Folder with the files of --init=imagenet or released; without it,
  imagenet is downloaded from the Hugging Face hub."""
  precision: Literal["float32", "tf32", "bfloat16"] = "float32"
  """How convolutions are multiplied: float32 is float32 on every device; tf32
  keeps about 10 bits, as an accelerator multiplies float32 quickly, and is
  float32 on a CPU; bfloat16 is half as large too. Parameters, boxes and losses
  stay float32."""
  remat: bool = False
  """Whether the gradient computes the DenseNet's blocks again: less memory,
  more time."""
  seed: int = 0
  """Seed of initialisation, shuffling, augmentation and sampling."""
  image_size: int = 512
  """Side of the images, in pixels: 64, 128, 256, 512 or 1024."""
  batch_size: int = 8
  """Images per step, over all devices."""
  eval_batch_size: int = 8
  """Images per batch of an evaluation."""
  max_steps: int | None = None
  """Steps per stage, instead of its epochs."""
  min_steps: int = 0
  """Steps of a stage at least, however few images its epochs are of."""
  eval_every_epochs: float = 1.0
  """Passes between evaluations on the validation split."""
  save_every: int = 1000
  """Steps between checkpoints; every evaluation is saved too."""
  log_every: int = 50
  """Steps between rows of metrics."""
  coordinator: str | None = None
  """HOST:PORT of the first process, where several processes are one run; auto
  on a TPU pod and under SLURM."""
  num_processes: int | None = None
  """Processes of the run, where coordinator does not know."""
  process_id: int | None = None
  """This process's number, from 0, where coordinator does not know."""
  on_nan: Literal["stop", "skip"] = "stop"
  """What a step does whose loss or gradients are NaN or infinite: stop the run
  with a dump of its batch, or change nothing and be counted."""
  max_nan: int = 10
  """Steps of a stage that --on_nan=skip skips before it stops the run; counted
  anew when a run goes on."""
  num_examples: int = 2
  """Examples drawn per boxed finding after the evaluation; with 0 there is none
  in TensorBoard either."""
  phantom_images: int = 4000
  """Images of the phantom, over all splits."""
  phantom_seed: int = 0
  """Seed of the phantom's images, so that several --seed train on the same."""
  tau_start: float = 1.0
  """Temperature of the region sampler's gradient at the start of stage 2; not
  read under --detection_loss=evidence, which has no such gradient."""
  tau_end: float = 1e-3
  """Temperature at the end of stage 3; falls exponentially."""
  class_total: Literal["images", "labels"] = "images"
  """What a finding's frequency is divided by: images (paper) or label
  occurrences with No Finding (released)."""
  class_balance: Literal["paper", "root"] = "paper"
  """How much findings weigh in the losses: as the paper's weights have it, a
  frequent one much more than a rare one; or root, both weights of a finding
  divided by the root of P (1 - P), P its frequency."""
  finding_factor: float = 1.0
  """How much a film with any finding weighs in the losses, of one without:
  above 1 the model learns to tell findings from each other rather than ill
  from healthy."""
  maps: Literal["paper", "released"] = "paper"
  """Which detection and final map, and which thresholds, are evaluated."""
  detection_loss: Literal["crop", "evidence"] = "crop"
  """What scores and boxes learn from: the crops' loss through the
  straight-through estimator (paper), or the evidence for each region."""
  evidence: EvidenceOptions = dataclasses.field(default_factory=EvidenceOptions)
  """How regions are weighed under --detection_loss=evidence."""
  detection_factor: float = 1.0
  """Factor on the learning rate of the detection head."""
  adam_b2: float = 0.999
  """Decay of Adam's second moment."""
  adam_eps: float = 1e-8
  """Adam's epsilon."""
  model: ModelConfig = ModelConfig()
  augment: AugmentConfig = AugmentConfig()
  stage1: StageConfig = StageConfig()
  stage2: StageConfig = StageConfig()
  stage3: StageConfig = StageConfig(learning_rate=3e-4)
  train_share: float = 1.0
  """Share of the training patients whose films are trained on, for a learning
  curve; drawn by the seed, and a smaller share is part of a larger one."""
  box_folds: int = 5
  """Folds that the patients of boxed test films are divided into; read by
  li2018_like_boxes, which is trained on the boxes of all folds but one."""
  box_fold: int = 1
  """The fold whose boxed films are scored and not trained on, from 1."""
  uncertain: Literal["ignore", "positive", "negative"] = "ignore"
  """What a label of -1 is in a set of one's own: ignore leaves it out of
  losses and figures, as an empty label always is."""
  shape: Literal["squeeze", "letterbox"] = "squeeze"
  """How a film of one's own that is not square becomes a square: squeeze
  scales both sides to it, as the paper; letterbox keeps the aspect ratio and
  fills up with black."""
  read: MapOptions = dataclasses.field(default_factory=MapOptions)
  """How the test split's probabilities and maps are averaged and placed."""
  more_data: tuple[pathlib.Path, ...] = ()
  """Further folders as data_dir, joined to it; each has findings of its own,
  which are not known of the other folders' films."""


def as_json(config: Config) -> dict[str, Any]:
  """Return the configuration as plain JSON values: paths are strings."""
  return json.loads(json.dumps(dataclasses.asdict(config), default=str))


def as_markdown(config: Config) -> str:
  """Return the configuration as a block of code in Markdown."""
  text = json.dumps(as_json(config), indent=2)
  return "\n".join(f"    {line}" for line in text.splitlines())
