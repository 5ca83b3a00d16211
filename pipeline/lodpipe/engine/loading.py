"""Brings the record tables of a project into a session, and finds the file and line of a record.

A record's number has the number of its table in it (sources/record_tables.py), so that each table
here has the number of its place in the list. Files and queries that a mapping names itself are
added to the same list (relations.py).

    records.load([places])      # CREATE TABLE "places" (_record BIGINT, "id" VARCHAR, …)
    records.locate(0, "name")    # Origin("source/places.csv", 2, 4)
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.diagnostics.suggestions import nearest
from lodpipe.engine.file_scans import FileScan, parquet_columns
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote, text
from lodpipe.sources import Column, RecordTable, RowTable, ScanTable
from lodpipe.sources.file_records import SourceFile
from lodpipe.sources.record_declaration import FILE, POSITION
from lodpipe.sources.record_tables import first_record, header_name, table_number

_SMALL_TABLE = 100_000  # rows
_SMALL_FILES = 5_000_000  # bytes


class Located(Protocol):
    """A table whose records have places in files."""

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record, or of the value of one of its columns."""


class Records:
    """The record tables of a session, and the list of all tables that number records."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tables: list[Located] = []

    @property
    def next_number(self) -> int:
        """The number of the table that is added next."""
        return len(self._tables)

    def add(self, table: Located) -> int:
        """Adds a table that numbers records, and gives its number."""
        self._tables.append(table)
        return len(self._tables) - 1

    def replace(self, number: int, table: Located) -> None:
        """Puts a table in the place of the one with a number."""
        self._tables[number] = table

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record, or of the value of one of its columns."""
        return self._tables[table_number(record)].locate(record, column)

    def load(self, tables: Sequence[RecordTable]) -> list[Finding]:
        """Creates these tables in the session, and gives what could not be read."""
        findings: list[Finding] = []
        little = all(map(_is_little, tables))
        if tables and little:
            self._session.use_one_core()
        with self._session.light_planning() if little else contextlib.nullcontext():
            for table in tables:
                self.add(table)
                if isinstance(table, RowTable):
                    self._load_rows(table)
                else:
                    findings += self._load_files(table)
        if not self._session.is_small:
            self._session.use_all_cores()
        return findings

    def add_table(
        self, name: str, columns: Sequence[str], rows: Sequence[Sequence[str | None]]
    ) -> None:
        """A table of texts that are no records; queries of the mapping can use it."""
        self._session.create_table(name, dict.fromkeys(columns, "VARCHAR"), rows)

    def _load_rows(self, table: RowTable) -> None:
        names = (*(column.name for column in table.columns), *table.extra)
        columns = dict.fromkeys(names, "VARCHAR")
        self._session.create_table(
            table.name, {"_record": "BIGINT", "_parent": "BIGINT"} | columns, table.rows
        )

    def _load_files(self, table: ScanTable) -> list[Finding]:
        columns = "".join(f", {quote(column.name)} VARCHAR" for column in table.columns)
        self._session.rows(f"CREATE TABLE {quote(table.name)} (_record BIGINT{columns})")
        findings: list[Finding] = []
        for number, file in enumerate(table.files):
            try:
                findings += self._load_file(table, first_record(table.number, number), file)
            except InvalidData as error:
                findings += error.findings
        return findings

    def _load_file(self, table: ScanTable, first: int, file: SourceFile) -> list[Finding]:
        """Appends the rows of a file, and gives values that `values` does not have. Raises
        InvalidData.
        """
        name, path = file.name, self._session.readable(file.path)
        header = (
            table.headers[name]
            if name in table.headers
            else parquet_columns(self._session, path, name)
        )
        scan = FileScan(path, name, header)
        cells = "".join(f", {_cell(scan, column, file)}" for column in table.columns)
        insert = f"INSERT INTO {quote(table.name)} SELECT {first} + {scan.row_number}{cells} FROM "
        scan.run(lambda reader: self._session.insert(insert + reader), self._session.exchange)
        return [
            finding
            for column in table.columns
            if column.field.values is not None
            for finding in self._unmapped(table, scan, first, column, file)
        ]

    def _unmapped(
        self, table: ScanTable, scan: FileScan, first: int, column: Column, file: SourceFile
    ) -> Iterator[Finding]:
        """Cells whose text is not among those that `values` declares."""
        allowed = list(column.field.values or ())
        cell = _written(scan, column, file)
        listed = ", ".join(map(text, allowed))
        rows = f"SELECT * FROM (SELECT {first} + {scan.row_number} AS record, {cell} AS value FROM "
        wrong = f") WHERE value NOT IN ({listed}) ORDER BY record"
        for record, value in scan.run(
            lambda reader: self._session.rows(rows + reader + wrong), self._session.exchange
        ):
            params = {
                "key": column.name,
                "value": value,
                "allowed": ", ".join(allowed),
                "suggestion": nearest(value, allowed),
            }
            yield Finding("LP205", table.locate(record, column.name), params)


def _written(scan: FileScan, column: Column, file: SourceFile) -> str:
    """SQL for the text of a cell as the file has it, or its path."""
    sign = column.path[0]
    if not column.is_outside:
        return f"CAST({scan.cell(header_name(column))} AS VARCHAR)"
    if sign == FILE:
        return text(file.local)
    if sign == POSITION:
        return f"CAST({scan.row_number} + 1 AS VARCHAR)"
    captured = file.captures.get(sign[1:-1])
    return "NULL" if captured is None else text(captured)


def _cell(scan: FileScan, column: Column, file: SourceFile) -> str:
    """SQL for a cell: replaced by `values`, or the default."""
    cell, entry = _written(scan, column, file), column.field
    if entry.values is not None:
        cases = " ".join(
            f"WHEN {text(key)} THEN {'NULL' if value is None else text(value)}"
            for key, value in entry.values.items()
        )
        cell = f"CASE {cell} {cases} ELSE {cell} END"
    return cell if entry.default is None else f"coalesce({cell}, {text(entry.default)})"


def table_rows(
    session: Session, table: RecordTable
) -> Iterator[tuple[int, int | None, dict[str, str | None]]]:
    """The rows of a loaded table in the order of its files: number, that of the parent, and the
    text of each column.
    """
    names = [column.name for column in table.columns]
    if isinstance(table, RowTable):
        for record, parent, *cells in table.rows:
            texts = [None if cell is None else str(cell) for cell in cells[: len(names)]]
            yield (
                int(record or 0),
                None if parent is None else int(parent),
                dict(zip(names, texts, strict=True)),
            )
        return
    columns = "".join(f", {quote(name)}" for name in names)
    sql = f"SELECT _record{columns} FROM {quote(table.name)} ORDER BY _record"
    for number, *row in session.stream(sql):
        yield number, None, dict(zip(names, row, strict=True))


def _is_little(table: RecordTable) -> bool:
    """Whether one core is enough: by the number of rows, or by the size of files not read yet."""
    if isinstance(table, RowTable):
        return len(table.rows) < _SMALL_TABLE
    paths = (file.path for file in table.files)
    return sum(path.stat().st_size for path in paths if path.is_file()) < _SMALL_FILES
