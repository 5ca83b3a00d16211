"""CSV and Parquet files as relations of texts, and findings for files that the engine cannot read.

A scan numbers the columns of its file, so that names of any spelling are safe. `people.csv` with
the header `id,Name` is

    read_csv('people.csv', columns = {h0: 'VARCHAR', h1: 'VARCHAR'}, header = true, …)

and the cells under `Name` are `h1`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import _duckdb as duckdb
from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin
from lodpipe.documents.csv_dialect import COMMAS, Dialect
from lodpipe.engine.sql_session import Session, first_line
from lodpipe.mapping.planning.plan import text
from lodpipe.sources.rows import (
    LONGEST_ROW,
    has_mixed_ends,
    long_row,
    ragged_rows,
    too_long,
    with_commas,
)

Result = TypeVar("Result")
# What the engine says of a file, and the same for its author.
_REASONS = {
    "unterminated quote": "a quoted cell is not closed, or text follows its closing quote; a quote inside is written twice",
    "requires at least a single column": "the file is empty; a header is expected",
}


class FileScan(Struct, frozen=True):
    """The scan of a file: `name` is its name in findings; `nulls` mean no value in CSV, where
    nothing is declared (None) an empty cell does.
    """

    path: Path
    name: str
    header: Sequence[str]
    nulls: tuple[str, ...] | None = None
    dialect: Dialect = COMMAS

    def cell(self, column: str) -> str:
        """The column with the cells under a name of the header; NULL for an unknown name."""
        return f"h{self.header.index(column)}" if column in self.header else "NULL"

    def run(self, query: Callable[[str], Result], exchange: Path) -> Result:
        """Calls `query` with the SQL of the scan. Raises InvalidData for errors in the file.

        `exchange` is a folder for a copy of a file that the engine refuses and we can read.
        """
        if self._is_parquet:
            try:
                return query(self._parquet_reader)
            except duckdb.Error as error:
                raise InvalidData([_parquet_finding(self.path, self.name, error)]) from None
        if not self.dialect.is_plain:
            return self._run_copy(query, exchange)
        if long := long_row(self.path, self.name):
            raise InvalidData(long)
        try:
            return query(self._csv_reader(self.path))
        except duckdb.Error as error:
            if ragged := ragged_rows(self.path, self.name, len(self.header), self.dialect):
                raise InvalidData(ragged) from None
            if has_mixed_ends(self.path):
                return self._run_copy(query, exchange)
            raise InvalidData([_csv_finding(self.name, error)]) from None

    def _run_copy(self, query: Callable[[str], Result], exchange: Path) -> Result:
        """For a file that the engine refuses, for instance because its lines end in two ways: it
        reads a copy with commas, a header and one kind of line end.
        """
        if ragged := ragged_rows(self.path, self.name, len(self.header), self.dialect):
            raise InvalidData(ragged)
        copy = with_commas(self.path, self.name, exchange / "rows.csv", self.dialect)
        try:
            return query(self._csv_reader(copy))
        except duckdb.Error as error:
            raise InvalidData([_csv_finding(self.name, error)]) from None
        finally:
            copy.unlink()

    @property
    def row_number(self) -> str:
        """SQL for the number of a row in its file, from 0."""
        return "file_row_number" if self._is_parquet else "row_number() OVER () - 1"

    @property
    def _is_parquet(self) -> bool:
        return self.path.suffix == ".parquet"

    @property
    def _columns(self) -> list[str]:
        return [f"h{number}" for number in range(len(self.header))]

    @property
    def _parquet_reader(self) -> str:
        path, columns = text(str(self.path)), ", ".join(self._columns)
        return f"read_parquet({path}, file_row_number = true) AS scan({columns})"

    @property
    def _nulls(self) -> str:
        if self.nulls == ():
            return f"force_not_null = [{', '.join(map(text, self._columns))}]"
        return f"nullstr = [{', '.join(map(text, self.nulls or ('',)))}]"

    def _csv_reader(self, path: Path) -> str:
        columns = ", ".join(f"{column}: 'VARCHAR'" for column in self._columns)
        dialect = self.dialect if path == self.path else COMMAS
        signs = f"delim = {text(dialect.delimiter)}, quote = {text(dialect.quote)}"
        escape = dialect.escape if dialect.quote else ""
        header = f"header = {str(dialect.header_rows > 0).lower()}, skip = {dialect.skip_rows}"
        return (
            f"read_csv({text(str(path))}, columns = {{{columns}}}, {header}, "
            f"auto_detect = false, {signs}, escape = {text(escape)}, {self._nulls}, "
            f"strict_mode = true, null_padding = false, "
            f"max_line_size = {LONGEST_ROW}, buffer_size = {2 * LONGEST_ROW})"
        )


def parquet_columns(session: Session, path: Path, name: str) -> list[str]:
    """The names of the columns of a Parquet file. Raises InvalidData where it is none."""
    try:
        rows = session.rows(f"DESCRIBE SELECT * FROM read_parquet({text(str(path))})")
    except duckdb.Error as error:
        raise InvalidData([_parquet_finding(path, name, error)]) from None
    return [row[0] for row in rows]


def _csv_finding(name: str, error: duckdb.Error) -> Finding:
    """The engine's own message for a file that it cannot read, at the line that it names."""
    message = str(error)
    match = re.search(r"Line: ([0-9]+)", message)
    line = int(match[1]) if match else 0
    if re.search("maximum line size|max_line_size", message, re.IGNORECASE):
        return too_long(name, line)
    parts = [part for part in message.split("\n") if part.strip() and "Error on Line" not in part]
    known = [words for sign, words in _REASONS.items() if sign in message]
    detail = (*known, *parts, first_line(error))[0]
    return Finding("LP102", Origin(name, line), {"format": "CSV", "detail": detail})


def _parquet_finding(path: Path, name: str, error: duckdb.Error) -> Finding:
    detail = first_line(error).replace(str(path), name)
    return Finding("LP102", Origin(name), {"format": "Parquet", "detail": detail})
