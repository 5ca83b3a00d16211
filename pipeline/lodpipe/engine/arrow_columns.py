"""Rows of numbers and texts on their way into the engine, as Arrow has them: the engine takes
columns ten times faster than rows.

    with registered(connection, {"_record": "BIGINT", "name": "VARCHAR"}, [[0, "Ann"], [1, None]]):
        connection.execute(f"CREATE TABLE people AS SELECT * FROM {ROWS}")
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

import _duckdb as duckdb

from lodpipe.engine.arrow_lists import Stream

ROWS = "rows_of_columns"
TYPES = ("BIGINT", "VARCHAR")


@contextlib.contextmanager
def registered(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, str],
    rows: Sequence[Sequence[Any]],
) -> Iterator[None]:
    """Lets queries of a connection read rows under the name ROWS; `columns` have types of TYPES."""
    import duckdb as _  # noqa: F401  # sets up what reads Arrow
    import nanoarrow as na

    names = [f"c{number}" for number in range(len(columns))]  # Arrow's names may not be alike
    types = {"BIGINT": na.int64(), "VARCHAR": na.large_string()}
    schema = na.struct(dict(zip(names, map(types.__getitem__, columns.values()), strict=True)))
    children = [
        _numbers(cells) if kind == "BIGINT" else _texts(cells)
        for cells, kind in zip(zip(*rows, strict=True), columns.values(), strict=True)
    ]
    structs = na.c_array_from_buffers(schema, len(rows), [None], children=children)
    connection.register(ROWS, Stream(structs))
    try:
        yield
    finally:
        connection.unregister(ROWS)


def _numbers(cells: Sequence[int | None]) -> Any:
    import nanoarrow as na

    numbers = array("q", [0 if cell is None else cell for cell in cells])
    return na.c_array_from_buffers(na.int64(), len(cells), [_present(cells), numbers])


def _texts(cells: Sequence[str | None]) -> Any:
    import nanoarrow as na

    encoded = [b"" if cell is None else cell.encode() for cell in cells]
    ends = array("q", accumulate(map(len, encoded), initial=0))
    buffers = [_present(cells), ends, b"".join(encoded)]
    return na.c_array_from_buffers(na.large_string(), len(cells), buffers)


def _present(cells: Sequence[object]) -> bytes | None:
    """A bit for each cell that has a value, the first in the lowest place; None where all have."""
    if None not in cells:
        return None
    size = -(-len(cells) // 8)
    bits = "".join("0" if cell is None else "1" for cell in reversed(cells))
    return int(bits, 2).to_bytes(size, "little")
