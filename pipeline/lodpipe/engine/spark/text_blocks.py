"""Files of lines as Spark splits them: into blocks, each of which a task reads from its first line to its last.

A block of JSON Lines has whole records. In CSV a cell in quotes may have line breaks, so a block can
begin inside of a record; that part belongs to the block before it. Where each line is a whole record
if one begins with it, none does. In other files each block reports how it would end for both ways
to begin, and the driver follows them from the first block of a file to its last.

Each block is a table of its own to the records of a run: the number of a record has the number of
its block in it, and the place of a record is looked for in its block alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

# A line that is a whole record if one begins with it: cells with commas between them, each in
# quotes or without a quote at its begin (RFC 4180, and as DuckDB reads it).
_WHOLE = (
    r'^(?:"(?:[^"]|"")*"[^",]*|[^",][^,]*|)'
    r'(?:,(?:"(?:[^"]|"")*"[^",]*|[^",][^,]*|))*$'
)
_TO_QUOTE = re.compile(r'[^"]*(?:""[^"]*)*"(?!")')
_ENDS = "file long, start long, if_outside boolean, if_inside boolean"
_HEADS = "file long, start long, head binary, closed boolean"

BLOCK = ("file", "start", "value")  # what tasks read

Key = tuple[int, int]
"""A block by the hash of its file's address and the byte at which it begins."""


class Block(Struct, frozen=True):
    """A block of a file of lines.

    `file` is the place of the file in the list of files, `line` the number of the block's first
    line from 1, `inside` whether it begins inside of a record, `tail` the rest of its last record
    in the next blocks.
    """

    key: Key
    file: int
    line: int
    lines: int
    inside: bool = False
    tail: bytes = b""


def read_lines(spark: SparkSession, addresses: list[str]) -> DataFrame:
    """The lines of files with the block that each is in: file, start, value, address.

    Blocks are as large as the number and the size of all files demand. If Spark knew that only some
    files are wanted, it would read these alone, and divide them in another way; so the column with
    the file is made of a random number below one, rounded down, and Spark has to read them all.
    """
    from pyspark.sql import functions as f

    nothing = f.floor(f.rand())

    return (
        spark.read.option("lineSep", "\n")
        .text(addresses)
        .select(
            (f.xxhash64("_metadata.file_path") + nothing).alias("file"),
            f.col("_metadata.file_block_start").alias("start"),
            "value",
            f.col("_metadata.file_path").alias("address"),
        )
    )


def input_files(data: DataFrame) -> list[str]:
    """The files that a data frame reads, in order, as Spark spells them beside its rows."""
    return sorted(re.sub("^file:/+", "file:/", file) for file in data.inputFiles())


def blocks_of(lines: DataFrame, *, csv: bool) -> tuple[list[str], list[Block]]:
    """The addresses of files, and their blocks in order, by one pass over their lines, and one over
    those with quotes.
    """
    from pyspark.sql import functions as f

    files = input_files(lines)
    hashes = lines.sparkSession.range(1).select(*(f.xxhash64(f.lit(file)) for file in files))
    place = {key: number for number, key in enumerate(hashes.collect()[0])}
    scan = lines.groupBy("file", "start").agg(f.count(f.lit(1)).alias("lines"))
    rows = sorted(scan.collect(), key=lambda row: (place[row.file], row.start))
    ends = _ends(lines) if csv else {}
    blocks: list[Block] = []
    inside = False
    for row in rows:
        key, file = (row.file, row.start), place[row.file]
        last = blocks[-1] if blocks and blocks[-1].file == file else None
        inside = inside and last is not None
        blocks.append(Block(key, file, last.line + last.lines if last else 1, row.lines, inside))
        inside = ends.get(key, (False, True))[inside]
    return files, _with_tails(lines, blocks)


def _ends(lines: DataFrame) -> dict[Key, tuple[bool, bool]]:
    """Whether each block with quotes ends inside of a record, for both ways to begin."""
    from pyspark.sql import functions as f

    quoted = lines.where(f.col("value").contains('"')).select(*BLOCK)
    rows = quoted.mapInArrow(_both_ends, _ENDS).collect()
    return {(row.file, row.start): (row.if_outside, row.if_inside) for row in rows}


def _with_tails(lines: DataFrame, blocks: list[Block]) -> list[Block]:
    """The blocks with the rest of the records that go on in the next one."""
    inside = [block.key for block in blocks if block.inside]
    if not inside:
        return blocks
    from pyspark.sql import functions as f

    of_block = reduce(
        lambda left, right: left | right,
        ((f.col("file") == file) & (f.col("start") == start) for file, start in inside),
    )
    heads = {
        (row.file, row.start): (bytes(row.head), row.closed)
        for row in lines.where(of_block).select(*BLOCK).mapInArrow(_heads, _HEADS).collect()
    }
    if lost := set(inside) - set(heads):
        raise RuntimeError(f"{len(lost)} blocks were divided in another way when read again")
    result: list[Block] = []
    tail = b""
    for block in reversed(blocks):
        head, closed = heads.get(block.key, (b"", True))
        result.append(replace(block, tail=tail if closed else b""))
        tail = head if closed else head + tail
        if not block.inside:
            tail = b""
    return result[::-1]


