"""Validation on Apache Spark: it makes the parts (partitions.py), and each of its tasks validates
one in DuckDB, by the same code as a validation on one machine.

    report, whole = validate_on_spark(start("local[2]"), shapes, sources_of([Path("statements/")]), …)

What is wrong with data or shapes is no error of a task, which Spark would repeat: it is a row, which
the driver raises.
"""

from __future__ import annotations

import pickle
import re
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import _duckdb as duckdb
from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin
from lodpipe.shacl.data_graph import (
    PARTS,
    NeedsRdf12,
    Source,
    connect,
    load_lines,
    load_sources,
    located,
    marked_columns,
)
from lodpipe.shacl.partitions import (
    RESULTS,
    Parts,
    create_results,
    merged_report,
    parts,
    validate_part,
    validate_whole,
)
from lodpipe.shacl.placements import plan_shapes
from lodpipe.shacl.shapes_graph import ShapesGraph, Triple, read_model
from lodpipe.shacl.validation_report import Report

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

Batches = Iterator["pa.RecordBatch"]
_ROWS = 65_536  # of a batch that goes back to Spark
_TRIPLES = "s string, p string, o string"
_RESULTS = "part int, k int, focus string, value string, path string, messages string"
_PART = 100_000_000  # bytes of N-Triples in a part
_PACKED = {"nt": 1, "nq": 1, "parquet": 8}  # how many bytes of N-Triples a byte of a file is


def validate_on_spark(
    spark: SparkSession,
    shapes: ShapesGraph,
    sources: Sequence[tuple[Source, str]],
    connection: duckdb.DuckDBPyConnection,
    *,
    memory: str,
) -> tuple[Report, list[str]]:
    """The report on sources, each with the mark of its blank nodes; and the names of the shapes that
    cannot be divided, which are validated in the database of `connection`. `memory` is that of each
    task.

    Raises InvalidDeclaration (LP601) for files that Spark does not read line by line, and what a
    validation on one machine raises.
    """
    plan = plan_shapes(shapes)
    create_results(connection)
    with SparkTables(spark) as tables:
        count = tables.load(sources, memory)
        division = parts(tables, plan, count)
        tables.validate(division, shapes, memory, connection)
    if division.whole:
        load_sources(connection, sources)
        validate_whole(connection, plan, division.whole)
    whole = sorted({shape.name for shape, fs, _ in plan.roots if fs in division.whole})
    return merged_report(connection, plan), whole


