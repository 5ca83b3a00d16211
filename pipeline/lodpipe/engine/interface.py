"""What runs the plan of a mapping: DuckDB on one machine (duckdb.py), or Apache Spark (spark/).

Nothing above the engine knows which of the two it is. Both run the same SQL of the same plan, and
give the same statements, lines and findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.model import LogicalSource
from lodpipe.mapping.plan import Check, Plan, Sources


class Stage(Struct, frozen=True):
    """How far a part of the file has come: the triples maps that make it, the share of their rows
    in per cent, the lines written.
    """

    name: str
    share: float
    lines: int


OnStage = Callable[[Stage], None]


class Failure(Struct, frozen=True):
    """A check that rows fail: how many do, and the first of these records with their values."""

    check: Check
    count: int
    samples: Sequence[tuple[int | None, str]]


class Output(Struct, frozen=True):
    """Lines as they are wanted: with graphs (N-Quads) or without (N-Triples), sorted or in any
    order.
    """

    graphs: bool = True
    sort: bool = True
    on_stage: OnStage | None = None


class PlanEngine(Protocol):
    """Runs the plan of a mapping that names its sources itself."""

    @property
    def sources(self) -> Sources:
        """What the plan is made over."""

    def define(self, sources: Iterable[LogicalSource]) -> list[Finding]:
        """Prepares queries that later sources name; gives a finding for each wrong one (LP604)."""

    def prepare(self, compile_plan: Callable[[], Plan]) -> tuple[Plan, list[Failure]]:
        """Makes the plan over the sources, and gives it with the checks that rows fail.

        Raises what compiling raises, InvalidData and SourceError for sources that cannot be read.
        """

    def locate(self, record: int, column: str | None = None) -> Origin:
        """The place of a record in its file, or of the value of one of its columns."""

    def write_lines(self, plan: Plan, path: Path, output: Output) -> None:
        """Writes the statements of a prepared plan to a file."""

    def count_statements(self, plan: Plan) -> list[tuple[str, int]]:
        """How many statements each rule makes."""

    def progress(self) -> float:
        """How much of what is running is done, in per cent; below zero where it is unknown."""
