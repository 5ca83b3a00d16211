"""Positions of the rows and cells of a CSV file, also behind quoted line breaks."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from lodpipe.documents.csv_dialect import COMMAS, Dialect


def csv_reader(lines: Iterable[str]) -> Any:
    """Python's reader of CSV, for cells of any length that a row can hold; its own bound of 128 KiB
    is below that of a shape or a picture.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
    return csv.reader(lines)


def row_of(path: Path, row: int, dialect: Dialect = COMMAS) -> tuple[int, str]:
    """The line on which a CSV row begins, counted from 1, and its text; row 0 is the first after
    the header. Empty rows do not count.

    Rows that are asked for in order are found in one pass over the file.
    """
    state = path.stat()
    reading = _reading(path, dialect, (state.st_mtime_ns, state.st_size))
    if row < reading.number:
        _reading.cache_clear()
        reading = _reading(path, dialect, (state.st_mtime_ns, state.st_size))
    return reading.to(row)


class _Reading:
    """A CSV file, read as far as requested."""

    def __init__(self, path: Path, dialect: Dialect) -> None:
        self.number, self.place = -1 - dialect.header_rows, (0, "")  # row 0 follows the header
        self._rows = self._places(path, dialect)

    def to(self, row: int) -> tuple[int, str]:
        while self.number < row:
            try:
                self.place = next(self._rows)
            except StopIteration:
                return self.place[0], ""
            self.number += 1
        return self.place

    def _places(self, path: Path, dialect: Dialect) -> Iterator[tuple[int, str]]:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            last: deque[str] = deque()

            def lines() -> Iterator[str]:
                for text in file:
                    last.append(text)
                    yield text

            first = 1  # the line of what is in `last`
            for line, _ in dialect.rows(lines()):
                for _ in range(line - first):
                    last.popleft()
                first = line + len(last)
                yield line, "".join(last)
                last.clear()


@lru_cache(maxsize=4)
def _reading(path: Path, dialect: Dialect, state: tuple[int, int]) -> _Reading:
    return _Reading(path, dialect)


def cell_of(text: str, cell: int, dialect: Dialect = COMMAS) -> tuple[int, int]:
    """Lines below the row's first, and the column, of a cell in the text of a row.

    >>> cell_of('a,"b, b",c', 2), cell_of('a,"b\\nb",c', 2), cell_of("a", 5)
    ((0, 10), (1, 4), (0, 0))
    """
    line, column, quoted, number = 0, 1, False, 0
    for sign in text:
        if number == cell:
            return line, column
        if sign == dialect.quote:
            quoted = not quoted
        if sign == dialect.delimiter and not quoted:
            number += 1
        if sign == "\n":
            line, column = line + 1, 1
        else:
            column += 1
    return (line, column) if number == cell else (0, 0)
