"""Files of lines in blocks of whole records, each of which a task reads as a file of its own.

Files are divided at so many bytes, and a split begins with the first line that begins in it. In
JSON Lines each line is a record. In CSV a cell in quotes may have line breaks, so a split can begin
inside of a record, and nothing in it says so. But each line has one state at its end for both
states at its begin, most often the same; so does each split, and the driver follows these states
from the first split of a file to its last. The records that begin in a split are a block.

| files | divided and read by |
|---|---|
| on a disk | lodpipe: a task reads the bytes of its blocks (disk_blocks.py) |
| in a store | Spark, which hands over the lines (store_blocks.py) |

Each block is a table of its own to the records of a run: the number of a record has the number of
its block in it, and the place of a record is looked for in its block alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame

Piece = bytes | memoryview

_TO_QUOTE = re.compile(rb'[^"]*(?:""[^"]*)*"(?!")')


class Block(Struct, frozen=True):
    """The records of a file that begin in one split.

    `file` is the place of the file in the list of files, `start` the byte at which the block or its
    split begins: 0 for the first of a file.
    """

    file: int
    start: int


class BlockReader(Protocol):
    """Gives a task the blocks of its partition."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, those of a file in order."""

    def read(self, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, Iterator[Piece]]]:
        """The place of each block in `blocks`, and its records in pieces of whole lines."""


class DividedFiles(Protocol):
    """Files of lines on the driver."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files in findings."""

    @property
    def data(self) -> DataFrame:
        """What tasks get."""

    @property
    def reader(self) -> BlockReader:
        """What they read it with."""

    def first_bytes(self, file: int) -> bytes:
        """The begin of a file, with its header."""

    def records_of(self, block: int) -> Iterator[Piece]:
        """The records of one block."""


class CountLines(Struct, frozen=True):
    """A kernel for `mapInArrow`: how many lines each block has."""

    reader: BlockReader

    schema = "block long, lines long"

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A row for each block."""
        import pyarrow as pa

        for block, pieces in self.reader.read(batches):
            lines = sum(bytes(piece).count(b"\n") for piece in pieces)
            yield pa.RecordBatch.from_pydict({"block": [block], "lines": [lines]})


def lines_with_quotes(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines with quotes, each with the place at which the next line begins.

    >>> list(lines_with_quotes(b'a\\n"b\\nc\\nd"'))
    [(5, b'"b\\n'), (9, b'd"')]
    """
    end = 0
    while (quote := data.find(b'"', end)) >= 0:
        start = max(data.rfind(b"\n", end, quote) + 1, end)
        end = (data.find(b"\n", quote) + 1) or len(data)
        yield end, data[start:end]


def ends(data: bytes, if_outside: bool = False, if_inside: bool = True) -> tuple[bool, bool]:
    """Whether lines of CSV end inside of a record, for both ways to begin, or for two states in
    which the lines before them have ended.

    >>> ends(b'a,b\\n'), ends(b'a,"b\\n'), ends(b'a,"b"\\n')
    ((False, True), (True, False), (False, False))
    """
    for _, line in lines_with_quotes(data):
        are_equal = if_outside == if_inside
        if_outside = ends_inside(line, inside=if_outside)
        if_inside = if_outside if are_equal else ends_inside(line, inside=if_inside)
    return if_outside, if_inside


def ends_inside(line: bytes, *, inside: bool) -> bool:
    """Whether a line of CSV ends inside of a cell in quotes (RFC 4180, and as DuckDB reads it).

    >>> ends_inside(b'a,"b', inside=False), ends_inside(b'b",c', inside=True)
    (True, False)
    >>> ends_inside(b'5" pipe,"a ""b"" c"', inside=False)
    False
    """
    at = 0
    while True:
        if inside or line.startswith(b'"', at):
            match = _TO_QUOTE.match(line, at if inside else at + 1)
            if match is None:
                return True
            at, inside = match.end(), False
        at = line.find(b",", at) + 1
        if not at:
            return False


def rest_of_record(pieces: Iterable[bytes]) -> int | None:
    """How many bytes of lines belong to a record that began before them; None: all, and it goes on.

    >>> rest_of_record([b'a\\n', b'b",c\\nd,e\\n']), rest_of_record([b"a\\n"])
    (7, None)
    """
    before = 0
    for data in pieces:
        for end, line in lines_with_quotes(data):
            if not ends_inside(line, inside=True):
                return before + end
        before += len(data)
    return None
