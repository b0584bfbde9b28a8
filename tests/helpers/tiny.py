"""The options of a run as small as it goes."""

# The same for all, so that one test finds the programs of another: the number
# of steps is compiled into them.
STEPS = 6
TINY = [
  "--phantom_images=64",
  f"--max_steps={STEPS}",
  "--batch_size=4",
  "--num_examples=1",
  "--model.block_sizes", "1", "1",
  "--model.growth=4",
  "--model.stem=4",
  "--model.fpn_features=4",
  "--model.hidden=4",
  "--model.detection_features=4",
  "--model.roi_size=2",
  "--model.crop_size=8",
  "--model.crop_stages", "1",
  "--model.crop_width=4",
  "--model.crop_hidden=4",
]  # fmt: skip
# For a run with a --data_dir, which has no phantom.
TINY_OWN = [option for option in TINY if "phantom" not in option]
