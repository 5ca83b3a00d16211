"""The rows of a CSV file with commas as they are written: cells with their quotes, and line ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lodpipe.documents.csv_dialect import row_text

_CELL = re.compile(r'"(?:[^"]|"")*"|[^,\r\n]*')
_END = re.compile(r"\r\n|\n|\r|\Z")


class NoCells(ValueError):
    """A text that is no CSV."""


class WrittenRow(NamedTuple):
    """The cells of a row, as they are written."""

    cells: list[str]

    @property
    def values(self) -> list[str]:
        """The cells without quotes."""
        return [value_of_cell(cell) for cell in self.cells]


def written_rows(text: str) -> list[WrittenRow]:
    """The rows of a text without a byte-order mark; empty lines are none. Raises NoCells."""
    rows: list[WrittenRow] = []
    at = 0
    while at < len(text):
        cells: list[str] = []
        while True:
            match = _CELL.match(text, at)
            assert match is not None  # of nothing, at least
            cells.append(match[0])
            at = match.end()
            if text[at : at + 1] != ",":
                break
            at += 1
        end = _END.match(text, at)
        if end is None:
            raise NoCells(cells[-1])
        if cells != [""]:
            rows.append(WrittenRow(cells))
        at = end.end()
    return rows


def value_of_cell(cell: str) -> str:
    """What a cell holds.

    >>> value_of_cell('"a ""b"" c"'), value_of_cell("a")
    ('a "b" c', 'a')
    """
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


def line_end(text: str) -> str:
    """The line end of a file: that of its first line."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def text_of_rows(rows: Iterable[Sequence[str]], end: str) -> str:
    """The text of rows of written cells."""
    return "".join(",".join(cells) + end for cells in rows)


def styled_csv(text: str) -> str:
    r"""The text of a CSV file (without a byte-order mark) with quotes only where they are needed, and
    one kind of line ends. Raises NoCells. A quoted empty cell stays.

    >>> styled_csv('a,"b"\r\n"1, 2",""')
    'a,b\r\n"1, 2",""\r\n'
    """
    rows = ([_styled(cell) for cell in row.cells] for row in written_rows(text))
    return text_of_rows(rows, line_end(text))


def _styled(cell: str) -> str:
    value = value_of_cell(cell)
    return row_text([value]).removesuffix("\n") if value else cell
