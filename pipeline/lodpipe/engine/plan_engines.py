"""What runs the plan of a mapping: DuckDB on one machine (one_machine.py), or Apache Spark (spark/).

Nothing above the engine knows which of the two it is. Both run the same SQL of the same plan, and
give the same statements, lines and findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.one_machine import OneMachine
from lodpipe.engine.python_functions import PythonFunction
from lodpipe.engine.results import Failure, Output
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import Plan, Sources
from lodpipe.sources.folders import Folders


class PlanEngine(Protocol):
    """Runs the plan of a mapping over the record tables and the files that it names."""

    @property
    def sources(self) -> Sources:
        """What the plan is made over."""

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Prepares queries that later sources name; gives a finding for each wrong one (LP604)."""

    def define_python(self, functions: Sequence[PythonFunction]) -> None:
        """Makes Python functions known to the engine; only one of a single machine is asked to."""

    def plans_lightly(self, patterns: Mapping[str, str]) -> bool:
        """Whether the plan should be a light one (`compile_mapping`), which is quicker for few
        records; then own datatypes with these patterns are known to the engine.
        """

    def prepare(self, compile_plan: Callable[[], Plan]) -> tuple[Plan, list[Failure]]:
        """Makes the plan over the sources, and gives it with the checks that rows fail.

        Raises what compiling raises, InvalidData and SourceError for sources that cannot be read.
        """

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record in its file, or of the value of one of its columns."""

    def write_lines(self, plan: Plan, path: Path | str, output: Output) -> None:
        """Writes the statements of a prepared plan to a file, or as parts into a folder."""

    def make_statements(
        self, plan: Plan, declared: Sequence[Sequence[object]] = ()
    ) -> StatementTable:
        """The statement table of a prepared plan and of statements that come from no record, which
        are rows of the same columns.
        """

    def count_statements(self, plan: Plan) -> list[tuple[str, int]]:
        """How many statements each rule makes."""

    def progress(self) -> float:
        """How much of what is running is done, in per cent; below zero where it is unknown."""


class EngineSettings(Struct, frozen=True):
    """What an engine needs to know.

    `folders` are those of the files that a mapping names itself, `database` the address of the
    database where it names none; `sort` allows to sort files while they are read; `on` is the
    master of Spark, None for this machine; `counts` says that statements will be counted by rule;
    `objects` of Python take the place of the sources with their names.
    """

    folders: Folders
    database: str | None = None
    memory: str = "1GB"
    sort: bool = False
    on: str | None = None
    counts: bool = False
    objects: Mapping[str, object] = {}


@contextmanager
def open_engine(settings: EngineSettings, target: Path | str) -> Iterator[PlanEngine]:
    """The engine for a run without a project that writes to a target; closes it at the end."""
    writable = Path(target).parent if settings.on is None else None
    with Engine(
        settings.memory, root=settings.folders, database=settings.database, sort=settings.sort
    ) as local:
        local.load([], writable)
        if settings.objects:
            local.relations.replace_sources(settings.objects)
        with engine_over(local, settings.on, target, counts=settings.counts) as engine:
            yield engine


@contextmanager
def engine_over(
    local: Engine, on: str | None, target: Path | str | None = None, *, counts: bool = False
) -> Iterator[PlanEngine]:
    """The engine for plans over what `local` has loaded; it leaves `local` open.

    Spark stores rows beside `target` while it runs, or in the temporary folder without one.
    """
    if on is None:
        yield OneMachine(local)
        return
    from lodpipe.engine.spark.engine import SparkEngine
    from lodpipe.engine.spark.targets import work_folder

    with work_folder(target) as work, SparkEngine(on, local, work, counts=counts) as spark:
        if isinstance(target, str):
            spark.check_target(target)
        yield spark
