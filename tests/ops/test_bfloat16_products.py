"""What an accelerator rounds by default moves no box.

A TPU rounds the operands of a product to bfloat16 unless it is asked for the
highest precision. That is done here to all products but those of features:
convolutions, and the pooling of feature maps.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend import core
from small_models import random_variables, shapes_of, tiny_model

from chexjax import ops
from chexjax.inference.boxes import cut_box

SIZE = 256
LIMIT = 0.1  # pixels
KEY = jax.random.key(0)
FEATURES = ("convolution", "constant_product")  # primitives of our own


def multiplied_roughly(function, seen, only=None):
  """Returns a function that multiplies as a TPU does by default.

  Args:
    function: of arrays.
    seen: list that takes the scopes of the products that were rounded.
    only: scope of the one product to round; None for all.
  """

  def rounds(equation, scope):
    if equation.primitive.name not in ("dot_general", "conv_general_dilated"):
      return False
    if jax.lax.Precision.HIGHEST in (equation.params["precision"] or ()):
      return False
    seen.append(scope)
    return only in (None, scope)

  def run(*args):
    closed, shape = jax.make_jaxpr(function, return_shape=True)(*args)
    leaves = jax.tree.leaves(args)
    found = evaluate(closed.jaxpr, closed.consts, leaves, rounds)
    return jax.tree.unflatten(jax.tree.structure(shape), found)

  return run


def evaluate(jaxpr, consts, args, rounds, scope=""):
  """Evaluates a jaxpr with the operands of some products rounded."""
  values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*consts, *args]))

  def read(x):
    return x.val if isinstance(x, core.Literal) else values[x]

  for equation in jaxpr.eqns:
    inside = f"{scope}/{equation.source_info.name_stack}"
    given = list(map(read, equation.invars))
    values |= zip(equation.outvars, compute(equation, given, rounds, inside))
  return list(map(read, jaxpr.outvars))


def compute(equation, given, rounds, scope):
  """Computes one equation; looks into the functions that it calls."""
  primitive, params = equation.primitive, equation.params
  if rounds(equation, scope):
    given = [x.astype(jnp.bfloat16).astype(x.dtype) for x in given]
  inner = params.get("jaxpr", params.get("call_jaxpr"))
  if inner is not None and not primitive.name.startswith(FEATURES):
    consts = []
    if isinstance(inner, core.ClosedJaxpr):
      inner, consts = inner.jaxpr, inner.consts
    inside = functools.partial(
      evaluate, inner, consts, rounds=rounds, scope=scope
    )
    if primitive.name == "scan":
      return scan(inside, given, params)
    return inside(given)
  results = primitive.bind(*given, **params)
  return results if primitive.multiple_results else [results]


def scan(body, given, params):
  """Runs a scan over what its body's jaxpr computes."""
  fixed, carried = params["num_consts"], params["num_carry"]
  consts, rest = given[:fixed], given[fixed:]

  def step(carry, x):
    found = body([*consts, *carry, *x])
    return found[:carried], found[carried:]

  carry, stacked = jax.lax.scan(
    step,
    rest[:carried],
    rest[carried:],
    length=params["length"],
    reverse=params["reverse"],
  )
  return [*carry, *stacked]


def moves(function, args, read=lambda x: x):
  """Returns which products move a result by more than the limit, by pixels.

  Args:
    function: of arrays.
    args: its arguments.
    read: reads pixels from the result.
  """

  def shift(rounded):
    found = jax.jit(rounded)(*args)
    pairs = zip(*map(jax.tree.leaves, (read(exact), read(found))))
    return max(float(np.abs(np.subtract(a, b)).max()) for a, b in pairs)

  exact, seen = jax.jit(function)(*args), []
  if shift(multiplied_roughly(function, seen)) <= LIMIT:
    return {}
  alone = {
    scope: shift(multiplied_roughly(function, [], only=scope))
    for scope in set(seen)
  }
  return {scope: px for scope, px in alone.items() if px > LIMIT}


def ramp():
  """An image of its own coordinates, `[S, S, 2]`: x and y in pixels."""
  y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
  return np.stack([x, y], -1)


def random_boxes(count=30):
  rng = np.random.default_rng(0)
  corners = rng.uniform(0, SIZE, (2, count, 2)).astype(np.float32)
  return np.concatenate([corners.min(0), corners.max(0)], -1)


def cut(heat):
  """The box around the upper tenth of a map, in pixels of the image."""
  heat = np.asarray(heat)
  found = cut_box(heat, 0.9, size=SIZE, original=(SIZE, SIZE))["box"]
  return np.asarray(found)


def inner(image):
  """The image without its border, where a warped one fades."""
  return image[60:-60, 60:-60]


MATRIX = ops.augment_matrix(KEY, height=SIZE, width=SIZE)
BOXES = random_boxes()
SCORES = np.random.default_rng(1).normal(0, 2, len(BOXES)).astype(np.float32)
SIDES = {"height": SIZE, "width": SIZE}
# Name -> function, arguments, and how the result is read as pixels.
PLACES = {
  "affine_warp": (ops.affine_warp, (ramp(), MATRIX), inner),
  "boxes.warp": (functools.partial(ops.boxes.warp, **SIDES), (BOXES, MATRIX)),
  "crop_bilinear": (ops.crop_bilinear, (ramp(), BOXES[0])),
  "crop_gaussian": (ops.crop_gaussian, (ramp(), BOXES[0])),
  "detection_map": (
    functools.partial(ops.detection_map, **SIDES), (BOXES, SCORES), cut,
  ),
  "released_detection_map": (
    functools.partial(ops.released_detection_map, **SIDES), (BOXES, SCORES),
    cut,
  ),
  "vote_boxes": (ops.vote_boxes, (BOXES, jax.nn.softmax(SCORES))),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_no_product_of_an_op_moves_a_box(name):
  assert not moves(*PLACES[name])


def test_no_product_of_the_model_moves_a_box():
  model = tiny_model(crop="bilinear")
  variables = random_variables(shapes_of(model))
  images = jax.random.normal(KEY, (2, 64, 64, 3))

  def boxes(variables, images):
    found = model.apply(variables, images)[1]
    maps = jax.vmap(
      jax.vmap(functools.partial(ops.detection_map, height=64, width=64))
    )(found["proposal_boxes"], found["proposal_scores"])
    return found["picked_boxes"], found["proposal_boxes"], maps

  assert not moves(boxes, (variables, images))


def test_a_product_that_moves_pixels_is_named():
  grid = np.stack([ramp()[..., 0], ramp()[..., 1], np.ones((SIZE, SIZE))])

  def places(matrix, grid):
    with jax.named_scope("coordinates"):
      return jnp.tensordot(matrix, grid, 1)

  (scope,) = moves(places, (MATRIX, grid.astype(np.float32)))
  assert scope.endswith("coordinates")