# -- on the executors ------------------------------------------------------------------------------


def runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Key, pa.Array]]:
    """The values of consecutive lines of one block; a block may come in several of them."""
    import pyarrow.compute as pc

    for batch in batches:
        files, starts, values = batch.columns
        ends: set[int] = set()
        for column in (files, starts):
            ends |= set(pc.run_end_encode(column).run_ends.to_pylist())
        first = 0
        for end in sorted(ends):
            key = (files[first].as_py(), starts[first].as_py())
            yield key, values.slice(first, end - first)
            first = end


def by_block(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Key, Iterator[pa.Array]]]:
    """Each block with all its lines."""
    from itertools import groupby

    for key, pieces in groupby(runs(batches), key=lambda item: item[0]):
        yield key, (values for _, values in pieces)


def _both_ends(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Whether a block ends inside of a record, for both ways to begin.

    Most often both are in the same state after a few lines, and from there on they are one.
    """
    import pyarrow as pa

    for (file, start), pieces in by_block(batches):
        outside, inside = False, True
        for values in pieces:
            outside, inside = _ends_of(values, outside, inside)
        yield pa.RecordBatch.from_pydict(
            {"file": [file], "start": [start], "if_outside": [outside], "if_inside": [inside]}
        )


def _ends_of(lines: pa.Array, outside: bool, inside: bool) -> tuple[bool, bool]:
    for place, line in enumerate(lines):
        if outside == inside:
            end = _end_of(lines.slice(place), inside=outside)
            return end, end
        text = _characters(line)
        outside, inside = ends_inside(text, inside=outside), ends_inside(text, inside=inside)
    return outside, inside


def _end_of(lines: pa.Array, *, inside: bool) -> bool:
    """Whether lines with quotes end inside of a record."""
    import pyarrow.compute as pc

    if not inside and pc.all(pc.match_substring_regex(lines, _WHOLE)).as_py() is not False:
        return False
    for line in lines:
        inside = ends_inside(_characters(line), inside=inside)
    return inside


def _characters(line: pa.Scalar[Any]) -> str:
    """The bytes of a line as characters, valid UTF-8 or not: only quotes and commas count."""
    return bytes(line.as_buffer()).decode("latin-1")


def ends_inside(line: str, *, inside: bool) -> bool:
    """Whether a line of CSV ends inside of a cell in quotes.

    >>> ends_inside('a,"b', inside=False), ends_inside('b",c', inside=True)
    (True, False)
    >>> ends_inside('5" pipe,"a ""b"" c"', inside=False)
    False
    """
    at = 0
    while True:
        if inside or line.startswith('"', at):
            match = _TO_QUOTE.match(line, at if inside else at + 1)
            if match is None:
                return True
            at, inside = match.end(), False
        at = line.find(",", at) + 1
        if not at:
            return False


def _heads(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for (file, start), pieces in by_block(batches):
        head, closed = b"", False
        for values in pieces:
            if not closed:
                count, closed = _head(values)
                head += with_ends(values.slice(0, count))
        yield pa.RecordBatch.from_pydict(
            {"file": [file], "start": [start], "head": [head], "closed": [closed]}
        )


def _head(values: pa.Array) -> tuple[int, bool]:
    """How many lines belong to a record that began before them, and whether it ends with them."""
    for number, line in enumerate(values):
        if not ends_inside(_characters(line), inside=True):
            return number + 1, True
    return len(values), False


def without_head(pieces: Iterable[pa.Array]) -> Iterator[pa.Array]:
    """The lines of a block behind those that belong to a record of the block before."""
    closed = False
    for values in pieces:
        if closed:
            yield values
            continue
        count, closed = _head(values)
        yield values.slice(count)


def with_ends(values: pa.Array) -> bytes:
    """Lines as bytes, each with its line feed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(values):
        return b""
    texts = values.cast(pa.large_string()).view(pa.large_binary())
    joined = pc.binary_join_element_wise(
        texts, pa.scalar(b"", pa.large_binary()), pa.scalar(b"\n", pa.large_binary())
    )
    ends = memoryview(joined.buffers()[1]).cast("q")
    first = joined.offset
    return bytes(memoryview(joined.buffers()[2])[ends[first] : ends[first + len(joined)]])
