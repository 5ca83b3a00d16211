"""A plan run by Spark: in two steps, from the sources to rows by subject, and from these to statements.

| step | tasks read | tasks do | Spark does |
|---|---|---|---|
| 1 | blocks of files, or Parquet | check values, make subjects, send what terms need | stores the rows |
| 2 | rows of a range of subjects | make lines or statements, sorted and distinct | divides and moves the rows, writes the parts |

Nothing is visible in the target before all parts are complete.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidData, Origin, set_of
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import columns_read
from lodpipe.engine.python_functions import PythonFunction
from lodpipe.engine.results import CANONICAL, Failure, Output
from lodpipe.engine.run_plan import SAMPLES, failure_samples, load_statements
from lodpipe.engine.spark import shares
from lodpipe.engine.spark.faults import failure, is_of_spark, spark_faults, text_of
from lodpipe.engine.spark.frames import SparkRelations
from lodpipe.engine.spark.kernel import Batches, Loader, Note, Task, unpacked
from lodpipe.engine.spark.shares import Chunks, MakeStatements, SendRows, Share, WriteLines
from lodpipe.engine.spark.spark_session import is_running, start, stop
from lodpipe.engine.spark.storage import Storage, local_path
from lodpipe.engine.spark.targets import check_target, put_in_place
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import Check, Join, Lookup, Plan, Select, Side, quote

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, Row

Sample = tuple[int | None, str]
"""The number of a record, and its value."""

_ROWS_OF_A_PART = 400_000
_ROWS_OF_A_CHUNK = 500
_PACKED = {"compression": "uncompressed", "parquet.enable.dictionary": "false"}  # chunks are packed


class SparkEngine:
    """Runs plans on a master; a context manager that removes what it stored on the way.

    `local` is the driver's own engine with its record tables, `work` the address of a folder that
    all executors reach; statements are counted by rule with `counts`, which takes time. Raises
    InvalidDeclaration (LP613) where Spark cannot be used.
    """

    def __init__(self, master: str, local: Engine, work: str, *, counts: bool = False) -> None:
        self._with_counts = counts
        self._master, self._is_guest = master, is_running() or master.startswith("local")
        self.spark = start(master, local.memory, work)
        self._local, self._memory, self._work = local, local.memory, work
        self._storage = Storage(self.spark)
        with spark_faults(master):
            self._storage.create_folder(work)
            for name, _ in self._storage.entries(work):  # what a killed run has left
                self._storage.remove(f"{work}/{name}")
        self.relations = SparkRelations(self.spark, local, local.root, work, local.memory)
        self._shares: tuple[Share, ...] = ()
        self._rows: DataFrame | None = None
        self._subjects: list[tuple[str, int]] = []
        self._counts: dict[int, int] = {}
        self._width = shares.LEAST_WIDTH

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        message = text_of(error) if error and is_of_spark(error) else ""
        with contextlib.suppress(Exception):  # the master may be gone
            self._storage.remove(self._work)
        if not self._is_guest:
            with contextlib.suppress(Exception):
                stop(self.spark)
        if message:
            raise failure(self._master, message) from None

    def check_target(self, target: str) -> None:
        """Raises InvalidDeclaration (LP601) for a folder that has files of others."""
        with spark_faults(self._master):
            check_target(self._storage, target)

    @property
    def sources(self) -> SparkRelations:
        """What a plan is made over."""
        return self.relations

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Runs queries over record tables on the driver."""
        return self.relations.define(sources)

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record, or of the value of one of its columns."""
        return self._local.records.locate(record, column)

    def define_python(self, functions: Sequence[PythonFunction]) -> None:
        """Python functions are refused before the engine is opened (workflow/own_functions.py)."""
        raise NotImplementedError

    def plans_lightly(self, patterns: Mapping[str, str]) -> bool:
        """Never: light plans look up what the driver alone knows."""
        return False

    # -- the first step ----------------------------------------------------------------------------

    def prepare(self, compile_plan: Callable[[], Plan]) -> tuple[Plan, list[Failure]]:
        """Makes the plan and runs its first step."""
        plan = compile_plan()
        if sum(map(self._number_exactly, plan.selects)):  # of all of them
            plan = compile_plan()
        sent = [self._over_frames(number, select) for number, select in enumerate(plan.selects)]
        self._width = max([shares.LEAST_WIDTH, *(len(item.columns) for item in sent)])
        self._shares = tuple(
            shares.share(number, select) for number, select in enumerate(plan.selects)
        )
        notes = self._send(sent)
        unread = [finding for name, note in notes for finding in self.relations.located(name, note)]
        if findings := set_of([*unread, *self.relations.findings]):
            raise InvalidData(findings)
        if self._note_absent(notes):
            plan = compile_plan()
        return plan, self._failures(plan, sent, [note for _, note in notes])

    def _number_exactly(self, select: Select) -> bool:
        """Whether the terms of a select needed exact numbers of records that were not there."""
        if select.join is not None:
            sql, is_needed = (
                select.join.child.sql,
                '"_record" AS VARCHAR)' in select.join.child.sql,
            )
        else:
            sql, is_needed = select.source, quote("_record") in columns_read(select)
        return is_needed and self.relations.number_exactly(self.relations.frame_in(sql))

    def _over_frames(self, number: int, select: Select) -> Share:
        """A select as step 1 runs it: over one frame, that of its join or lookup where it has one."""
        item = shares.share(number, select)
        if select.join is not None:
            name = self._joined(select.join)
            rows = replace(select, source=shares.joined_rows(select, name))
            return replace(item, select=rows)
        if select.lookup is not None:
            return replace(
                item, select=replace(select, source=f"{self._looked_up(select.lookup)} AS c")
            )
        return item

    def _send(self, sent: Sequence[Share]) -> list[tuple[str, Note]]:
        """Stores the rows of all selects, and gives the notes of the tasks."""
        by_frame: dict[str, list[Share]] = {}
        for item in sent:
            by_frame.setdefault(self.relations.frame_in(item.select.source), []).append(item)
        notes: list[tuple[str, Note]] = []
        folders: list[str] = []
        on_driver: list[SendRows] = []
        for name, items in by_frame.items():
            work = SendRows(
                name, tuple(items), self._width, counts=self._with_counts, chunk=_ROWS_OF_A_CHUNK
            )
            if name in self.relations.on_driver:
                on_driver.append(work)
                continue
            frame = self.relations.frame(name)
            rows = frame.data.mapInArrow(self._task(frame.loader, work), shares.SENT)
            folders.append(f"{self._work}/sent/{len(folders)}")
            rows.write.options(**_PACKED).parquet(folders[-1])
            stored = self._storage.rows(folders[-1], schema=shares.SENT)
            cells = stored.where("note IS NOT NULL").select("note").collect()
            notes += [(name, unpacked(bytes(row.note))) for row in cells]
        path = self._local.session.exchange / "rows.parquet"
        notes += self.relations.on_driver.send(on_driver, path)
        if path.is_file():
            folders.append(f"{self._work}/sent/driver.parquet")
            self._storage.take(path, folders[-1])
        if folders:
            sent_rows = self._storage.rows(*folders, schema=shares.SENT)
            self._rows = sent_rows.where("note IS NULL").drop("note")  # chunks are not read for it
        self._subjects = [sample for _, note in notes for sample in note.samples]
        return notes

    def _note_absent(self, notes: Sequence[tuple[str, Note]]) -> bool:
        """Notes in the relations which references no record follows; whether there are any."""
        absent: dict[str, dict[str, str]] = {}
        followed: dict[str, set[str]] = {}
        for name, note in notes:
            for reference, near in note.absent.items():
                absent.setdefault(name, {}).setdefault(reference, near)
            followed.setdefault(name, set()).update(note.followed)
        for name, references in absent.items():
            left = {key: near for key, near in references.items() if key not in followed[name]}
            self.relations.note_absent(name, left)
        return bool(absent)

    def _failures(self, plan: Plan, sent: Sequence[Share], notes: Sequence[Note]) -> list[Failure]:
        counts: dict[int, list[int]] = {}
        self._counts = {}
        for note in notes:
            for number, failed in note.failures.items():
                before = counts.setdefault(number, [0] * len(failed))
                counts[number] = [a + b for a, b in zip(before, failed, strict=True)]
            for rule, count in note.statements.items():
                self._counts[rule] = self._counts.get(rule, 0) + count
        failing = [
            (sent[number].select, check, count)
            for number, row in sorted(counts.items())
            for check, count in zip(plan.selects[number].checks, row, strict=True)
            if count
        ]
        samples = self._samples([(select, check) for select, check, _ in failing])
        return [
            Failure(check, count, rows)
            for (_, check, count), rows in zip(failing, samples, strict=True)
        ]

    def _samples(self, failed: Sequence[tuple[Select, Check]]) -> list[list[Sample]]:
        """The first records of all partitions that fail each of these checks. Spark reads a frame
        once for all of them.
        """
        samples: list[list[Sample]] = [[] for _ in failed]
        by_frame: dict[str, list[int]] = {}
        for place, (select, check) in enumerate(failed):
            name = self.relations.frame_in(select.source)
            if name in self.relations.on_driver:
                samples[place] = self.relations.on_driver.rows(failure_samples(select, check))
            else:
                by_frame.setdefault(name, []).append(place)
        for places in by_frame.values():
            queries = {place: failure_samples(*failed[place]) for place in places}
            for row in self._first_of_each(queries):
                samples[row["place"]].append((row["record"], row["value"]))
        return samples

    def _first_of_each(self, queries: Mapping[int, str]) -> list[Row]:
        """The first records of each of several queries over one frame, in their order."""
        from pyspark.sql import Window
        from pyspark.sql import functions as f

        sql = " UNION ALL ".join(
            f"SELECT CAST({place} AS INTEGER) AS place, record, value FROM ({query})"
            for place, query in queries.items()
        )
        rows = self.relations.select(sql, "place int, record bigint, value string").distinct()
        order = Window.partitionBy("place").orderBy("record", "value")
        numbered = rows.withColumn("number", f.row_number().over(order))
        first = numbered.where(f.col("number") <= SAMPLES).orderBy("place", "number")
        return first.collect()

    # -- joins -------------------------------------------------------------------------------------

    def _joined(self, join: Join) -> str:
        """The name of a frame with the pairs of a join, each once."""
        if self._are_on_driver(join.child.sql, join.parent.sql):
            pairs = f"SELECT {', '.join(shares.joined_terms(join))} FROM {join.sql}"
            return self.relations.add_on_driver(self.relations.on_driver.stored(pairs))
        child, parent = self._side(join.child), self._side(join.parent)
        rows = child.join(parent, list(join.child.keys and [k.strip('"') for k in join.child.keys]))
        return self.relations.add(rows.drop(*(key.strip('"') for key in join.child.keys)))

    def _are_on_driver(self, *queries: str) -> bool:
        """Whether the driver's engine has the frames of all queries."""
        return all(self.relations.frame_in(sql) in self.relations.on_driver for sql in queries)

    def _side(self, side: Side) -> DataFrame:
        """The distinct rows of one side, with its terms under their names behind its alias."""
        from pyspark.sql import functions as f

        keys = [key.strip('"') for key in side.keys]
        terms = [term.strip('"') for term in side.terms]
        columns = [f"{name} string" for name in (*keys, *terms)]
        columns += ["_record bigint"] if side.record else []
        rows = self.relations.select(side.plain, ", ".join(columns))
        grouped = rows.groupBy(*keys, *terms)
        distinct = (
            grouped.agg(f.min("_record").alias("_record")) if side.record else rows.distinct()
        )
        renamed = [f.col(term).alias(f"{side.alias} {term}") for term in terms]
        record = [f.col("_record")] if side.record else []
        return distinct.select(*keys, *renamed, *record)

    def _looked_up(self, lookup: Lookup) -> str:
        """The name of a frame with the rows of a lookup."""
        if self._are_on_driver(lookup.left, lookup.right):
            return self.relations.add_on_driver(lookup.sql)
        keys = [f"key {number}" for number in range(len(lookup.on))]
        name = self.relations.frame_in(lookup.left)
        columns = self._columns_of(lookup.left, name)
        child_keys = "".join(
            f', {child} AS "{key}"' for (child, _), key in zip(lookup.on, keys, strict=True)
        )
        schema = ", ".join([columns, *(f"`{key}` string" for key in keys)])
        rows = self.relations.select(
            f"SELECT c.*{child_keys} FROM {lookup.left} AS c WHERE {lookup.keyed}", schema
        )
        parent_keys = ", ".join(
            f'{parent} AS "{key}"' for (_, parent), key in zip(lookup.on, keys, strict=True)
        )
        parents = self.relations.select(
            f"SELECT DISTINCT {parent_keys} FROM {lookup.right} AS p",
            ", ".join(f"`{key}` string" for key in keys),
        )
        how = "left_semi" if lookup.has_match else "left_anti"
        return self.relations.add(rows.join(parents, keys, how))

    def _columns_of(self, sql: str, name: str) -> str:
        """The columns of a relation over a frame, in Spark's spelling: those of the frame, and of
        its lists the values.
        """
        columns = self.relations.frame(name).schema
        for column in re.findall(r'AS ("c[0-9]+(?: type)?#\w")', sql):
            columns += f", `{column[1:-1]}` string"
        return columns

    # -- the second step ---------------------------------------------------------------------------

    def write_lines(self, plan: Plan, path: Path | str, output: Output = CANONICAL) -> None:
        """Writes the lines of a prepared plan: to a file of the driver's machine, or as parts into
        a folder, with the statement table beside them.
        """
        if isinstance(path, Path):
            with path.open("wb") as target:
                self._copy_parts(self._lines(plan, output), target)
            return
        parts = f"{self._work}/parts"
        self._storage.create_folder(parts)
        self._name_parts(self._lines(plan, output), parts, "nq" if output.graphs else "nt")
        self._storage.create_folder(f"{parts}/statements")
        self._name_parts(self._statements(plan), f"{parts}/statements", "parquet")
        put_in_place(self._storage, parts, path, self._work)

    def make_statements(
        self, plan: Plan, declared: Sequence[Sequence[object]] = ()
    ) -> StatementTable:
        """The statement table of a prepared plan and of declared statements, in the driver's engine."""
        folder = self._statements(plan, declared)
        files = []
        for name, _ in self._written(folder):
            files.append(self._local.session.exchange / name)
            self._storage.bring(f"{folder}/{name}", files[-1])
        load_statements(self._local.session, files)
        for file in files:
            file.unlink()
        return StatementTable(self._local.session)

    def _lines(self, plan: Plan, output: Output) -> str:
        """The folder of the lines of a plan. On a disk the tasks write it themselves."""
        folder = f"{self._work}/lines"
        own = local_path(folder) if folder.startswith("file:") else None
        work = WriteLines(self._received(plan), replace(output, on_stage=None), own)
        rows = self._by_subject(work, "value string")
        if rows is not None and own:
            self._storage.create_folder(folder)
            rows.collect()
        elif rows is not None:
            rows.write.text(folder)
        return folder

    def _statements(self, plan: Plan, declared: Sequence[Sequence[object]] = ()) -> str:
        """The folder of the statement table of a plan and of declared statements."""
        import pyarrow as pa

        if declared:
            chunks = list(shares.declared_chunks(declared, self._width, _ROWS_OF_A_CHUNK))
            for chunk in chunks:
                firsts, counts = chunk["first"].to_pylist(), chunk["rows"].to_pylist()
                self._subjects += zip(firsts, counts, strict=True)
            added = self.spark.createDataFrame(pa.Table.from_batches(chunks)).drop("note")
            self._rows = added if self._rows is None else self._rows.unionByName(added)
        work = MakeStatements(self._received(plan), bool(declared))
        folder = f"{self._work}/statements"
        if (rows := self._by_subject(work, shares.STATEMENTS)) is not None:
            rows.write.parquet(folder)
        return folder

    def _by_subject(self, work: WriteLines | MakeStatements, schema: str) -> DataFrame | None:
        """What the second step makes of the rows, in partitions that are ranges of subjects."""
        if self._rows is None:
            return None
        from pyspark.sql import functions as f

        parts = max(1, -(-sum(count for _, count in self._subjects) // _ROWS_OF_A_PART))
        bounds = shares.bounds_of(self._subjects, parts)
        listed = f.array(*map(f.lit, bounds)).cast("array<string>")

        def place(subject: str) -> Column:
            return f.size(f.filter(listed, lambda bound: bound <= f.col(subject)))

        ranges = f.explode(f.sequence(place("first"), place("last"))).alias("part")
        by_range = self._rows.select(ranges, "chunk").repartitionById(len(bounds) + 1, "part")
        return by_range.mapInArrow(self._task(Chunks(tuple(bounds)), work), schema)

    def _task(self, loader: Loader, work: Callable[[Engine, Path, list[Note]], Batches]) -> Task:
        """The work of a step on a partition."""
        return Task(loader, work, self._memory, self.relations.has_functions)

    def _received(self, plan: Plan) -> Plan:
        """The plan as step 2 runs it."""
        selects = tuple(
            shares.share(item.number, select).received()
            for item, select in zip(self._shares, plan.selects, strict=True)
            if select.parts
        )
        return replace(plan, selects=selects)

    def _written(self, folder: str) -> list[tuple[str, int]]:
        """The parts in a folder that are not empty, in order."""
        files = self._storage.files(folder) if self._storage.exists(folder) else []
        return [(name, size) for name, size in files if name.startswith("part-") and size]

    def _name_parts(self, work: str, folder: str, suffix: str) -> None:
        """Moves the parts of a folder to one where their names are in order."""
        for number, (name, _) in enumerate(self._written(work)):
            self._storage.rename(f"{work}/{name}", f"{folder}/part-{number:05}.{suffix}")

    def _copy_parts(self, folder: str, target: BinaryIO) -> None:
        """Copies the parts of a folder into one file."""
        for name, _ in self._written(folder):
            with Path(local_path(f"{folder}/{name}")).open("rb") as part:
                shutil.copyfileobj(part, target, 1 << 20)

    def count_statements(self, plan: Plan) -> list[tuple[str, int]]:
        """How many statements each rule makes."""
        return [(plan.rules[number].name, count) for number, count in sorted(self._counts.items())]

    def progress(self) -> float:
        """Not known."""
        return -1.0
