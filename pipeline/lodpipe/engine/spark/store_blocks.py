"""Files of lines in a store (`s3a://…`): only Spark can read them, so it divides them and hands over their lines.

A split is known by the hash of its file's address and the byte at which it begins. The rest of a
record that goes on in the next splits is read by one more pass, and sent with the block.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, reduce
from itertools import groupby
from typing import TYPE_CHECKING

from msgspec import Struct

from lodpipe.engine.spark.text_blocks import Block, Piece, ends, rest_of_record

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_ENDS = "file long, start long, if_outside boolean, if_inside boolean"
_HEADS = "file long, start long, head binary, closed boolean"
_SPLIT = ("file", "start", "value")  # what tasks read

Key = tuple[int, int]
"""A split by the hash of its file's address and the byte at which it begins."""


class StoreBlocks(Struct, frozen=True):
    """Reads blocks that Spark hands over as lines.

    `places` are the places of splits in `blocks`, `inside` the blocks whose split begins inside of a
    record, `tails` the rest of the last record of blocks where it is in the next splits.
    """

    blocks: tuple[Block, ...]
    places: dict[Key, int]
    inside: frozenset[int]
    tails: dict[int, bytes]

    def read(self, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, Iterator[Piece]]]:
        """The blocks of a partition."""
        for key, pieces in _by_split(batches):
            block = self.places[key]
            yield block, self._records(block, pieces)

    def _records(self, block: int, pieces: Iterator[memoryview]) -> Iterator[Piece]:
        yield from _without_head(pieces) if block in self.inside else pieces
        if block in self.tails:
            yield self.tails[block]


class StoreFiles:
    """Files of a source on the driver, by the addresses from which Spark lists them."""

    def __init__(self, spark: SparkSession, addresses: list[str], *, csv: bool) -> None:
        self._lines = _read_lines(spark, addresses)
        self._csv = csv
        self.names = tuple(input_files(self._lines))
        self.data = self._lines.select(*_SPLIT)

    @cached_property
    def reader(self) -> StoreBlocks:
        """What tasks read the lines with; it is made by a pass over them, and for CSV one over
        those with quotes.
        """
        from pyspark.sql import functions as f

        spark = self._lines.sparkSession
        hashes = spark.range(1).select(*(f.xxhash64(f.lit(file)) for file in self.names))
        files = {key: number for number, key in enumerate(hashes.collect()[0])}
        rows = self._lines.select("file", "start").distinct().collect()
        keys = sorted(((row.file, row.start) for row in rows), key=lambda k: (files[k[0]], k[1]))
        ends_of = _ends_by_split(self.data) if self._csv else {}
        begins_inside: set[int] = set()
        inside = False
        for place, key in enumerate(keys):
            if place and keys[place - 1][0] == key[0] and inside:
                begins_inside.add(place)
            inside = ends_of.get(key, (False, True))[place in begins_inside]
        return StoreBlocks(
            tuple(Block(files[file], start) for file, start in keys),
            {key: place for place, key in enumerate(keys)},
            frozenset(begins_inside),
            self._tails(keys, begins_inside),
        )

    def first_bytes(self, file: int) -> bytes:
        """The begin of a file, with its header."""
        from pyspark.sql import functions as f

        name = self.names[file]
        first = self._lines.where((f.col("address") == name) & (f.col("start") == 0))
        rows = first.select("value").limit(100).toArrow()
        return b"".join(_with_ends(chunk) for chunk in rows.column(0).chunks)

    def records_of(self, block: int) -> Iterator[Piece]:
        """The records of one block."""
        key = next(key for key, place in self.reader.places.items() if place == block)
        rows = self.data.where(f"file = {key[0]} AND start = {key[1]}").toArrow()
        for _, pieces in self.reader.read(iter(rows.to_batches())):
            yield from pieces

    def _tails(self, keys: list[Key], begins_inside: set[int]) -> dict[int, bytes]:
        """The rest of the records that go on in the next split."""
        if not begins_inside:
            return {}
        from pyspark.sql import functions as f

        of_split = reduce(
            lambda left, right: left | right,
            (
                (f.col("file") == file) & (f.col("start") == start)
                for file, start in (keys[place] for place in begins_inside)
            ),
        )
        heads = {
            (row.file, row.start): (bytes(row.head), row.closed)
            for row in self.data.where(of_split).mapInArrow(_heads, _HEADS).collect()
        }
        if len(heads) != len(begins_inside):
            raise RuntimeError("files were divided in another way when they were read again")
        tails: dict[int, bytes] = {}
        tail = b""
        for place in range(len(keys) - 1, -1, -1):
            is_inside = place in begins_inside
            head, closed = heads[keys[place]] if is_inside else (b"", True)
            if tail and closed:
                tails[place] = tail
            tail = (head if closed else head + tail) if is_inside else b""
        return tails


