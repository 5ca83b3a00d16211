"""What a CSV file must be before the engine scans it: rows of a bounded length, one kind of line
end, cells that commas separate.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.documents.csv_dialect import COMMAS, Dialect, row_text
from lodpipe.documents.readers import is_conflict_marker, merge_conflict, read_text

# bytes; the engine loses a last row that is longer than its buffer, which is twice as long, and
# reports nothing
LONGEST_ROW = 16_777_216
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", ",": "commas"}


def long_row(path: Path, name: str) -> list[Finding]:
    """The first row that is so long that the engine might lose it (LP104), if any: one that fills a
    whole window of the longest row's length.

    Little is read of windows in which rows begin; of rows a little longer the engine itself reports
    the length.
    """
    if path.stat().st_size <= LONGEST_ROW:
        return []
    inside, place = False, 0
    with path.open("rb") as file:
        while len(window := file.read(LONGEST_ROW)) == LONGEST_ROW:
            if not _begins_row(window, inside=inside):
                return [too_long(name, _row_at(path, place))]
            inside ^= window.count(b'"') % 2 == 1
            place += LONGEST_ROW
    return []


def too_long(name: str, line: int) -> Finding:
    """The finding for a row that is longer than a row may be."""
    return Finding(
        "LP104", Origin(name, line), {"detail": "a row", "limit": f"{LONGEST_ROW:,} bytes"}
    )


def _begins_row(window: bytes, *, inside: bool) -> bool:
    """Whether a row begins in a part of a file that itself begins inside or outside of a quoted
    cell.
    """
    at = 0
    while True:
        quote = window.find(b'"', at)
        if not inside and any(
            window.find(end, at, quote if quote >= 0 else len(window)) >= 0
            for end in (b"\n", b"\r")
        ):
            return True
        if quote < 0:
            return False
        at, inside = quote + 1, not inside


def _row_at(path: Path, place: int) -> int:
    """The line on which the row begins that goes on at a place in the file."""
    line, at, begun, inside = 0, 0, 0, False
    with path.open("rb") as file:
        for text in file:
            if at > place:
                break
            line, at = line + 1, at + len(text)
            begun = begun if inside else line
            inside ^= text.count(b'"') % 2 == 1
    return begun


def other_separator(header: Sequence[str]) -> str | None:
    """The sign that separates cells where another should, if the header looks so."""
    return next(
        (words for sign, words in _SEPARATORS.items() if len(header) == 1 and sign in header[0]),
        None,
    )


def wrong_separator(name: str, header: Sequence[str], dialect: Dialect = COMMAS) -> Finding | None:
    """The finding for a file whose cells are separated by another sign than expected (LP102)."""
    separator = other_separator(header)
    if separator is None:
        return None
    expected = _SEPARATORS.get(dialect.delimiter, f"`{dialect.delimiter}`")
    detail = f"cells are separated by {separator}; {expected} are expected"
    return Finding("LP102", Origin(name, 1), {"format": "CSV", "detail": detail})


def has_mixed_ends(path: Path) -> bool:
    """Whether the lines of a file end in more than one way."""
    with path.open("rb") as file:
        data = file.read()
    pairs = data.count(b"\r\n")
    return (
        len(
            [
                count
                for count in (pairs, data.count(b"\n") - pairs, data.count(b"\r") - pairs)
                if count
            ]
        )
        > 1
    )


def with_commas(path: Path, name: str, target: Path, dialect: Dialect = COMMAS) -> Path:
    """A copy of a CSV file with commas and a header, in which all rows end alike; the line breaks
    inside quoted cells stay as they are.
    """
    with target.open("w", encoding="utf-8", newline="") as file:
        if not dialect.header_rows:
            file.write(row_text(["header"]))
        for number, (_, cells) in enumerate(_rows(path, name, dialect)):
            if not 0 < number < dialect.header_rows:  # further rows of the header
                file.write(row_text(cells))
    return target


def ragged_rows(
    path: Path, name: str, expected: int, dialect: Dialect = COMMAS, most: int = 20
) -> list[Finding]:
    """The CSV rows with too few or too many cells; the slow look that explains why the engine's
    scan failed.
    """
    findings: list[Finding] = []
    for line, cells in _rows(path, name, dialect):
        if len(cells) == 1 and is_conflict_marker(cells[0]):
            return [merge_conflict(Origin(name, line), cells[0])]
        if len(cells) != expected:
            findings.append(
                Finding(
                    "LP105",
                    Origin(name, line),
                    {"found": str(len(cells)), "expected": str(expected)},
                )
            )
        if len(findings) == most:
            break
    return findings


def _rows(path: Path, name: str, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Each row with its first line; what is no CSV to Python ends the rows, for the engine's own
    message says more.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from dialect.rows(file)
        except csv.Error:
            return
        except UnicodeDecodeError:
            read_text(path, name)
            raise
