"""The tables of an SQLite file as rows of texts, for a proposal of declarations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin, SourceError

SUFFIXES = (".db", ".db3", ".sqlite", ".sqlite3")
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"


def sqlite_tables(path: Path, name: str) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The name and the rows of each table with rows; NULL and binary values have no cell. A file that is no
    database, or a damaged one, raises SourceError (LP106).
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            for (table,) in connection.execute(_TABLES).fetchall():
                quoted = '"' + table.replace('"', '""') + '"'
                cursor = connection.execute(f"SELECT * FROM {quoted}")
                columns = [column[0] for column in cursor.description]
                rows = [
                    {
                        column: str(cell)
                        for column, cell in zip(columns, row, strict=True)
                        if cell is not None and not isinstance(cell, bytes)
                    }
                    for row in cursor
                ]
                if rows:
                    yield table, rows
    except sqlite3.Error as error:
        finding = Finding("LP106", Origin(name), {"file": name, "detail": str(error)})
        raise SourceError([finding]) from None