def _read_lines(spark: SparkSession, addresses: list[str]) -> DataFrame:
    """The lines of files with the split that each is in: file, start, value, address.

    Splits are as large as the number and the size of all files demand. If Spark knew that only some
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


def _ends_by_split(lines: DataFrame) -> dict[Key, tuple[bool, bool]]:
    """Whether each split with quotes ends inside of a record, for both ways to begin."""
    from pyspark.sql import functions as f

    quoted = lines.where(f.col("value").contains('"'))
    rows = quoted.mapInArrow(_both_ends, _ENDS).collect()
    return {(row.file, row.start): (row.if_outside, row.if_inside) for row in rows}


# -- on the executors ------------------------------------------------------------------------------


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Key, memoryview]]:
    """Consecutive lines of one split; a split may come in several of them."""
    import pyarrow.compute as pc

    for batch in batches:
        files, starts, values = batch.columns
        run_ends: set[int] = set()
        for column in (files, starts):
            run_ends |= set(pc.run_end_encode(column).run_ends.to_pylist())
        first = 0
        for end in sorted(run_ends):
            key = (files[first].as_py(), starts[first].as_py())
            yield key, _with_ends(values.slice(first, end - first))
            first = end


def _by_split(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[Key, Iterator[memoryview]]]:
    """Each split with all its lines."""
    for key, pieces in groupby(_runs(batches), key=lambda item: item[0]):
        yield key, (data for _, data in pieces)


def _both_ends(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Whether splits end inside of a record, for both ways to begin."""
    import pyarrow as pa

    for (file, start), pieces in _by_split(batches):
        states = False, True
        for data in pieces:
            states = ends(bytes(data), *states)
        yield pa.RecordBatch.from_pydict(
            {"file": [file], "start": [start], "if_outside": [states[0]], "if_inside": [states[1]]}
        )


def _heads(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The lines of splits that belong to a record which began before them."""
    import pyarrow as pa

    for (file, start), pieces in _by_split(batches):
        head, closed = b"", False
        for data in map(bytes, pieces):
            if not closed:
                rest = rest_of_record([data])
                head += data[:rest]
                closed = rest is not None
        yield pa.RecordBatch.from_pydict(
            {"file": [file], "start": [start], "head": [head], "closed": [closed]}
        )


def _without_head(pieces: Iterator[memoryview]) -> Iterator[memoryview]:
    """The lines of a split behind those that belong to a record of the splits before."""
    for data in pieces:
        rest = rest_of_record([bytes(data)])
        if rest is not None:
            yield data[rest:]
            yield from pieces


def _with_ends(values: pa.Array) -> memoryview:
    """Lines as bytes, each with its line feed."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(values):
        return memoryview(b"")
    texts = values.cast(pa.large_string()).view(pa.large_binary())
    joined = pc.binary_join_element_wise(
        texts, pa.scalar(b"", pa.large_binary()), pa.scalar(b"\n", pa.large_binary())
    )
    offsets = memoryview(joined.buffers()[1]).cast("q")
    first = joined.offset
    return memoryview(joined.buffers()[2])[offsets[first] : offsets[first + len(joined)]]
