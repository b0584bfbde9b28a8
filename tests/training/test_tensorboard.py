"""What TensorBoard's files hold, read back without TensorBoard."""

import io
import json
import struct

import jax
import numpy as np
import pytest
from PIL import Image
from small_models import random_variables, shapes_of
from tensorboardX.proto.event_pb2 import Event
from test_resume import MODEL

from chexjax.training import example_maps, schedules, setup
from chexjax.training.config import as_markdown
from chexjax.training.metrics_writer import MetricsWriter
from experiments.configs import CONFIGS


def events(folder):
  """Yields the events of all files, by name; checksums are skipped."""
  for path in sorted((folder / "tensorboard").iterdir()):
    data, at = path.read_bytes(), 0
    while at < len(data):
      (size,) = struct.unpack_from("<Q", data, at)
      yield Event.FromString(data[at + 12 : at + 12 + size])
      at += 12 + size + 4


def scalars(folder):
  return [
    (event.step, value.tag, value.simple_value)
    for event in events(folder)
    for value in event.summary.value
    if value.HasField("simple_value")
  ]


def write(folder, stage, before, steps, **more):
  writer = MetricsWriter(folder, stage=stage, before=before, **more)
  for step in steps:
    found = {"Cat": 0.75, "Dog": None}
    writer.write(step, {"loss": float(step), "auc": None, "auc_of": found})
  return writer


def test_all_stages_share_one_axis(tmp_path):
  write(tmp_path, 1, 0, (10, 20)).close()
  write(tmp_path, 2, 20, (10,)).close()
  write(tmp_path, 2, 20, (20,), start=10).close()
  found = scalars(tmp_path)
  losses = sorted((step, value) for step, tag, value in found if tag == "loss")
  assert losses == [(10, 10), (20, 20), (30, 10), (40, 20)]
  # Each finding is a curve of its own; what is undefined is no point.
  tags = {tag for _, tag, _ in found}
  assert tags == {"loss", "auc_of/Cat"}
  # A run that goes on takes back what it will write again.
  starts = [e.step for e in events(tmp_path) if e.HasField("session_log")]
  assert {1, 21, 31} <= set(starts)
  rows = (tmp_path / "metrics.jsonl").read_text().splitlines()
  assert json.loads(rows[2]) == {
    "stage": 2, "step": 10, "loss": 10.0, "auc": None,
    "auc_of": {"Cat": 0.75, "Dog": None},
  }  # fmt: skip


def test_pictures_and_the_configuration(tmp_path):
  config = CONFIGS["phantom"]
  writer = MetricsWriter(tmp_path, stage=2, before=5, about=as_markdown(config))
  picture = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
  writer.image(7, example_maps.TAG, picture)
  writer.close()
  values = [(e.step, v) for e in events(tmp_path) for v in e.summary.value]
  (text,) = [v for _, v in values if "config" in v.tag]
  told = text.tensor.string_val[0].decode()
  assert all(line.startswith("    ") for line in told.splitlines())
  assert json.loads(told)["phantom_images"] == config.phantom_images
  ((step, image),) = [(s, v.image) for s, v in values if v.HasField("image")]
  assert step == 12
  shown = Image.open(io.BytesIO(image.encoded_image_string))
  np.testing.assert_array_equal(np.asarray(shown), picture)


def test_what_the_schedules_gave_a_step():
  config = CONFIGS["phantom"]
  steps = {1: 100, 2: 40, 3: 60}
  first = schedules.scheduled(config, 1, steps, 1600)
  assert first(1).keys() == {"learning_rate"}
  last = schedules.scheduled(config, 3, steps, 1600)
  tau = schedules.tau_schedule(config, 3, steps)
  assert last(60)["tau"] == pytest.approx(float(tau(59)))
  # The rate rises from a part of it, since a step at 0 would change nothing.
  rates = [last(step)["learning_rate"] for step in range(1, 61)]
  assert 0 < rates[0] < rates[1]
  assert max(rates) == pytest.approx(config.stage3.learning_rate, rel=0.05)
  assert setup.make_tx(config, 3, 60, 1600) is not None


def test_the_films_that_are_shown_have_different_findings():
  labels = np.zeros((5, 6))
  labels[[0, 1, 2, 3, 4], [0, 1, 2, 3, 4]] = 1
  labels[4, 5] = np.nan
  boxes = np.full((5, 6, 4), np.nan)
  boxes[3, 3] = 1, 2, 3, 4
  shown = example_maps.choose(labels, boxes)
  assert [(s.row, s.finding) for s in shown] == [(3, 3), (0, 0), (1, 1), (2, 2)]
  assert shown[0].box.tolist() == [1, 2, 3, 4]
  assert [s.row for s in example_maps.choose(labels, None)] == [0, 1, 2, 3]
  assert example_maps.choose(np.zeros((3, 2)), None) == []


class Films:
  def __init__(self, fails=False):
    self._fails = fails

  def __len__(self):
    return 2

  def annotation(self, index):
    return {"labels": np.eye(2, dtype=np.uint8)[index]}

  def __getitem__(self, index):
    if self._fails:
      raise OSError("gone")
    rng = np.random.default_rng(index)
    image = rng.integers(0, 256, (32, 32, 1), dtype=np.uint8)
    return self.annotation(index) | {"image": image}


def examples(films, stage):
  return example_maps.ExampleMaps(
    MODEL, films, ["Cat", "Dog"], size=32, stage=stage, kind="paper"
  )


def test_maps_are_drawn_and_a_failure_costs_itself_alone(capsys):
  variables = random_variables(shapes_of(MODEL))
  before = jax.device_get(variables)
  first = examples(Films(), 1).draw(variables)
  assert first.dtype == np.uint8
  assert first.ndim == 3
  # The film and its saliency map; then detection and mix beside them.
  whole = examples(Films(), 3).draw(variables)
  assert whole.shape[1] > 1.5 * first.shape[1]
  assert whole.std() > 10
  jax.tree.map(np.testing.assert_array_equal, variables, before)
  lost = examples(Films(fails=True), 1)
  assert lost.draw(variables) is None
  assert lost.draw(variables) is None
  assert capsys.readouterr().err.count("no example maps in TensorBoard") == 1
