"""Where the rows and cells of a CSV file stand, also behind quoted line breaks."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path


def row_of(path: Path, row: int) -> tuple[int, str]:
    """The line on which a CSV row begins, counted from 1, and its text; row 0 is the first after the header. Empty rows do not count."""
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        seen: list[str] = []

        def lines() -> Iterator[str]:
            for text in file:
                seen.append(text)
                yield text

        reader = csv.reader(lines())
        number, line = -1, 0  # the header is row -1
        for cells in reader:
            if cells and number == row:
                return line + 1, "".join(seen)
            number += bool(cells)
            line = reader.line_num
            seen.clear()
    return line, ""


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
