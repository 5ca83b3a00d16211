"""How a CSV file is written: the dialect descriptions of CSV on the Web (tabular data model, 5).

Dialect(delimiter=";")                    # id;name
Dialect(header_rows=0)                    # no header: columns are _col.1, _col.2 …
Dialect(comment="#", skip_rows=2)         # two lines of a title, then rows and comments
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from msgspec import Struct

Trim = Literal["none", "both", "start", "end"]


class Dialect(Struct, frozen=True):
    """The signs and rows of a CSV file; a `quote` of nothing means that no cell is quoted.

    `escape` is what precedes a quote in a quoted cell: the quote itself, or a backslash.
    `skip_rows` are lines before the header, `header_rows` those of the header, of which the first
    names the columns. `columns` are names where there is no header.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    header_rows: int = 1
    skip_rows: int = 0
    skip_columns: int = 0
    comment: str = ""
    trim: Trim = "none"
    columns: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether the engine reads such rows itself; else it reads a copy with commas."""
        signs = (self.delimiter, self.quote, self.escape)
        plain = all(len(sign.encode()) <= 1 for sign in signs) and self.trim == "none"
        return plain and not self.comment and not self.skip_columns and self.header_rows <= 1

    def rows(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        """Each row with the number of its first line, the header included; empty lines are none.

        Raises csv.Error.
        """
        position = _Position(lines, self)
        for cells in self._reader(position):
            if cells:
                yield position.begin, self._trimmed(cells[self.skip_columns :])
            position.in_row = False

    def names(self, lines: Iterable[str]) -> list[str]:
        """The names of the columns."""
        first = next((cells for _, cells in self.rows(lines)), [])
        if self.columns:
            return list(self.columns)
        if self.header_rows:
            return first
        return [f"_col.{number}" for number in range(1, len(first) + 1)]

    def _reader(self, lines: Iterable[str]) -> Any:
        csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
        doubled = self.escape == self.quote
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            doublequote=doubled,
            escapechar=None if doubled or not self.quote else self.escape,
        )

    def _trimmed(self, cells: list[str]) -> list[str]:
        if self.trim == "none":
            return cells
        strip = {"both": str.strip, "start": str.lstrip, "end": str.rstrip}[self.trim]
        return [strip(cell) for cell in cells]


COMMAS = Dialect()


class _Position:
    """Lines without those that are skipped, and the line on which the present row began.

    A line that continues a quoted cell (`in_row`) is no comment.
    """

    def __init__(self, lines: Iterable[str], dialect: Dialect) -> None:
        self.line, self.begin, self.in_row = 0, 0, False
        self._lines, self._dialect = iter(lines), dialect
        for _ in range(dialect.skip_rows):
            next(self._lines, None)
            self.line += 1

    def __iter__(self) -> Iterator[str]:
        comment = self._dialect.comment
        for text in self._lines:
            self.line += 1
            if comment and not self.in_row and text.startswith(comment):
                continue
            if not self.in_row:
                self.begin, self.in_row = self.line, True
            yield text


def row_text(cells: Sequence[str]) -> str:
    """A row as a plain CSV file has it.

    >>> row_text(["a", "", "d,e"])
    'a,,"d,e"\\n'
    """
    return ",".join(_quoted(cell) for cell in cells) + "\n"


def _quoted(cell: str) -> str:
    if any(sign in cell for sign in ',"\r\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
