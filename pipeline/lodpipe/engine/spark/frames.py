"""The logical sources of a mapping as data frames of Spark: the `Sources` that a plan is made over.

A relation is a name, `"frame 3"`; the plan's SQL reads from it, and a task makes the rows of its
partition a table of this name before it sends the SQL (kernel.py). What crosses rows of different
partitions is done by Spark: joins, distinct rows, counts of keys.

| source | read by |
|---|---|
| CSV, JSON Lines | the engine of one machine in each task, in blocks of whole records (line_files.py) |
| Parquet | Spark; the texts of values are made by DuckDB (parquet_files.py) |
| queries on PostgreSQL of many rows | Spark by JDBC, in ranges of a key (jdbc.py) |
| all others: JSON, YAML, XML, SQLite, record tables, queries over them, views | the driver, out of core (driver_rows.py) |
| files that are compressed, in another encoding than UTF-8 or in a CSV dialect | the driver |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from lodpipe.diagnostics.finding import (
    Finding,
    InvalidDeclaration,
    Origin,
    SourceError,
    set_of,
)
from lodpipe.engine.databases import DatabaseTable, PostgreSQL
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.json_columns import needs_query
from lodpipe.engine.spark.driver_rows import DriverRows
from lodpipe.engine.spark.jdbc import JdbcQuery, jdbc_query
from lodpipe.engine.spark.kernel import (
    Batches,
    FileBlocks,
    Loader,
    Note,
    Rows,
    Task,
    has_rows,
    query,
)
from lodpipe.engine.spark.line_files import LineFiles, divided_files, headers_of
from lodpipe.engine.spark.parquet_files import (
    ParquetFiles,
    TextColumns,
    check_footers,
    file_names,
    numbered_cells,
    read_parquet,
)
from lodpipe.engine.spark.storage import Storage, is_hidden, is_store, pattern
from lodpipe.engine.spark.store_blocks import input_files
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import Parent, Relation, ViewSources, numbered, quote
from lodpipe.sources import jsonpath
from lodpipe.sources.access import PLAIN, split_name
from lodpipe.sources.file_tables import find_files
from lodpipe.sources.folders import Folders
from lodpipe.sources.jsonpath import PathError
from lodpipe.sources.record_tables import first_record

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark import Accumulator
    from pyspark.sql import Column, DataFrame, SparkSession

_NAME = re.compile(r'"frame [0-9]+"')
_SLICE = 500_000  # rows that the driver hands over at once

Unread = dict[tuple[str, int | None], tuple[Finding, ...]]
"""What tasks could not read, by the names of frames and the places of blocks."""


class Frame(Struct, frozen=True):
    """Rows that tasks load as the table `loader.name`; `schema` are the columns of that table in
    Spark's spelling.
    """

    data: DataFrame
    loader: Loader
    schema: str


class Select(Struct, frozen=True):
    """The work of a task that answers one query."""

    name: str
    sql: str
    unread: Accumulator[Unread]

    def __call__(self, engine: Engine, folder: Path, notes: list[Note]) -> Batches:
        """The rows of the query. Files that cannot be read are no error of the task, which Spark
        would repeat: their findings are added to those of the run.
        """
        if has_rows(engine, self.name):
            yield from query(engine, self.sql)
        for note in notes:
            if note.findings:
                self.unread.add({(self.name, note.block): note.findings})


class Union:
    """How findings of several tasks are put together (`pyspark.AccumulatorParam`): each once."""

    def zero(self, _: Unread) -> Unread:
        """No findings."""
        return {}

    def addInPlace(self, first: Unread, second: Unread) -> Unread:  # noqa: N802  # a name of Spark
        """Those of both."""
        added = {
            key: tuple(set_of([*first.get(key, ()), *findings])) for key, findings in second.items()
        }
        return first | added


class NoFiles(Struct, frozen=True):
    """A table that has its number, and no files yet."""

    def locate(self, record: int, column: str | None = None) -> Origin:
        """Raises LookupError: there are no records."""
        raise LookupError(f"record {record} is in no file")


class SparkRelations:
    """The relations of a run. `local` is the driver's own engine, for sources that Spark does not
    read; `work` the address of a folder for rows that are needed more than once.
    """

    whole_relations = False

    def __init__(
        self, spark: SparkSession, local: Engine, root: Path, work: str, memory: str
    ) -> None:
        self._spark, self._local, self._root = spark, local, root
        self._work, self._memory = work, memory
        self.on_driver = DriverRows(local)
        self._frames: dict[str, Frame] = {}
        self._names = 0
        self._relations: dict[LogicalSource, Relation] = {}
        self._folders = 0
        union: Any = (
            Union()
        )  # it has the methods of an AccumulatorParam, which is not there to import
        self._unread = spark.sparkContext.accumulator({}, union)
        self._exact: set[str] = set()
        self.has_functions = False
        self._child_of: dict[str, str] = {}
        self._files: dict[str, LineFiles] = {}
        self._queries: dict[str, tuple[JdbcQuery, int, Loader, str]] = {}
        self._numbers: dict[tuple[str, str, str | None], int] = {}
        self._results: dict[tuple[object, ...], Relation | None] = {}

    @property
    def findings(self) -> list[Finding]:
        """What tasks could not read until now."""
        return [
            finding
            for (name, block), findings in self._unread.value.items()
            for finding in self.located(name, Note(findings, block))
        ]

    def located(self, name: str, note: Note) -> list[Finding]:
        """The findings of a note about a frame, with their places in the files of the source."""
        if note.block is None or not note.findings:
            return list(note.findings)
        return [self._files[name].located(finding, note.block) for finding in note.findings]

    # -- sources -----------------------------------------------------------------------------------

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Runs the queries over record tables on the driver; gives a finding for each wrong one."""
        return self._local.relations.define(sources)

    def define_functions(self) -> None:
        """Defines the functions that a mapping calls on the driver; each task does for itself."""
        self.has_functions = True
        self._local.relations.define_functions()

    def relate(
        self, source: LogicalSource, references: tuple[str, ...], order: str = ""
    ) -> Relation:
        """The relation of a source, made at the first call; nothing is read of large files but
        their headers. Raises as `Relations.relate` does.
        """
        if source not in self._relations:
            self._relations[source] = self._new_relation(source, references)
        return self._relations[source]

    def _new_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        if source.kind in ("csv", "jsonl", "parquet") and self._has_hidden_file(source):
            return self._local_relation(source, references)
        is_plain = source.access == PLAIN and split_name(source.text)[1] == "none"
        paths = (*references, source.iterator or "$") if source.kind == "jsonl" else ()
        try:
            is_plain = is_plain and not needs_query(paths)
            if source.kind in ("csv", "jsonl") and is_plain:
                return self._lines_relation(source, references)
            if source.kind == "parquet" and is_plain:
                return self._parquet_relation(source, references)
            if source.kind == "sql":
                return self._database_relation(source, references)
        except PathError as error:
            raise InvalidDeclaration(
                [Finding("LP602", source.origin, {"detail": str(error)})]
            ) from None
        return self._local_relation(source, references)

    def _has_hidden_file(self, source: LogicalSource) -> bool:
        """Whether a source has a Parquet file of this machine that Spark would leave out. Raises
        SourceError for such a file of a store, and as `find_files` does.
        """
        if not is_store(source.text):
            files = find_files(source.text, source.origin, Folders(self._root))
            return source.kind == "parquet" and any(is_hidden(path.name) for path, _ in files)
        if is_hidden(source.text.rstrip("/").rpartition("/")[2]):
            detail = "Spark reads no file whose name begins with `_` or `.`; rename it"
            raise SourceError(
                [Finding("LP106", source.origin, {"file": source.text, "detail": detail})]
            )
        return False

    def _addresses(self, source: LogicalSource) -> list[str]:
        """The addresses of the files of a source. Raises as `find_files` does."""
        if is_store(source.text):
            return [source.text]
        folders = Folders(self._root)
        return [pattern(path) for path, _ in find_files(source.text, source.origin, folders)]

    def _lines_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """A relation over files of lines, of which nothing is read but the ends of their splits."""
        folder = self._local.session.exchange
        files = divided_files(self._spark, source, self._root)
        columns: tuple[str, ...] | None = None
        headers: tuple[bytes, ...] = ()
        if source.kind == "csv":
            columns, headers = headers_of(files, source, references, folder)
        name, number = self._next_name(), self._table_number(source)
        first = tuple(first_record(number, place) for place in range(len(files.reader.blocks)))
        loader = FileBlocks(name, source, references, headers, files.reader, first)
        self._files[name] = LineFiles(number, files, loader, folder)
        self._local.records.replace(number, self._files[name])
        relation = Relation(name, columns, names=numbered(references))
        if source.kind == "jsonl":
            many = (item for item in references if jsonpath.is_many(jsonpath.parse(item)))
            relation = replace(relation, typed=True, many=frozenset(many))
        self._frames[name] = Frame(files.data, loader, _schema(relation))
        return relation

    def number_exactly(self, name: str) -> bool:
        """Numbers the records of a frame by their places in their files, not in their blocks.

        It costs a pass over the files, and only terms that are made of these numbers need it.
        Gives whether anything has changed; then joins have to be made again.
        """
        name = self._child_of.get(name, name)
        if name in self._queries and name not in self._exact:
            self._read_query(name, in_order=True)
            self._exact.add(name)
            self._results.clear()
            return True
        if name in self._exact or name not in self._files:
            return False
        number = self._files[name].number
        same = [other for other, files in self._files.items() if files.number == number]
        first = self._files[name].first_records(self._memory)
        for other in same:  # a record has one number, whatever frame it is in
            files = self._files[other]
            files.loader = replace(files.loader, first=first)
            self._frames[other] = Frame(files.data, files.loader, self._frames[other].schema)
        self._exact.update(same)
        self._results.clear()
        return True

    def _table_number(self, source: LogicalSource) -> int:
        """The number of the table of a file; the same file under the same iterator is one table."""
        key = (source.text, source.kind, source.iterator)
        if key not in self._numbers:
            self._numbers[key] = self._local.records.add(NoFiles())
        return self._numbers[key]

    def _parquet_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        if not is_store(source.text):
            files_on_disk = find_files(source.text, source.origin, Folders(self._root))
            check_footers(self._local.session, files_on_disk, source.origin)
        data = read_parquet(self._spark, self._addresses(source), source.text)
        files = input_files(data)
        number = self._table_number(source)
        names = file_names(files, self._root.resolve())
        self._local.records.replace(number, ParquetFiles(names))
        numbers = numbered(references)
        columns = {key: column for key, column in numbers.items() if key in data.columns}
        name = self._next_name()
        schema = ", ".join(["_record bigint", *(f"{item} string" for item in columns.values())])
        rows = numbered_cells(data, files, number, columns)
        self._frames[name] = Frame(rows, TextColumns(name, tuple(columns.values())), schema)
        return Relation(name, tuple(data.columns), names=numbers)

    def _database_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """A relation over a query on a database, whose rows are stored now."""
        database = self._local.relations.database(source)
        if not isinstance(database, PostgreSQL):
            return self._local_relation(source, references)
        query = jdbc_query(self._spark, database, source, references)
        if not isinstance(query, JdbcQuery):
            relation = self._local_relation(source, references)
            return replace(relation, findings=(query,) if query else ())
        name, number = self._next_name(), self._local.records.add(DatabaseTable(source.origin))
        relation = Relation(name, query.described.columns, typed=True, names=numbered(references))
        self._queries[name] = query, number, query.loader(name, references), _schema(relation)
        self._read_query(name)
        return relation

    def _read_query(self, name: str, *, in_order: bool = False) -> None:
        """Stores the rows of a query on a database, in ranges or in their order."""
        query, number, loader, schema = self._queries[name]
        before = self.findings
        with query.faults():
            data = query.rows(self._spark, number, in_order=in_order)
            self._frames[name] = Frame(data, loader, schema)
            self.staged(name)
        if unread := [item for item in self.findings if item not in before]:
            raise InvalidDeclaration(unread)

    def _local_relation(self, source: LogicalSource, references: tuple[str, ...]) -> Relation:
        """A relation of the driver's engine."""
        relation = self._local.relations.relate(source, references)
        return replace(relation, sql=self.add_on_driver(relation.sql))

    @property
    def for_views(self) -> ViewSources:
        """The driver's engine: what crosses records of several sources is not divided."""
        return self._local.relations

    def adopt(self, relation: Relation) -> Relation:
        """The rows of a view, made by the driver's engine."""
        return replace(relation, sql=self.add_on_driver(relation.sql))

    def add_on_driver(self, sql: str) -> str:
        """The name of a new frame with the rows of a relation of the driver's engine."""
        return self.on_driver.add(self._next_name(), sql)

    def _handed_over(self, name: str) -> Frame:
        """A frame of the driver's engine as one of Spark, to which its rows go in slices."""
        import duckdb  # noqa: F401  # sets up what makes Arrow
        import pyarrow as pa

        folder = self._new_folder()
        rows = self._local.session.cursor().sql(f"SELECT * FROM {name}")
        reader = rows.to_arrow_reader(_SLICE)
        schema = pa.schema([pa.field(item.name, _small(item.type)) for item in reader.schema])
        for batch in reader:
            table = pa.Table.from_batches([batch]).cast(schema)
            self._spark.createDataFrame(table).write.mode("append").parquet(folder)
        has_rows = Storage(self._spark).exists(folder)
        data = (
            Storage(self._spark).rows(folder)
            if has_rows
            else self._spark.createDataFrame(schema.empty_table())
        )
        return Frame(data, Rows(name), _columns(data))

    def _new_folder(self) -> str:
        """The address of a folder for rows."""
        self._folders += 1
        return f"{self._work}/rows-{self._folders}"

    def _next_name(self) -> str:
        self._names += 1
        return quote(f"frame {self._names}")

    def note_absent(self, name: str, absent: dict[str, str]) -> None:
        """From now on the relation of a frame has these references that no record follows."""
        for source, relation in self._relations.items():
            if relation.sql == name:
                self._relations[source] = replace(relation, absent=absent)

    # -- keys and joins ----------------------------------------------------------------------------

    def distinct_by_key(
        self, relation: Relation, keys: Sequence[str], columns: Sequence[str]
    ) -> Relation | None:
        """As `Relations.distinct_by_key`, by Spark."""
        call = ("distinct", relation.sql, tuple(keys), tuple(columns))
        if call not in self._results:
            self._results[call] = self._distinct_by_key(relation, keys, columns)
        return self._results[call]

    def _distinct_by_key(
        self, relation: Relation, keys: Sequence[str], columns: Sequence[str]
    ) -> Relation | None:
        if relation.sql in self.on_driver:
            reduced = self._local.relations.distinct_by_key(relation, keys, columns)
            if reduced is None or reduced.sql == relation.sql:
                return reduced
            return replace(reduced, sql=self.add_on_driver(reduced.sql))
        from pyspark.sql import functions as f

        names = [*columns, *(f"{name} type" for name in columns if relation.typed)]
        has_key = reduce(lambda a, b: a & b, (_column(key).isNotNull() for key in keys))
        rows = self.staged(relation.sql).data.where(has_key)
        listed = [_column(key) for key in keys]
        counts = rows.agg(f.count(f.lit(1)).alias("rows"), f.count_distinct(*listed).alias("keys"))
        row = counts.collect()[0]
        if row["rows"] == row["keys"]:
            return relation
        distinct = rows.select(*map(_column, names)).distinct()
        if set(names) != set(keys) and distinct.count() != row["keys"]:
            return None
        return replace(relation, sql=self._add(distinct))

    def has_repeats(self, relation: str, columns: Sequence[str]) -> bool:
        """Equal rows of both sides of a join always become one before it."""
        return True

    def join_parents(self, relation: Relation, parents: Sequence[Parent]) -> Relation:
        """As `Relations.join_parents`: left joins by Spark."""
        call = (
            "join",
            relation.sql,
            *((p.relation.sql, p.on, p.columns, p.prefix) for p in parents),
        )
        if call not in self._results:
            self._results[call] = self._join_parents(relation, parents)
        joined = self._results[call]
        assert joined is not None
        return joined

    def _join_parents(self, relation: Relation, parents: Sequence[Parent]) -> Relation:
        if all(item.sql in self.on_driver for item in (relation, *(p.relation for p in parents))):
            joined = self._local.relations.join_parents(relation, parents)
            return replace(joined, sql=self.add_on_driver(joined.sql))
        from pyspark.sql import functions as f

        data = self.staged(relation.sql).data
        columns = [_column(name) for name in data.columns]
        for number, parent in enumerate(parents):
            typed = parent.relation.typed
            names = [*parent.columns, *(f"{name} type" for name in parent.columns if typed)]
            rows = self.staged(parent.relation.sql).data
            keys = [f"key {number} {place}" for place in range(len(parent.on))]
            selected = [_column(name).alias(parent.prefix + name) for name in names]
            selected += [
                _column(key).alias(name) for (_, key), name in zip(parent.on, keys, strict=True)
            ]
            right = rows.select(*selected)
            condition = [
                f.col(f"`{child}`") == f.col(f"`{key}`")
                for (child, _), key in zip(parent.on, keys, strict=True)
            ]
            data = data.join(right, condition, "left")
            columns += [_column(parent.prefix + name) for name in names]
        name = self._add(data.select(*columns), staged=True)
        self._child_of[name] = relation.sql
        return replace(relation, sql=name)

    # -- frames ------------------------------------------------------------------------------------

    def frame(self, name: str) -> Frame:
        """The frame of a name."""
        if name not in self._frames and name in self.on_driver:
            self._frames[name] = self._handed_over(name)
        return self._frames[name]

    def frame_in(self, sql: str) -> str:
        """The name of the frame that a query reads. Raises ValueError where it is not one."""
        (name,) = set(_NAME.findall(sql))
        return str(name)

    def select(self, sql: str, schema: str) -> DataFrame:
        """The rows of a query over one frame that needs no rows of other partitions."""
        name = self.frame_in(sql)
        frame = self.frame(name)
        work = Select(name, sql, self._unread)
        task = Task(frame.loader, work, self._memory, self.has_functions)
        return frame.data.mapInArrow(task, schema)

    def staged(self, name: str) -> Frame:
        """A frame whose rows are in Parquet files, or are Spark's own: reading it runs no kernel."""
        frame = self.frame(name)
        if isinstance(frame.loader, Rows):
            return frame
        folder = self._new_folder()
        self.select(f"SELECT * FROM {name}", frame.schema).write.parquet(folder)
        self._frames[name] = Frame(Storage(self._spark).rows(folder), Rows(name), frame.schema)
        return self._frames[name]

    def _add(self, data: DataFrame, *, staged: bool = False) -> str:
        name = self._next_name()
        if staged:
            folder = self._new_folder()
            data.write.parquet(folder)
            data = Storage(self._spark).rows(folder)
        self._frames[name] = Frame(data, Rows(name), _columns(data))
        return name

    def add(self, data: DataFrame) -> str:
        """The name of a new frame with rows of Spark's own."""
        return self._add(data)


def _columns(data: DataFrame) -> str:
    """The columns of a data frame with their types, as Spark spells them in a schema."""
    return ", ".join(f"`{item.name}` {item.dataType.simpleString()}" for item in data.schema)


def _column(name: str) -> Column:
    from pyspark.sql import functions as f

    return f.col(f"`{name.strip(chr(34))}`")


def _schema(relation: Relation) -> str:
    """The columns of a relation with their types, as Spark spells them in a schema."""
    suffixes = ("", " type") if relation.typed else ("",)
    columns = ["_record bigint"] + [
        f"`{column}{suffix}` {'array<string>' if name in relation.many else 'string'}"
        for name, column in relation.names.items()
        for suffix in suffixes
    ]
    return ", ".join(columns if relation.names else [*columns, "nothing int"])


def _small(kind: pa.DataType) -> pa.DataType:
    """The type for texts of less than 2 GB in a batch, which Spark takes."""
    import pyarrow as pa

    if pa.types.is_large_string(kind):
        return pa.string()
    return pa.list_(_small(kind.value_type)) if pa.types.is_list(kind) else kind
