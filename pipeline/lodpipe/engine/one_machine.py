"""The plan engine of one machine: DuckDB, on all cores, out of core."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import write_lines
from lodpipe.engine.python_functions import PythonFunction, register
from lodpipe.engine.relations import Relations
from lodpipe.engine.results import CANONICAL, Failure, Output
from lodpipe.engine.run_plan import (
    count_statements,
    failures,
    make_statements,
    prepare_light_plan,
)
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.planning.plan import Plan


class OneMachine:
    """Runs plans over the relations of an engine (engine/duckdb.py)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def sources(self) -> Relations:
        """What the plan is made over."""
        return self._engine.relations

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Runs each query into a table; gives a finding for each wrong one (LP604)."""
        return self._engine.relations.define(sources)

    def define_python(self, functions: Sequence[PythonFunction]) -> None:
        """Makes Python functions known to the session."""
        register(self._engine.session, functions)

    def plans_lightly(self, patterns: Mapping[str, str]) -> bool:
        """Whether the data is so small that a light plan is quicker."""
        return prepare_light_plan(self._engine.session, patterns)

    def prepare(self, compile_plan: Callable[[], Plan]) -> tuple[Plan, list[Failure]]:
        """The plan, and the checks that rows fail."""
        session = self._engine.session
        plan = session.cached(f"plan, {session.is_small}", compile_plan)
        numbered_rows = self._engine.relations.numbered_rows
        return plan, list(failures(session, plan, numbered_rows))

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record, or of the value of one of its columns."""
        return self._engine.records.locate(record, column)

    def write_lines(self, plan: Plan, path: Path | str, output: Output = CANONICAL) -> None:
        """Writes the statements of a plan as N-Quads or N-Triples, straight from its rows."""
        write_lines(self._engine, plan, Path(path), output)

    def make_statements(
        self, plan: Plan, declared: Sequence[Sequence[object]] = ()
    ) -> StatementTable:
        """The statement table of a plan and of declared statements, in the place of an earlier one."""
        table = StatementTable(self._engine.session)
        table.drop()
        make_statements(self._engine.session, plan, declared)
        return table

    def count_statements(self, plan: Plan) -> list[tuple[str, int]]:
        """How many statements each rule makes, in the order of the mapping."""
        return count_statements(self._engine.session, plan)

    def progress(self) -> float:
        """How much of the running query is done, in per cent; below zero where it is unknown."""
        return self._engine.session.progress()
