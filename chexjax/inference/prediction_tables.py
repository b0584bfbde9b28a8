"""Records of films as tables: CSV, and Parquet a film and finding a row."""

import csv
import io
import itertools
import pathlib
from collections.abc import Iterable, Iterator
from typing import Any

from chexjax.extras import require
from chexjax.io import replacing

_ROWS = 512  # films in a row group, all that is in memory at a time
_FILM = ("file", "width", "height", "notes", "overlay", "raw")
_FINDING = (
  "probability", "score_cut", "predicted", "box_score", "threshold", "cut",
  "map",
)  # fmt: skip
_CORNERS = ("x1", "y1", "x2", "y2")


def csv_table(done: Iterable[dict]) -> str:
  """Return the content of `predictions.csv`.

  A box is given where the finding is predicted, and where nobody has chosen a
  score from which on it is.

  Args:
    done: records of films.
  """
  text = io.StringIO()
  rows = csv.writer(text, lineterminator="\n")
  rows.writerow(["file", "finding", "probability", "predicted", *_CORNERS])
  for film in done:
    for name, of in film["findings"].items():
      shown = of["predicted"] is not False and of["box"] is not None
      said = "" if of["predicted"] is None else int(of["predicted"])
      box = of["box"] if shown else [""] * 4
      rows.writerow(
        [film["file"], name, f"{of['probability']:.4f}", said, *box]
      )
  return text.getvalue()


def write_parquet(path: pathlib.Path, films: Iterable[dict]) -> None:
  """Write records of films, a few hundred in memory at a time.

  A row is a film and a finding: the film's fields, `finding`, the finding's
  fields, and its box as `x1`, `y1`, `x2`, `y2`, null where there is none.

  Args:
    path: of the file, which is there whole or not at all.
    films: records of films.

  Raises:
    ImportError: pyarrow is absent.
  """
  require("parquet", "pyarrow")
  import pyarrow as pa
  from pyarrow import parquet

  kinds = dict.fromkeys((*_FILM, *_FINDING, "finding", *_CORNERS), pa.float64())
  kinds |= dict.fromkeys(("file", "overlay", "raw", "map"), pa.string())
  kinds |= dict.fromkeys(("width", "height"), pa.int32())
  kinds |= {"finding": pa.string(), "predicted": pa.bool_()}
  schema = pa.schema(kinds | {"notes": pa.list_(pa.string())})
  rest = iter(films)
  with (
    replacing(path) as scratch,
    parquet.ParquetWriter(scratch, schema, compression="zstd") as writer,
  ):
    while some := list(itertools.islice(rest, _ROWS)):
      rows = [row for film in some for row in _rows(film)]
      writer.write_table(pa.Table.from_pylist(rows, schema))


def read_parquet(path: pathlib.Path) -> Iterator[dict]:
  """Yield the records that `write_parquet` has written, in their order.

  Raises:
    ImportError: pyarrow is absent.
    ValueError: the file is no such table; names it.
  """
  require("parquet", "pyarrow")
  import pyarrow as pa
  from pyarrow import parquet

  try:
    with parquet.ParquetFile(path) as file:
      for number in range(file.num_row_groups):
        rows = file.read_row_group(number).to_pylist()
        for _, of in itertools.groupby(rows, key=lambda row: row["file"]):
          yield _film(list(of))
  except (pa.ArrowInvalid, KeyError) as error:
    raise ValueError(f"{path} is no table of predictions: {error}") from error


def as_text(name: str) -> str:
  """Return a file's name as UTF-8 can hold it, which it need not be."""
  return name.encode("utf-8", "backslashreplace").decode()


def _rows(film: dict) -> Iterator[dict[str, Any]]:
  """Yield a row for each finding."""
  whole = {key: film[key] for key in _FILM} | {
    key: film[key] and as_text(film[key]) for key in ("file", "overlay", "raw")
  }
  for name, of in film["findings"].items():
    box = of["box"] or [None] * 4
    yield {
      **whole,
      "finding": name,
      **{key: of[key] for key in _FINDING},
      **dict(zip(_CORNERS, box)),
    }


def _film(rows: list[dict[str, Any]]) -> dict[str, Any]:
  """Return the record of a film from its rows."""
  record: dict[str, Any] = {key: rows[0][key] for key in _FILM}
  record["findings"] = {
    row["finding"]: {
      "box": None
      if row["x1"] is None
      else [row[corner] for corner in _CORNERS],
      **{key: row[key] for key in _FINDING},
    }
    for row in rows
  }
  return record
