"""Positions of the rows and cells of a CSV file, also behind quoted line breaks."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any


def csv_reader(lines: Iterable[str]) -> Any:
    """Python's reader of CSV, for cells of any length that a row can hold; its own bound of 128 KiB
    is below that of a shape or a picture.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 1 << 30))
    return csv.reader(lines)


def row_of(path: Path, row: int) -> tuple[int, str]:
    """The line on which a CSV row begins, counted from 1, and its text; row 0 is the first after
    the header. Empty rows do not count.

    Rows that are asked for in order are found in one pass over the file.
    """
    state = path.stat()
    reading = _reading(path, (state.st_mtime_ns, state.st_size))
    if row < reading.number:
        _reading.cache_clear()
        reading = _reading(path, (state.st_mtime_ns, state.st_size))
    return reading.to(row)


class _Reading:
    """A CSV file, read as far as requested."""

    def __init__(self, path: Path) -> None:
        self.number, self.place = -2, (0, "")  # the header is row -1
        self._rows = self._places(path)

    def to(self, row: int) -> tuple[int, str]:
        while self.number < row:
            try:
                self.place = next(self._rows)
            except StopIteration:
                return self.place[0], ""
            self.number += 1
        return self.place

    def _places(self, path: Path) -> Iterator[tuple[int, str]]:
        with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
            seen: list[str] = []

            def lines() -> Iterator[str]:
                for text in file:
                    seen.append(text)
                    yield text

            reader, line = csv_reader(lines()), 0
            for cells in reader:
                if cells:
                    yield line + 1, "".join(seen)
                line = reader.line_num
                seen.clear()


@lru_cache(maxsize=4)
def _reading(path: Path, state: tuple[int, int]) -> _Reading:
    return _Reading(path)


def cell_of(text: str, cell: int) -> tuple[int, int]:
    """Lines below the row's first, and the column, of a cell in the text of a row.

    >>> cell_of('a,"b, b",c', 2), cell_of('a,"b\\nb",c', 2), cell_of("a", 5)
    ((0, 10), (1, 4), (0, 0))
    """
    line, column, quoted, number = 0, 1, False, 0
    for sign in text:
        if number == cell:
            return line, column
        if sign == '"':
            quoted = not quoted
        if sign == "," and not quoted:
            number += 1
        if sign == "\n":
            line, column = line + 1, 1
        else:
            column += 1
    return (line, column) if number == cell else (0, 0)
