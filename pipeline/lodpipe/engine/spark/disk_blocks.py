"""Files of lines on a disk that all executors see: Spark hands over numbers, and tasks read bytes.

    partition   blocks                       read
    0           people.csv, 0 to 67108901    [0, 67108901)
    1           people.csv, to its end       [67108901, 120000000)

Lines that Spark reads cost several times as much: each is decoded, made a row with the name of its
file, and copied to Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from msgspec import Struct
from msgspec.structs import asdict

from lodpipe.engine.spark.text_blocks import Block, ends, rest_of_record

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

_PIECE = 1 << 20  # bytes
_SUFFIXES = (1 << 14, 1 << 18)  # bytes at the end of a split that most often say how it ends
_LARGEST_HEADER = 1 << 20  # bytes


class UnreadableFile(RuntimeError):
    """A task cannot read a file; its name and the reason."""


class Span(Block, frozen=True):
    """The bytes of a file to before `end`."""

    end: int


class Ends(Struct, frozen=True):
    """Where the records of a split begin, and how it ends.

    `outside` is the first line of the split, `inside` the first line behind the record that began
    before, both as bytes from the begin of the file; -1 where there is none in the split. The states
    say whether the split ends inside of a record, for both ways to begin.
    """

    file: int
    start: int
    outside: int
    inside: int
    if_outside: bool
    if_inside: bool


class SplitEnds(Struct, frozen=True):
    """A kernel for `mapInArrow`: the ends of splits. Without `csv` each line is a record."""

    paths: tuple[str, ...]
    splits: tuple[Span, ...]
    csv: bool

    schema = (
        "file long, start long, outside long, inside long, if_outside boolean, if_inside boolean"
    )

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """A row for each split."""
        import pyarrow as pa

        for number in _numbers(batches):
            split = self.splits[number]
            with _opened(self.paths[split.file]) as file:
                row = ends_of(file, split, csv=self.csv)
            yield pa.RecordBatch.from_pylist([asdict(row)])


class DiskBlocks(Struct, frozen=True):
    """Reads the blocks of a partition; `parts` are the blocks of each, by their places."""

    paths: tuple[str, ...]
    blocks: tuple[Span, ...]
    parts: tuple[tuple[int, ...], ...]

    def read(self, batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[int, Iterator[bytes]]]:
        """The blocks of the partitions whose numbers are in batches."""
        for number in _numbers(batches):
            for block in self.parts[number]:
                yield block, self.records_of(block)

    def records_of(self, block: int) -> Iterator[bytes]:
        """The records of a block. Raises UnreadableFile."""
        span = self.blocks[block]
        with _opened(self.paths[span.file]) as file:
            yield from _pieces(file, span.start, span.end)


class DiskFiles:
    """Files of a source on the driver; `files` are their paths and their names in findings."""

    def __init__(
        self, spark: SparkSession, files: Sequence[tuple[Path, str]], *, csv: bool
    ) -> None:
        self._paths = tuple(str(path) for path, _ in files)
        self.names = tuple(name for _, name in files)
        largest, least = _sizes(spark, sum(path.stat().st_size for path, _ in files), len(files))
        splits = [
            Span(number, start, min(start + largest, size))
            for number, (path, _) in enumerate(files)
            for size in [path.stat().st_size]
            for start in range(0, size, largest)
        ]
        spans = self._blocks(spark, splits, csv=csv)
        parts = _grouped([span.end - span.start for span in spans], largest, least)
        self.reader = DiskBlocks(self._paths, tuple(spans), parts)
        self.data = _partitions(spark, len(parts))

    def first_bytes(self, file: int) -> bytes:
        """The begin of a file, with its header."""
        with Path(self._paths[file]).open("rb") as stream:
            return stream.read(_LARGEST_HEADER)

    def records_of(self, block: int) -> Iterator[bytes]:
        """The records of one block."""
        return self.reader.records_of(block)

    def _blocks(self, spark: SparkSession, splits: list[Span], *, csv: bool) -> list[Span]:
        """The blocks of splits. Where no file is divided nothing has to be read for them."""
        if all(split.start == 0 for split in splits):
            return splits
        kernel = SplitEnds(self._paths, tuple(splits), csv)
        rows = _partitions(spark, len(splits)).mapInArrow(kernel, kernel.schema).collect()
        sizes = {split.file: split.end for split in splits}
        return blocks_of([Ends(*row) for row in rows], sizes)


def blocks_of(splits: Iterable[Ends], sizes: Mapping[int, int]) -> list[Span]:
    """The blocks of all splits of files of these sizes: the state at the end of each split is that
    at the begin of the next.
    """
    starts: dict[int, list[int]] = {file: [] for file in sizes}
    inside = False
    for split in sorted(splits, key=lambda split: (split.file, split.start)):
        inside = inside and split.start > 0
        if (start := split.inside if inside else split.outside) >= 0:
            starts[split.file].append(start)
        inside = split.if_inside if inside else split.if_outside
    return [
        Span(file, start, end)
        for file, listed in starts.items()
        for start, end in pairwise([*listed, sizes[file]])
    ]


def _partitions(spark: SparkSession, count: int) -> DataFrame:
    """A data frame whose partitions have their own number as their only row."""
    return spark.range(0, count, 1, max(1, count))


def _sizes(spark: SparkSession, total: int, files: int) -> tuple[int, int]:
    """The bytes of a split at most, and those that count for each file at least, by the settings of
    Spark for its own readers.
    """
    session: Any = spark
    settings = session._jsparkSession.sessionState().conf()
    least = int(settings.filesOpenCostInBytes())
    parts = int(spark.conf.get("spark.sql.files.minPartitionNum") or 1)
    share = (total + files * least) // parts
    return max(1, min(int(settings.filesMaxPartitionBytes()), max(least, share))), least


def _grouped(sizes: list[int], largest: int, least: int) -> tuple[tuple[int, ...], ...]:
    """Blocks in partitions, of which each has one block or several small ones.

    >>> _grouped([90, 3, 3, 90], 100, 5)
    ((0, 1, 2), (3,))
    """
    parts: list[list[int]] = []
    room = 0
    for block, size in enumerate(sizes):
        if not parts or room < size:
            parts.append([])
            room = largest
        parts[-1].append(block)
        room -= max(size, least)
    return tuple(map(tuple, parts))


# -- on the executors ------------------------------------------------------------------------------


def _numbers(batches: Iterator[pa.RecordBatch]) -> Iterator[int]:
    for batch in batches:
        yield from batch.column(0).to_pylist()


def _opened(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except OSError as error:
        raise UnreadableFile(f"{path}: {error.strerror or error}") from None


def _pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The bytes of a file in pieces of whole lines."""
    file.seek(start)
    rest = b""
    while start < end and (data := file.read(min(_PIECE, end - start))):
        start += len(data)
        head, line_feed, tail = data.rpartition(b"\n")
        if line_feed:
            yield rest + head + line_feed
            rest = tail
        else:
            rest += data
    if rest:
        yield rest


