"""The tables of published sets: they are found, and their columns are there."""

import pathlib
from collections.abc import Iterator

from chexjax.data.columns import plain
from chexjax.data.faults import fault_text
from chexjax.data.tables import Table, read_table


def find_table(source: pathlib.Path, *names: str) -> pathlib.Path:
  """Return the first table of one of these names, in the folder or below.

  Args:
    source: the folder.
    *names: of the file, the preferred one first.

  Raises:
    FileNotFoundError: there is none; says where it was sought.
  """
  for name in names:
    if (source / name).is_file():
      return source / name
    found = sorted(p for p in source.glob(f"*/{name}") if p.is_file())
    if found:
      return found[0]
  raise FileNotFoundError(
    f"no {' or '.join(names)} in {source} or in a folder of it"
  )


def read_columns(
  path: pathlib.Path, *names: str, optional: tuple[str, ...] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
  """Yield number and cells, by column, of every line of a table.

  Args:
    path: of the table.
    *names: columns that must be there, in any case.
    optional: columns that may be there; without them their cells are empty.

  Raises:
    ValueError: the table or its header has a fault.
  """
  table = open_table(path, *names)
  places = {plain(name): i for i, name in enumerate(table.header)}
  wanted = {name: places.get(plain(name)) for name in (*names, *optional)}
  for number, cells in table.lines:
    yield (
      number,
      {n: "" if at is None else cells[at] for n, at in wanted.items()},
    )


def open_table(path: pathlib.Path, *names: str) -> Table:
  """Read a table that must have some columns.

  Args:
    path: of the table.
    *names: columns that must be there, in any case.

  Raises:
    ValueError: the table or its header has a fault.
  """
  faults: list[str] = []
  table = read_table(path, faults)
  if table is not None:
    known = {plain(name) for name in table.header}
    missing = [name for name in names if plain(name) not in known]
    if missing:
      faults.append(
        f"the header lacks {', '.join(missing)}; it is {list(table.header)}"
      )
  if faults or table is None:
    raise ValueError(fault_text(path, faults))
  return table


def numbers_of(
  cells: list[str], where: str
) -> tuple[float, float, float, float]:
  """Return a box's four numbers.

  Args:
    cells: four.
    where: of the line, for the message.

  Raises:
    ValueError: one is no number.
  """
  try:
    first, second, third, fourth = map(float, cells)
  except ValueError as error:
    raise ValueError(f"{where}: the box is {cells}, not 4 numbers") from error
  return first, second, third, fourth
