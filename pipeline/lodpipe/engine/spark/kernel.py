"""What a task does with its partition: it loads the rows into DuckDB and sends them the plan's SQL.

A task gets Arrow batches from Spark and gives Arrow batches back. Between them it has a session of
its own with the functions of plans (engine/duckdb.py), bounded in memory: what does not fit is
spilled to the executor's disk.

    Rows        Arrow rows become a table
    FileBlocks  blocks of CSV or JSON Lines become files, which the engine of one machine reads

Faults in the data are no errors of a task, which Spark would repeat: they are rows with a `note`.
"""

from __future__ import annotations

import os
import pickle
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.spark.environment import EnvironmentDiffers, versions
from lodpipe.engine.spark.text_blocks import BlockReader, Piece
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import relation_columns
from lodpipe.runtime import scratch
from lodpipe.sources.record_tables import first_record

if TYPE_CHECKING:
    import pyarrow as pa

Batches = Iterator["pa.RecordBatch"]
_ROWS = 65_536  # rows of a batch that goes back to Spark
_TASK = re.compile(r"lodpipe-task-[0-9]+-[0-9a-f]{16}")


class Note(Struct, frozen=True):
    """What a task reports beside its rows: findings of a file, the records of a block and the
    references that none of them follows, failed checks by select, statements by rule, and of the
    rows that are sent some subjects, each with the number of rows from it to the next.
    """

    findings: tuple[Finding, ...] = ()
    block: int | None = None
    records: int = 0
    absent: dict[str, str] = {}
    followed: tuple[str, ...] = ()
    failures: dict[int, tuple[int, ...]] = {}
    statements: dict[int, int] = {}
    samples: tuple[tuple[str, int], ...] = ()

    def packed(self) -> bytes:
        """The note as a cell of a row."""
        return pickle.dumps(self)


def unpacked(cell: bytes) -> Note:
    """The note of a cell that a task of this run wrote."""
    note = pickle.loads(cell)  # only what `packed` made
    assert isinstance(note, Note)
    return note


class Loader(Protocol):
    """Brings the rows of a partition into an engine as the table `name`."""

    @property
    def name(self) -> str:
        """The table, as a SQL identifier."""

    def load(self, engine: Engine, batches: Batches, folder: Path) -> list[Note]:
        """Creates the table or view, and reports what is wrong with the rows."""


class Rows(Struct, frozen=True):
    """Rows of a data frame as a table."""

    name: str

    def load(self, engine: Engine, batches: Batches, folder: Path) -> list[Note]:
        """Creates the table; the columns of none are not known, so it is not there without rows."""
        import duckdb  # noqa: F401  # sets up what reads Arrow
        import pyarrow as pa

        if (first := next(batches, None)) is None:
            return []

        def all_batches() -> Batches:
            yield first
            yield from batches

        reader = pa.RecordBatchReader.from_batches(first.schema, all_batches())
        connection = engine.session.connection
        connection.register("batches", reader)
        engine.session.insert(f"CREATE TABLE {self.name} AS SELECT * FROM batches")
        connection.unregister("batches")
        return []


