"""Objects of Python as logical sources: tables of Arrow, Polars and pandas, and plain dicts.

An object takes the place of each logical source with its name: the path of a file, or the name of
a table. For `sources={"people": frame}` and the references `id` and `tags`, a list of texts:

    SELECT CAST(CAST("id" AS VARCHAR) AS VARCHAR) AS "c0", … AS "c0 type",
           list_transform("tags", lambda item: …) AS "c1", … AS "c1 type"
    FROM "people"       -- the engine reads the buffers of the table where they are

Queries of the mapping can name the tables, too. Dicts and lists are read as JSON, and so is a table
under a reference formulation whose references are paths.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import _duckdb as duckdb
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.engine.json_relation import JsonReader
from lodpipe.engine.loading import Records
from lodpipe.engine.sql_session import Session, first_line
from lodpipe.engine.typed_columns import list_column, text_column, typed_column
from lodpipe.engine.work_tables import WorkTables
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import Relation, numbered, quote, text
from lodpipe.sources.file_tables import FileTable
from lodpipe.sources.record_tables import ROW_BITS

_FLOATS = ("FLOAT", "DOUBLE")
_PATHS = ("json", "jsonl", "yaml")
_WANTED = "a table of Arrow, Polars or pandas, a dict, or a list of dicts is expected"


@dataclass
class MemoryTable(FileTable):
    """An object as a table of records, which has rows instead of lines."""

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The row of a record, counted from 1 as lines are, with the name of the column."""
        row = record & ((1 << ROW_BITS) - 1)
        return Origin(self.name, row + 1, field=column or "")


class MemorySources:
    """The objects of a session by name."""

    def __init__(self, session: Session, tables: WorkTables, objects: Mapping[str, object]) -> None:
        self._session, self._tables = session, tables
        self._trees = {name: item for name, item in objects.items() if _is_tree(item)}
        self._names = set(objects)
        findings: list[Finding] = []
        for name in sorted(self._names - self._trees.keys()):
            try:
                self._register(name, objects[name])
            except (duckdb.Error, TypeError, ValueError) as error:
                findings.append(_wrong(name, f"{_kind(objects[name])}; {_WANTED}", error))
        if findings:
            raise InvalidDeclaration(findings)

    def __contains__(self, source: LogicalSource) -> bool:
        """Whether an object takes the place of a source."""
        return source.kind not in ("query", "sql") and source.text in self._names

    def relation(
        self, source: LogicalSource, references: tuple[str, ...], records: Records
    ) -> Relation:
        """The rows of an object; `records` number them. Raises InvalidDeclaration (LP601)
        for objects with values that are no data, InvalidData for trees that cannot be followed.
        """
        table = MemoryTable(
            object_name(source.text), records.next_number, Path(), source.kind, source.origin
        )
        records.add(table)
        if source.text not in self._trees and source.kind not in _PATHS:
            return self._columns(source.text, table, references)
        path = self._session.exchange / "object.json"
        try:
            self._write_json(source.text, path)
            table.path, table.kind = path, "json"
            table.iterator = source.iterator or self._records_of(source.text)
            return self._followed(table, source, references)
        finally:
            path.unlink(missing_ok=True)

    def _register(self, name: str, item: object) -> None:
        """Makes a table known to the engine by its name; rows that can be read only once are read
        now.
        """
        import_module("duckdb")  # its readers of Arrow and of pandas are not part of _duckdb
        connection = self._session.connection
        if hasattr(item, "read_next_batch"):
            connection.register("only once", item)
            self._session.insert(f'CREATE TABLE {quote(name)} AS SELECT * FROM "only once"')
            connection.unregister("only once")
        else:
            connection.register(name, _readable(item))
            ((rows,),) = self._session.rows(f"SELECT count(*) FROM {quote(name)}")
            self._session.row_count += rows

    def _columns(self, name: str, table: MemoryTable, references: tuple[str, ...]) -> Relation:
        """The columns that are referred to, as texts with their types."""
        types = self._types(name)
        names = numbered(references)
        typed = any(types.get(reference, "VARCHAR") != "VARCHAR" for reference in references)
        many = frozenset(name for name in references if _is_list(types.get(name)))
        cells = [
            list_column(quote(reference), types[reference], column)
            if reference in many
            else (typed_column if typed else text_column)(
                quote(reference), types.get(reference), column
            )
            for reference, column in names.items()
        ]
        selected = ", ".join(cells) or "NULL AS nothing"
        sql = f"SELECT {selected} FROM {quote(name)}"
        relation = self._tables.create_records(sql, table.number)
        return Relation(relation, tuple(types), typed=typed, many=many, names=names)

    def _types(self, name: str) -> dict[str, str]:
        """The columns of a table with their SQL types."""
        described = self._session.rows(f"DESCRIBE SELECT * FROM {quote(name)}")
        return {row[0]: str(row[1]) for row in described}

    def _check_finite(self, name: str) -> None:
        """Raises InvalidDeclaration (LP601) for numbers that JSON has no form for."""
        floats = [column for column, type_ in self._types(name).items() if type_ in _FLOATS]
        for column in floats:
            infinite = f"SELECT 1 FROM {quote(name)} WHERE NOT isfinite({quote(column)}) LIMIT 1"
            if self._session.rows(infinite):
                detail = f"column `{column}` has NaN or infinite numbers, which JSON has no form for; refer to columns (reference formulation CSV)"
                raise InvalidDeclaration(
                    [Finding("LP601", None, {"detail": f"{object_name(name)}: {detail}"})]
                )

    def _followed(
        self, table: MemoryTable, source: LogicalSource, references: tuple[str, ...]
    ) -> Relation:
        """The values that references to a tree lead to: paths, or names of members."""
        is_path = source.kind in _PATHS
        reader = JsonReader(self._session, self._tables, table, source.plain)
        paths = {name: name if is_path else _member(name) for name in references}
        relation = reader.relation(tuple(paths.values()))
        return replace(
            relation,
            names={name: relation.names[path] for name, path in paths.items()},
            many=frozenset(name for name, path in paths.items() if path in relation.many),
            absent={
                name: relation.absent[path]
                for name, path in paths.items()
                if path in relation.absent
            },
        )

    def _records_of(self, name: str) -> str:
        """The iterator over an object where the mapping has none."""
        return "$" if isinstance(self._trees.get(name), Mapping) else "$[*]"

    def _write_json(self, name: str, path: Path) -> None:
        """Writes an object as a JSON document. Raises InvalidDeclaration (LP601)."""
        if name not in self._trees:
            self._check_finite(name)
            rows = f"SELECT * FROM {quote(name)}"
            self._session.rows(f"COPY ({rows}) TO {text(str(path))} (FORMAT json, ARRAY true)")
            return
        try:
            with path.open("w", encoding="utf-8") as file:
                json.dump(
                    self._trees[name], file, ensure_ascii=False, allow_nan=False, default=_plain
                )
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidDeclaration([_wrong(name, "a tree that is no JSON", error)]) from None


