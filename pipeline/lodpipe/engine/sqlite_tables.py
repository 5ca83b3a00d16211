"""The tables of an SQLite file as rows of texts, for a proposal of declarations."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from lodpipe.diagnostics.finding import Finding, Origin, SourceError

SUFFIXES = (".db", ".db3", ".sqlite", ".sqlite3")
_MIDNIGHT = re.compile(r"\d{4}-\d\d-\d\d[ T]00:00:00(\.0+)?")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


class TableRows(NamedTuple):
    """The rows of a table, and the table that each column with a declared foreign key refers to."""

    name: str
    rows: list[dict[str, str]]
    references: dict[str, str]


def sqlite_tables(path: Path, name: str) -> Iterator[TableRows]:
    """The tables with rows; NULL and binary values have no cell, days with the time 00:00:00 are days. A file
    that is no database, or a damaged one, raises SourceError (LP106).
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            for (table,) in connection.execute(_TABLES).fetchall():
                quoted = '"' + table.replace('"', '""') + '"'
                keys = connection.execute(f"PRAGMA foreign_key_list({quoted})").fetchall()
                references = {key[3]: key[2] for key in keys}
                if rows := _rows(connection.execute(f"SELECT * FROM {quoted}")):
                    yield TableRows(table, rows, references)
    except sqlite3.Error as error:
        finding = Finding("LP106", Origin(name), {"file": name, "detail": str(error)})
        raise SourceError([finding]) from None


def _rows(cursor: sqlite3.Cursor) -> list[dict[str, str]]:
    columns = [column[0] for column in cursor.description]
    rows = [
        {
            column: str(cell)
            for column, cell in zip(columns, row, strict=True)
            if cell is not None and not isinstance(cell, bytes)
        }
        for row in cursor
    ]
    for column in columns:
        cells = [row[column] for row in rows if row.get(column)]
        if cells and all(map(_MIDNIGHT.fullmatch, cells)):
            for row in rows:
                if column in row:
                    row[column] = row[column][:10]
    return rows