def _line_start(file: BinaryIO, at: int) -> int:
    """Where the first line that begins at a byte or behind it begins; the end of the file if none."""
    if at == 0:
        return 0
    file.seek(at - 1)
    file.readline()
    return file.tell()


def ends_of(file: BinaryIO, split: Span, *, csv: bool) -> Ends:
    """The ends of a split."""
    place = split.file, split.start
    first, last = _line_start(file, split.start), _line_start(file, split.end)
    if first == last:  # a line goes through all of it
        return Ends(*place, -1, -1, False, True)
    if not csv:
        return Ends(*place, first, -1, False, False)
    head = rest_of_record(_pieces(file, first, last)) if split.start else None
    inside = -1 if head is None or first + head == last else first + head
    return Ends(*place, first, inside, *_end_states(file, first, last))


def _end_states(file: BinaryIO, first: int, last: int) -> tuple[bool, bool]:
    """Whether lines end inside of a record, for both ways to begin.

    Where the last lines alone end in one state for both, the lines before them do not count.
    """
    states = False, True
    for size in _SUFFIXES:
        if last - size > first:
            file.seek(last - size)
            file.readline()
            states = ends(file.read(max(0, last - file.tell())))
            if states[0] == states[1]:
                return states
    states = False, True
    for piece in _pieces(file, first, last):
        states = ends(piece, *states)
    return states