class FileBlocks(Struct, frozen=True):
    """Blocks of files of lines as one relation.

    `headers` are the bytes of the header of each file, `first` the number of the first record of
    each block, by their places.
    """

    name: str
    source: LogicalSource
    references: tuple[str, ...]
    headers: tuple[bytes, ...]
    reader: BlockReader
    first: tuple[int, ...]

    def load(self, engine: Engine, batches: Batches, folder: Path) -> list[Note]:
        """Reads each block as the engine of one machine reads a file. Places in findings are those
        in the file of the block.
        """
        notes: list[Note] = []
        selects: list[str] = []
        for block, pieces in self.reader.read(batches):
            path = folder / f"block {len(selects)}.{self.source.kind}"
            self.write(block, pieces, path)
            own = engine.records.next_number
            try:
                relation = engine.relations.relate(
                    replace(self.source, text=path.name), self.references
                )
            except LodpipeError as error:
                notes.append(Note(tuple(error.findings), block))
                continue
            base = self.first[block] - first_record(own)
            cells = ", ".join(relation_columns(relation)) or "NULL AS nothing"
            selects.append(f"SELECT _record + {base} AS _record, {cells} FROM {relation.sql}")
            ((records,),) = engine.session.rows(f"SELECT count(*) FROM {relation.sql}")
            followed = tuple(name for name in relation.names if name not in relation.absent)
            absent = dict(relation.absent)
            notes.append(Note((), block, records, absent, followed if records else ()))
            path.unlink()
        if selects:
            engine.session.rows(f"CREATE VIEW {self.name} AS {' UNION ALL '.join(selects)}")
        return notes

    def header(self, block: int) -> bytes:
        """What is written before the records of a block: the header, unless they have it."""
        place = self.reader.blocks[block]
        return self.headers[place.file] if self.headers and place.start else b""

    def write(self, block: int, pieces: Iterator[Piece], path: Path) -> None:
        """Writes the records of a block to a file of their own, behind the header of their file."""
        with path.open("wb") as file:
            file.write(self.header(block))
            file.writelines(pieces)


class Task(Struct, frozen=True):
    """A kernel for `mapInArrow`: loads a partition and runs `work` on it.

    `memory` is the limit of its engine, `versions` those of the driver; `functions` says whether
    the mapping calls functions, because to define them takes a third of the time of a small task.
    """

    loader: Loader
    work: Callable[[Engine, Path, list[Note]], Batches]
    memory: str
    functions: bool = False
    versions: str = field(default_factory=versions)

    def __call__(self, batches: Batches) -> Batches:
        """The rows that a partition becomes. Raises EnvironmentDiffers."""
        if (own := versions()) != self.versions:
            raise EnvironmentDiffers(f"the driver has {self.versions}, an executor has {own}")
        with opened(self.memory, functions=self.functions) as (engine, folder):
            notes = self.loader.load(engine, batches, folder)
            yield from self.work(engine, folder, notes)


@contextmanager
def opened(memory: str, *, functions: bool) -> Iterator[tuple[Engine, Path]]:
    """An engine for one task, and a folder for its files and for what it spills."""
    import duckdb  # noqa: F401  # sets up what reads and makes Arrow

    with (
        _task_folder() as folder,
        _temporary_files_in(str(folder)),
        Engine(memory, threads=1, root=folder) as engine,
    ):
        if functions:
            engine.relations.define_functions()
        else:
            engine.relations.define_typed_functions()
        yield engine, folder


@contextmanager
def _task_folder() -> Iterator[Path]:
    """A new folder. Spark kills a task by force if it does not end two seconds after its twin, which
    was faster: what such tasks left is removed first.
    """
    parent = _spill_folder()
    scratch.clear_abandoned(parent, _TASK)
    folder = scratch.Scratch(parent, "lodpipe-task-{pid}-{random}")
    try:
        yield folder.path
    finally:
        folder.remove()


def _spill_folder() -> Path:
    """A folder of Spark on this executor, which the cluster removes even if the executor is killed."""
    folders = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
    present = [folder for folder in folders if Path(folder).is_dir() and folder]
    return Path(present[os.getpid() % len(present)] if present else tempfile.gettempdir())


@contextmanager
def _temporary_files_in(folder: str) -> Iterator[None]:
    before, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = before


def query(engine: Engine, sql: str, rows: int = _ROWS) -> Batches:
    """The rows of a query as Arrow batches of so many, with the small texts that Spark takes."""
    import duckdb  # noqa: F401  # sets up what makes Arrow, also on the driver

    engine.session.rows("SET arrow_large_buffer_size = false")
    yield from engine.session.cursor().sql(sql).to_arrow_reader(rows)


def has_rows(engine: Engine, name: str) -> bool:
    """Whether a loader had any rows to make a table of."""
    bare = name.strip('"')
    sql = "SELECT 1 FROM duckdb_tables() WHERE table_name = ? UNION ALL SELECT 1 FROM duckdb_views() WHERE view_name = ?"
    return bool(engine.session.rows(sql, [bare, bare]))