def _is_tree(item: object) -> bool:
    """Whether an object is read as JSON."""
    return isinstance(item, Mapping) or (
        isinstance(item, Sequence) and not isinstance(item, str | bytes)
    )


def _readable(item: Any) -> object:
    """An object as the engine reads it: frames as they are, all else as streams of Arrow."""
    if _module(item) in ("pandas", "polars", "pyarrow"):
        return item
    if hasattr(item, "__arrow_c_stream__"):
        return _Stream(item.__arrow_c_stream__)
    if hasattr(item, "__arrow_c_array__"):
        import nanoarrow

        return _Stream(
            lambda _: nanoarrow.c_array_stream(nanoarrow.c_array(item)).__arrow_c_stream__()
        )
    raise TypeError("it gives no Arrow data")


def _module(item: object) -> str:
    return type(item).__module__.partition(".")[0]


class _Stream:
    """Arrow data by a function alone, whatever else its object is: a relation of another connection
    to DuckDB would be refused.
    """

    def __init__(self, stream: Callable[[object | None], object]) -> None:
        self._stream = stream

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._stream(requested_schema)


def _is_list(sql_type: str | None) -> bool:
    """Whether a column has lists of plain values."""
    return bool(sql_type) and str(sql_type).endswith("]") and "(" not in str(sql_type).rstrip("[]")


def _member(name: str) -> str:
    """The path to a member of a record.

    >>> _member("first.name")
    "$['first.name']"
    """
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"$['{escaped}']"


def _plain(value: Any) -> object:
    """A value of a tree that JSON has no form for: numbers of NumPy are numbers; moments, exact
    numbers and UUIDs are texts. Raises TypeError for all else.
    """
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Decimal | UUID):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"a value of type {_kind(value)} has no form in JSON")


def _kind(item: object) -> str:
    return f"{type(item).__module__}.{type(item).__qualname__}".removeprefix("builtins.")


def object_name(name: str) -> str:
    """How findings name an object."""
    return f"sources[{json.dumps(name, ensure_ascii=False)}]"


def _wrong(name: str, what: str, error: BaseException) -> Finding:
    detail = f"{object_name(name)} is {what}: {first_line(error)}"
    return Finding("LP601", None, {"detail": detail})
