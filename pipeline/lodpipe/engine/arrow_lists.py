"""Lists of texts on their way into the engine, as Arrow has them.

batch = ListBatch(("c0", "c1"), [[["Ann"], []], [["Bo"], ["a", "b"]]])
with batch.registered(connection):
    batch.select({"c1"})            # SELECT c0[1] AS c0, c1 FROM batch
"""

from __future__ import annotations

import contextlib
from array import array
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any

import _duckdb as duckdb

_NAME = "batch"


Lists = Sequence[Sequence[str]]


class ListBatch:
    """Rows of lists of texts, one list for each column; texts in `nulls` are left out."""

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Lists],
        nulls: AbstractSet[str] = frozenset(),
    ) -> None:
        self._columns, self._rows = columns, rows
        read: list[Lists] = list(zip(*rows, strict=True)) if rows else [() for _ in columns]
        self.used = self._columns_with(1, read)
        self._lists = read
        if nulls:
            self._lists = [
                [[value for value in texts if value not in nulls] for texts in lists]
                for lists in read
            ]

    @cached_property
    def lists(self) -> frozenset[str]:
        """The columns in which a list has several texts."""
        return self._columns_with(2, self._lists)

    def _columns_with(self, least: int, read: Sequence[Lists]) -> frozenset[str]:
        return frozenset(
            column
            for column, lists in zip(self._columns, read, strict=True)
            if any(len(texts) >= least for texts in lists)
        )

    def select(self, lists: AbstractSet[str]) -> str:
        """The query for the batch, with single texts in all columns but those of lists."""
        cells = [
            column if column in lists else f"{column}[1] AS {column}" for column in self._columns
        ]
        return f"SELECT {', '.join(cells) or 'nothing'} FROM {_NAME}"

    @contextlib.contextmanager
    def registered(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Lets queries of a connection read the batch."""
        import duckdb as _  # noqa: F401  # sets up what reads Arrow

        connection.register(_NAME, Stream(self._structs()))
        try:
            yield
        finally:
            connection.unregister(_NAME)

    def _structs(self) -> Any:
        """The batch as one Arrow array; without columns its rows have a column `nothing`."""
        import nanoarrow as na

        columns = list(zip(self._columns, self._lists, strict=True))
        if not columns:
            columns = [("nothing", [()] * len(self._rows))]
        schema = na.struct({name: na.list_(na.large_string()) for name, _ in columns})
        children = [_arrow_lists(lists) for _, lists in columns]
        return na.c_array_from_buffers(schema, len(self._rows), [None], children=children)


class Stream:
    """An array as what the engine reads: it takes the stream once for each look at it."""

    def __init__(self, structs: Any) -> None:
        self._structs = structs

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        import nanoarrow as na

        return na.c_array_stream(self._structs).__arrow_c_stream__()


def _arrow_lists(lists: Sequence[Sequence[str]]) -> Any:
    import nanoarrow as na

    encoded = [text.encode() for texts in lists for text in texts]
    begins, ends = array("i", [0]), array("q", [0])
    count, size = 0, 0
    for texts in lists:
        count += len(texts)
        begins.append(count)
    for text in encoded:
        size += len(text)
        ends.append(size)
    texts = na.c_array_from_buffers(na.large_string(), count, [None, ends, b"".join(encoded)])
    return na.c_array_from_buffers(
        na.list_(na.large_string()), len(lists), [None, begins], children=[texts]
    )
