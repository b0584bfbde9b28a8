"""The commands of `chexjax`, each a function of its arguments to a status."""

from chexjax.extras import require

require("predict", "tyro")