class SparkTables:
    """Tables of a Spark session; a context manager that removes them."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self._stored: list[DataFrame] = []
        self._names: list[str] = []

    def __enter__(self) -> SparkTables:
        return self

    def __exit__(self, *_: object) -> None:
        for frame in self._stored:
            frame.unpersist()
        for name in self._names:
            self.spark.catalog.dropTempView(name)

    # -- tables ------------------------------------------------------------------------------------

    def store(self, select: str) -> str:
        """The name of a view of the rows of a SELECT, which are computed once."""
        return self._view(self._cut(self._persistent(self.spark.sql(select))))

    def store_rows(self, columns: Mapping[str, str], rows: Sequence[Sequence[object]]) -> str:
        """The name of a view of these rows, which every executor gets."""
        import pyarrow as pa

        kinds = {"INTEGER": pa.int32(), "VARCHAR": pa.string()}
        cells = list(zip(*rows, strict=True)) or [() for _ in columns]
        arrays = [
            pa.array(list(column), kinds[kind])
            for column, kind in zip(cells, columns.values(), strict=True)
        ]
        return self._view(self.spark.createDataFrame(pa.table(arrays, names=list(columns))))

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""
        return [tuple(row) for row in self.spark.sql(select).collect()]

    def number(self, term: str, count: int) -> str:
        """An expression of SQL: a number below `count` from the text of a term."""
        return f"CAST(pmod(xxhash64({term}), {count}) AS INTEGER)"

    def _view(self, frame: DataFrame, name: str = "") -> str:
        name = name or f"stored_{len(self._names)}"
        frame.createOrReplaceTempView(name)
        self._names.append(name)
        return name

    def _cut(self, frame: DataFrame) -> DataFrame:
        """The rows of a persistent frame without its plan. The plan of a table would have those of all
        tables before it in it, several times each, and the last would not fit into the heap. Rows
        that are lost with an executor are computed again, as they are not after a checkpoint.
        """
        from pyspark.sql import DataFrame as Frame

        session = self.spark._jsparkSession  # there is no such call in Python
        rows = frame._jdf.queryExecution().toRdd()
        cut = session.internalCreateDataFrame(rows, frame._jdf.schema(), False)
        return Frame(cut, self.spark)

    def _persistent(self, frame: DataFrame) -> DataFrame:
        self._stored.append(frame.persist())
        return frame

    # -- data --------------------------------------------------------------------------------------

    def load(self, sources: Sequence[tuple[Source, str]], memory: str) -> int:
        """The view `triples` of sources, each with the mark of its blank nodes; gives into how many
        parts they should be divided.

        Raises InvalidDeclaration (LP601) for kinds of files that are not read line by line, and
        SourceError (LP603, LP608) for what is no RDF.
        """
        views = [self._read(source, mark, memory) for source, mark in sources]
        union = self.spark.sql(" UNION ALL ".join(f"SELECT s, p, o FROM {name}" for name in views))
        self._view(union, "triples")
        size = sum(source.size * _PACKED[source.kind] for source, _ in sources)
        count = max(self.spark.sparkContext.defaultParallelism, -(-size // _PART))
        self.spark.conf.set("spark.sql.shuffle.partitions", str(count))
        return count

    def _read(self, source: Source, mark: str, memory: str) -> str:
        if source.kind not in PARTS:
            detail = f"{source.path}: Spark reads {', '.join(PARTS)}, not {source.kind}"
            raise InvalidDeclaration([Finding("LP601", None, {"detail": detail})])
        addresses = [
            re.sub(r"([][{}*?,\\])", r"\\\1", f"file://{file.absolute()}") for file in source.files
        ]
        if source.kind == "parquet":
            frame = self.spark.read.parquet(*addresses)
            columns = marked_columns(source, frame.columns, mark)
            return self._view(self.spark.sql(f"SELECT {columns} FROM {self._view(frame)}"))
        lines = self.spark.read.option("lineSep", "\n").text(addresses)
        name = self._view(self._persistent(lines.mapInArrow(ReadLines(mark, memory), _TRIPLES)))
        for (packed,) in self.rows(f"SELECT min(o) FROM {name} WHERE s = '{_FAULT}'"):
            if packed:
                raise located(source, _unpacked(packed)) from None
        return name

    # -- validation --------------------------------------------------------------------------------

    def validate(self, division: Parts, shapes: ShapesGraph, memory: str, connection: Any) -> None:
        """Adds the results of all parts to the table of results of a connection."""
        import duckdb  # noqa: F401  # sets up what reads Arrow

        task = ValidatePart(shapes.triples, division.shared, memory)
        rows = self.spark.sql(f"SELECT part, fs, s, p, o FROM ({division.table})")
        count = int(str(self.spark.conf.get("spark.sql.shuffle.partitions")))
        results = rows.repartitionById(count, "part").drop("part").mapInArrow(task, _RESULTS)
        connection.register("arrived", results.toArrow())
        connection.execute(f"INSERT INTO {RESULTS} SELECT * FROM arrived")
        connection.unregister("arrived")
        packed = connection.execute(f"SELECT messages FROM {RESULTS} WHERE k IS NULL").fetchall()
        if packed:
            findings = [finding for (cell,) in packed for finding in _unpacked(cell)]
            raise InvalidDeclaration(
                [
                    replace(item, where=shapes.origin(item.where.file)) if item.where else item
                    for item in findings
                ][:1]
            )


# -- tasks -----------------------------------------------------------------------------------------


_FAULT = "fault"  # what is in the place of a term in a row that reports one


def _packed(fault: object) -> str:
    return b64encode(pickle.dumps(fault)).decode()


def _unpacked(cell: str) -> Any:
    return pickle.loads(b64decode(cell))  # what a task of this run wrote


class ReadLines(Struct, frozen=True):
    """A task that reads statements from lines of N-Quads."""

    mark: str
    memory: str

    def __call__(self, batches: Batches) -> Batches:
        """The statements of a partition."""
        with _opened(self.memory) as connection:
            if not _load(connection, "lines", batches):
                return
            try:
                load_lines(
                    connection, "(SELECT rtrim(value, chr(13)) AS line FROM lines)", self.mark
                )
                statements = "SELECT s, p, o FROM triples"
            except (SyntaxError, NeedsRdf12) as error:
                statements = f"SELECT '{_FAULT}' AS s, '' AS p, '{_packed(error)}' AS o"
            connection.execute("DROP TABLE lines")
            yield from _batches(connection, statements)


class ValidatePart(Struct, frozen=True):
    """A task that validates a part: `shapes` is the shapes graph, `shared` are statements that every
    part needs.
    """

    shapes: tuple[Triple, ...]
    shared: tuple[Triple, ...]
    memory: str

    def __call__(self, batches: Batches) -> Batches:
        """The results of a partition."""
        from pyspark import TaskContext

        context = TaskContext.get()
        assert context is not None
        with _opened(self.memory) as connection:
            if not _load(connection, "part_rows", batches):
                return
            try:
                plan = plan_shapes(read_model(self.shapes, Origin))
                results = validate_part(connection, plan, self.shared)
                select = f"SELECT {context.partitionId()} AS part, * FROM {results}"
            except InvalidDeclaration as error:
                select = (
                    f"SELECT {context.partitionId()} AS part, CAST(NULL AS INTEGER) AS k, '' AS focus, "
                    f"'' AS value, '' AS path, '{_packed(error.findings)}' AS messages"
                )
            yield from _batches(connection, select)


@contextmanager
def _opened(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for one task, on the one core that it has."""
    import duckdb as _  # noqa: F401  # sets up what reads and makes Arrow

    with (
        tempfile.TemporaryDirectory(prefix="lodpipe-") as folder,
        connect(memory, folder) as connection,
    ):
        connection.execute("SET threads = 1")
        connection.execute("SET arrow_large_buffer_size = false")
        yield connection


def _load(connection: duckdb.DuckDBPyConnection, name: str, batches: Batches) -> bool:
    """The temporary table of the rows of a partition, where it has any."""
    import pyarrow as pa

    first = next(batches, None)
    if first is None:
        return False

    def every() -> Batches:
        yield first
        yield from batches

    connection.register("batches", pa.RecordBatchReader.from_batches(first.schema, every()))
    connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM batches")
    connection.unregister("batches")
    return True


def _batches(connection: duckdb.DuckDBPyConnection, select: str) -> Batches:
    yield from connection.sql(select).to_arrow_reader(_ROWS)
