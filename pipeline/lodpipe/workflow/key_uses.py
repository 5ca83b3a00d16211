"""Where the key of a record is: in the record itself, and in all that refer to it.

A table whose own key refers to another table shares the keys of that table, so that its records and
what refers to them belong to the same key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from lodpipe.diagnostics.finding import Origin
from lodpipe.documents.tree import Mapping as Map
from lodpipe.documents.tree import Node, Sequence
from lodpipe.sources import Column, RowTable, Table
from lodpipe.sources.record_declaration import KEY, PARENT
from lodpipe.workflow.record_rows import RecordRows


class KeyUse(Struct, frozen=True):
    """A cell that has a key: its table (of records or of a list), its column, the number of its row
    and its place.
    """

    table: str
    column: Column
    row: int
    where: Origin

    @property
    def source(self) -> str:
        """The sign of where the value comes from; empty where a key of the record has it."""
        return self.column.path[0] if self.column.is_outside else ""


def tables_of_key(declared: Mapping[str, Table], table: str) -> list[str]:
    """A table, and those that share its keys."""
    tables = [table]
    for name in tables:  # grows while it is read
        for other in declared.values():
            column = other.key_column
            if column and column.field.kind == "ref" and column.field.target == name:
                tables += [other.name] if other.name not in tables else []
    return tables


def key_columns(rows: RecordRows, tables: list[str]) -> Iterator[tuple[str, Column]]:
    """Every column whose values are keys of these tables, with the table that it is in."""
    for name, part in rows.tables.items():
        for column in part.columns:
            field = column.field
            is_key = name in tables and column.name == rows.declared[name].key
            if is_key or (field.kind == "ref" and field.target in tables):
                yield name, column


def uses_of(rows: RecordRows, tables: list[str], key: str) -> Iterator[KeyUse]:
    """The cells that have a key of these tables; those of a list that repeat a value of the record
    above (`_parent`) are not in a file, and left out.
    """
    for name, column in key_columns(rows, tables):
        if column.path[:1] != (PARENT,):
            for number in _rows_with(rows, name, column.name, key):
                where = rows.locate(name, number, column.name)
                yield KeyUse(name, column, number, where)


def _rows_with(rows: RecordRows, table: str, column: str, key: str) -> Iterator[int]:
    part = rows.tables[table]
    if not isinstance(part, RowTable):
        yield from (row.number for row in rows.rows(table) if row.cells.get(column) == key)
        return
    at = 2 + [item.name for item in part.columns].index(column)
    yield from (int(row[0] or 0) for row in part.rows if row[at] == key)


def place_of_map_key(root: Node, key: str, value: tuple[int, int]) -> tuple[int, int] | None:
    """The place of a key of a map whose value, or an item of it, is at that place.

    >>> from lodpipe.documents.readers import read_yaml
    >>> place_of_map_key(read_yaml("a:\\n  b: [c]\\n", ""), "b", (2, 7))
    (2, 3)
    """
    if isinstance(root, Map):
        inside = root.items.get(key)
        if inside is not None and value in _places(inside):
            return root.keys.get(key)
    several = root.items.values() if isinstance(root, Map) else ()
    if isinstance(root, Sequence):
        several = root.items  # type: ignore[assignment]  # nodes as well
    below = (place_of_map_key(node, key, value) for node in several)
    return next((place for place in below if place), None)


def _places(node: Node) -> set[tuple[int, int]]:
    items = node.items if isinstance(node, Sequence) else []
    return {(part.line, part.column) for part in (node, *items)}


__all__ = ["KEY", "KeyUse", "key_columns", "place_of_map_key", "tables_of_key", "uses_of"]
