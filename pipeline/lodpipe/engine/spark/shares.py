"""The rows of a plan on their way from the sources to the statements.

Statements of one subject can come from rows of any partition. So each row that a select reads is
sent, with its subject and with what its terms need and no more, to the partition of its subject;
there the engine of one machine makes the statements or lines of all selects (nquads_writer.py,
run_plan.py), sorted and without doubles. Partitions are ranges of subjects, so their parts in order
are the whole.

    s                        n  _record  v0         v1
    <http://example.org/1>   0  17       Bad Tölz   1
    <http://example.org/1>   2  90       1          NULL

Spark does not see these rows. A task sorts them by subject and packs some hundreds into one cell,
with the first and the last subject beside it; for Java it would be work to unpack and pack each row.
A cell whose subjects are in several ranges goes to each of them, where the rest is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import columns_read, write_lines
from lodpipe.engine.results import Output
from lodpipe.engine.run_plan import failure_counts, make_statements, unite_statements
from lodpipe.engine.spark.kernel import Batches, Note, has_rows, query
from lodpipe.mapping.planning.plan import Join, Plan, Select, quote, text

if TYPE_CHECKING:
    import pyarrow as pa

_RECORD = quote("_record")
_TABLE = "shares"  # the rows of a partition, in the second step
_PIECE = 1 << 20  # bytes of lines in a row that goes back to Spark
_DECLARED = -1  # in place of the number of a select
_DECLARED_SQL = (
    "SELECT s, v0 AS p, v1 AS o, v2 AS g, _record AS record, CAST(NULL AS INTEGER) AS rule "
    f"FROM {_TABLE} WHERE n = {_DECLARED}"
)
_CHUNKS = 64  # chunks in a batch that goes to Spark
_SAMPLED = 16  # chunks of which the first subject of one is reported
_HEAD = 20_000  # rows in which repeated rows are looked for
LEAST_WIDTH = 3  # that of declared statements
SENT = "first string, last string, rows long, chunk binary, note binary"
STATEMENTS = "s string, p string, o string, g string, record bigint, rule int"


class Share(Struct, frozen=True):
    """What a select takes from its rows; `columns` are those that its terms read, in the order in
    which they are sent.
    """

    number: int
    select: Select
    columns: tuple[str, ...]

    def sql(self, width: int) -> str:
        """The query for the rows that are sent."""
        cells = [f"{column} AS v{place}" for place, column in enumerate(self.columns)]
        cells += [f"CAST(NULL AS VARCHAR) AS v{place}" for place in range(len(cells), width)]
        listed = "".join(f", {cell}" for cell in cells)
        return (
            f"SELECT * FROM (SELECT {self.select.subject.sql} AS s, CAST({self.number} AS INTEGER) AS n, "
            f"{self.select.record} AS _record{listed} "
            f"FROM {self.select.source}) WHERE s IS NOT NULL"
        )

    def distinct_sql(self, width: int) -> str:
        """The same, with equal rows once, with their first record. Only for a share whose terms do
        not read the number of the record.
        """
        cells = "".join(f", v{place}" for place in range(width))
        return (
            f"SELECT s, n, min(_record) AS _record{cells} FROM ({self.sql(width)}) "
            f"GROUP BY s, n{cells}"
        )

    def received(self) -> Select:
        """The select over the rows that a partition has received. Its checks were made before."""
        cells = "".join(f", v{place} AS {column}" for place, column in enumerate(self.columns))
        source = f"(SELECT _record{cells} FROM {_TABLE} WHERE n = {self.number})"
        if self.select.join is not None:
            source = joined_rows(self.select, source)
        return replace(self.select, source=source, checks=(), join=None)


def share(number: int, select: Select) -> Share:
    """The share of a select; that of a join takes all terms of both sides."""
    columns = columns_read(select) if select.join is None else joined_columns(select)
    return Share(number, select, tuple(column for column in columns if column != _RECORD))


def joined_columns(select: Select) -> list[str]:
    """The columns of joined rows: the terms of the child, then those of the parent."""
    assert select.join is not None
    return [
        quote(f"{side.alias} {name.strip(chr(34))}")
        for side in (select.join.child, select.join.parent)
        for name in side.terms
    ]


def joined_terms(join: Join) -> list[str]:
    """The columns of joined rows, as they are selected from the pairs of a join."""
    terms = [
        f"{side.alias}.{name} AS {quote(f'{side.alias} {name.strip(chr(34))}')}"
        for side in (join.child, join.parent)
        for name in side.terms
    ]
    return [*terms, 'c."_record"']


def joined_rows(select: Select, source: str) -> str:
    """Joined rows as a relation in which the terms are found under the names of both sides."""
    assert select.join is not None
    fields = {
        side.alias: [
            f"{name}: {quote(f'{side.alias} {name.strip(chr(34))}')}" for name in side.terms
        ]
        for side in (select.join.child, select.join.parent)
    }
    fields["c"].append('"_record": _record')
    fields["p"].append('"no term": NULL')
    structs = ", ".join(f"{{{', '.join(items)}}} AS {alias}" for alias, items in fields.items())
    return f"(SELECT *, {structs} FROM {source})"


def bounds_of(chunks: Sequence[tuple[str, int]], parts: int) -> list[str]:
    """The subjects at which all ranges but the first begin: about as many rows in each range.

    `chunks` are the first subject and the number of rows of chunks, or of a sample of them.

    >>> bounds_of([("a", 10), ("b", 10), ("c", 10), ("d", 10)], 2)
    ['c']
    """
    total, rows = sum(rows for _, rows in chunks), 0
    bounds: list[str] = []
    for first, count in sorted(chunks):
        if rows * parts >= total * (len(bounds) + 1) and (not bounds or first > bounds[-1]):
            bounds.append(first)
        rows += count
    return bounds


def add_sample(samples: list[tuple[str, int]], number: int, first: str, rows: int) -> None:
    """Adds the first subject of a chunk with this number, or its rows to those of the last sample."""
    if number % _SAMPLED == 0:
        samples.append((first, rows))
    else:
        samples[-1] = (samples[-1][0], samples[-1][1] + rows)


def declared_chunks(
    statements: Sequence[Sequence[object]], width: int, chunk: int
) -> Iterator[pa.RecordBatch]:
    """Statements that come from no record (s, p, o, g, …) as chunks of rows that are sent."""
    import pyarrow as pa

    ordered = sorted(tuple(map(str, row[:4])) for row in statements)
    for start in range(0, len(ordered), chunk):
        rows = ordered[start : start + chunk]
        s, *cells = zip(*rows, strict=True)
        columns = {f"v{place}": pa.array(values, pa.string()) for place, values in enumerate(cells)}
        absent = {
            f"v{place}": pa.nulls(len(rows), pa.string()) for place in range(len(cells), width)
        }
        batch = pa.RecordBatch.from_pydict(
            {
                "s": pa.array(s, pa.string()),
                "n": pa.array([_DECLARED] * len(rows), pa.int32()),
                "_record": pa.nulls(len(rows), pa.int64()),
                **columns,
                **absent,
            }
        )
        yield _sent([(s[0], s[-1], len(rows), packed(batch), None)])


# -- on the executors ------------------------------------------------------------------------------


class SendRows(Struct, frozen=True):
    """The first step: the rows of all selects over one frame in chunks, and notes of failed checks.

    `counts` says whether the statements of each rule are counted, too; `chunk` is the number of rows
    of a chunk.
    """

    name: str
    shares: tuple[Share, ...]
    width: int
    counts: bool
    chunk: int

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """The rows of a partition."""
        failures: dict[int, tuple[int, ...]] = {}
        statements: dict[int, int] = {}
        samples: list[tuple[str, int]] = []
        if has_rows(engine, self.name):
            for item in self.shares:
                if item.select.checks:
                    (failures[item.number],) = engine.session.rows(failure_counts(item.select))
                if self.counts and item.select.parts:
                    self._count(engine, item, statements)
            yield from self._chunks(engine, samples)
        of_task = Note(failures=failures, statements=statements, samples=tuple(samples))
        yield _sent([(None, None, 0, None, note.packed()) for note in [*notes, of_task]])

    def _chunks(self, engine: Engine, samples: list[tuple[str, int]]) -> Batches:
        """The rows in the order of their subjects, so that a chunk has few of all subjects."""
        selects = [self._rows(engine, item) for item in self.shares if item.select.parts]
        if not selects:
            return
        sql = f"SELECT * FROM ({' UNION ALL '.join(selects)}) ORDER BY s"
        cells: list[tuple[str | None, str | None, int, bytes | None, bytes | None]] = []
        for number, rows in enumerate(query(engine, sql, self.chunk)):
            subjects = rows.column("s")
            first, last = subjects[0].as_py(), subjects[-1].as_py()
            cells.append((first, last, len(subjects), packed(rows), None))
            add_sample(samples, number, first, len(subjects))
            if len(cells) == _CHUNKS:
                yield _sent(cells)
                cells = []
        if cells:
            yield _sent(cells)

    def _rows(self, engine: Engine, item: Share) -> str:
        """The query for the rows of a share. Where many rows make the same few subjects, equal rows
        are sent once.
        """
        if _RECORD in columns_read(item.select):
            return item.sql(self.width)
        cells = ", ".join(["s", *(f"v{place}" for place in range(len(item.columns)))])
        source = f"(SELECT * FROM {item.select.source} LIMIT {_HEAD})"
        head = replace(item, select=replace(item.select, source=source)).sql(self.width)
        ((rows, distinct),) = engine.session.rows(
            f"SELECT count(*), count(DISTINCT row({cells})) FROM ({head})"
        )
        return item.distinct_sql(self.width) if distinct * 2 < rows else item.sql(self.width)

    def _count(self, engine: Engine, item: Share, statements: dict[int, int]) -> None:
        select = replace(item.select, join=None)
        (row,) = engine.session.rows(select.counts_sql)
        for (*_, number), count in zip(select.parts, row, strict=True):
            statements[number] = statements.get(number, 0) + count


class Chunks(Struct, frozen=True):
    """Loads chunks: of their rows those whose subjects are in the range of the partition."""

    bounds: tuple[str, ...]
    name: str = _TABLE

    def load(self, engine: Engine, batches: Batches, folder: Path) -> list[Note]:
        """Creates the table; it is not there without rows."""
        import pyarrow as pa

        rows = self._rows(batches)
        if (first := next(rows, None)) is None:
            return []
        place, batch = first
        reader = pa.RecordBatchReader.from_batches(
            batch.schema, chain([batch], (batch for _, batch in rows))
        )
        engine.session.connection.register("chunks", reader)
        limits = [f"s >= {text(self.bounds[place - 1])}"] if place else []
        limits += [f"s < {text(self.bounds[place])}"] if place < len(self.bounds) else []
        where = f" WHERE {' AND '.join(limits)}" if limits else ""
        engine.session.insert(f"CREATE TABLE {self.name} AS SELECT * FROM chunks{where}")
        engine.session.connection.unregister("chunks")
        return []

    def _rows(self, batches: Batches) -> Iterator[tuple[int, pa.RecordBatch]]:
        """The number of the range, and the rows of each chunk."""
        import pyarrow as pa

        for batch in batches:
            for place, chunk in zip(*batch.columns, strict=True):
                with pa.ipc.open_stream(chunk.as_buffer()) as stream:
                    for rows in stream:
                        yield place.as_py(), rows


def packed(rows: pa.RecordBatch) -> bytes:
    """Rows as the bytes of an Arrow stream, a third of their size: Java copies them several times."""
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_stream(sink, rows.schema, options=options) as stream:
        stream.write_batch(rows)
    return bytes(sink.getvalue())


def _sent(
    cells: list[tuple[str | None, str | None, int, bytes | None, bytes | None]],
) -> pa.RecordBatch:
    """Rows of SENT."""
    import pyarrow as pa

    kinds = (pa.string(), pa.string(), pa.int64(), pa.binary(), pa.binary())
    columns = [
        pa.array(column, kind) for column, kind in zip(zip(*cells, strict=True), kinds, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, ["first", "last", "rows", "chunk", "note"])


class WriteLines(Struct, frozen=True):
    """The second step for N-Quads or N-Triples: the lines of a partition.

    With a `folder` that driver and executors share, the task writes its part there itself, which
    saves a copy through Java; its rows are then the names of parts. Else its rows are pieces of
    whole lines, without the last line feed of each.
    """

    plan: Plan
    output: Output
    folder: str | None = None

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """The rows of a partition."""
        if not has_rows(engine, _TABLE):
            return
        if self.folder is not None:
            yield _text_batch(self._publish(engine, self.folder))
            return
        path = folder / "lines"
        write_lines(engine, self.plan, path, self.output)
        for piece in _pieces(path):
            yield _text_batch(piece)

    def _publish(self, engine: Engine, folder: str) -> bytes:
        """Writes the part, and gives its name; attempts of the same task write the same bytes."""
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        name = f"part-{context.partitionId():05}"
        attempt = Path(folder) / f".{name}-{context.taskAttemptId()}"
        write_lines(engine, self.plan, attempt, self.output)
        attempt.replace(Path(folder) / name)
        return name.encode()


def _text_batch(value: bytes) -> pa.RecordBatch:
    """A row with one text, which is not copied."""
    import pyarrow as pa

    offsets = pa.array([0, len(value)], pa.int32()).buffers()[1]
    column = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(value))
    return pa.RecordBatch.from_arrays([column], ["value"])


class MakeStatements(Struct, frozen=True):
    """The second step for the statement table; `declared` says whether declared statements are
    among the rows.
    """

    plan: Plan
    declared: bool = False

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """The statements of a partition in order."""
        if has_rows(engine, _TABLE):
            if self.declared:
                unite_statements(engine.session, self.plan, _DECLARED_SQL)
            else:
                make_statements(engine.session, self.plan, [])
            yield from query(engine, "SELECT s, p, o, g, record, rule FROM statements")


def _pieces(path: Path) -> Iterator[bytes]:
    """A file of lines in pieces of about a megabyte."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(_PIECE):
            head, end, tail = data.rpartition(b"\n")
            if end:
                yield rest + head
                rest = tail
            else:
                rest += data
    if rest:
        raise ValueError("a file of lines ends without a line feed")
