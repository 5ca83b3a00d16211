"""Runs a mapping without a project: any RML, R2RML or YARRRML file to any RDF format."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lodpipe.checks import records as checks
from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    Severity,
    SourceError,
)
from lodpipe.diagnostics.progress import progress_line
from lodpipe.documents.readers import read_tree
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import Stage, write_lines
from lodpipe.engine.run_plan import count_statements, has_failures, make_statements
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.model import MappingDocument, ReferencingMap, TermMap
from lodpipe.mapping.plan import Plan, compile_mapping
from lodpipe.mapping.yarrrml import read_yarrrml
from lodpipe.rdf.turtle import TermWriter, write_trig, write_turtle
from lodpipe.runtime.machine import unwritable, whole_file

Progress = Callable[[str], None]
FORMATS = ("nq", "nt", "ttl", "trig")
_NO_STATEMENT = {"LP304", "LP307"}


@dataclass(frozen=True)
class MappingOptions:
    """How a mapping is run.

    `base` is the base IRI of a mapping that has none; `database` the address of the database of a
    mapping that names none: sqlite:///FILE or postgresql://USER@HOST/NAME. With values that make no
    valid term, `error` stops the run before anything is written; `warn` and `skip` leave their
    statements out. With `counts`, progress includes the number of statements of each rule.
    """

    base: str = "http://example.com/base/"
    database: str | None = None
    sort: bool = True
    memory: str = "1GB"
    on_invalid_value: str = "error"
    counts: bool = False


def map_file(
    mapping: Path,
    out: Path | None = None,
    options: MappingOptions = MappingOptions(),
    *,
    on_progress: Progress = lambda _: None,
) -> tuple[Finding, ...]:
    """Runs a mapping; sources are relative to its folder. Writes to `out` by its suffix, else
    N-Quads to standard output.

    Returns the findings that did not stop the run. Raises InvalidDeclaration, InvalidData,
    SourceError.
    """
    suffix = out.suffix[1:].lower() if out else "nq"
    if suffix not in FORMATS:
        raise InvalidDeclaration(
            [
                Finding(
                    "LP601",
                    None,
                    {"detail": f"unknown format `{suffix}`; known: {', '.join(FORMATS)}"},
                )
            ]
        )
    document = read_mapping(mapping, options.base)
    root = mapping.resolve().parent
    sort_rows = options.sort and suffix in ("nq", "nt") and _is_plain(document)
    with (
        Engine(options.memory, root=root, database=options.database, sort=sort_rows) as engine,
        _output(out) as target,
    ):
        engine.load([], target.parent)
        if findings := engine.relations.define(document.sources):
            raise InvalidDeclaration(findings)
        plan = compile_mapping(document, options.base, engine.relations, {})
        on_progress("checking values")
        if engine.relations.is_sorted and has_failures(engine.session, plan):
            # Sorted rows have lost their places in the file, which the findings name.
            engine.relations.read_unsorted()
            plan = compile_mapping(document, options.base, engine.relations, {})
        findings = (
            _invalid_values(engine, plan, options.on_invalid_value)
            if not engine.relations.is_sorted
            else []
        )
        if all(finding.code in _NO_STATEMENT for finding in findings):
            plan = plan.sound()
        on_progress("writing statements")
        writer = _Writer(engine, plan, document, options, on_progress)
        with progress_line(writer.percent, "writing"):
            writer.write(target, suffix)
        if options.counts:
            for rule, number in count_statements(engine.session, plan):
                on_progress(f"{number:>12,}  {rule}")
    return (*plan.findings, *findings)


def read_mapping(path: Path, base: str) -> MappingDocument:
    """A mapping file by its suffix: .yaml and .yml are YARRRML, anything else is RML or R2RML in
    Turtle.
    """
    if path.suffix.lower() in (".yaml", ".yml"):
        return read_yarrrml(read_tree(path, path.name), path.name, {})
    from lodpipe.mapping.rml import read_rml

    return read_rml(path, path.name, base)


def _is_plain(document: MappingDocument) -> bool:
    """Whether a row needs only its own columns: no other row, and no number."""
    triples_maps = document.triples_maps.values()
    objects = [
        item for triples_map in triples_maps for rule in triples_map.rules for item in rule.objects
    ]
    terms = [triples_map.subject for triples_map in triples_maps] + [
        item for item in objects if isinstance(item, TermMap)
    ]
    has_joins = any(isinstance(item, ReferencingMap) and item.joins for item in objects)
    return not has_joins and all(term.expression.parts for term in terms)


def _invalid_values(engine: Engine, plan: Plan, policy: str) -> list[Finding]:
    """The findings of the plan's checks. A record without a key for its subject, or without its
    parent, is no error: RML makes no statement.
    """
    findings = [
        replace(finding, severity=Severity.INFO) if finding.code in _NO_STATEMENT else finding
        for finding in checks.mapping_findings(engine, plan, policy)
    ]
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidData(findings)
    return findings


class _Writer:
    """Writes the statements of a plan. Knows how far it has come, for a terminal, and reports each
    finished part with its rate.
    """

    def __init__(
        self,
        engine: Engine,
        plan: Plan,
        document: MappingDocument,
        options: MappingOptions,
        on_progress: Progress,
    ) -> None:
        self._engine, self._plan, self._document, self._options = engine, plan, document, options
        self._on_progress = on_progress
        self._stage: Stage | None = None
        self._started = time.perf_counter()

    def write(self, path: Path, suffix: str) -> None:
        """Writes a file of one of FORMATS."""
        if suffix in ("nq", "nt"):
            on_stage = (
                self._on_stage if self._options.counts or sys.stderr.isatty() else None
            )  # counting lines takes time
            write_lines(
                self._engine,
                self._plan,
                path,
                sort=self._options.sort,
                graphs=suffix == "nq",
                on_stage=on_stage,
            )
            return
        make_statements(self._engine.session, self._plan, [])
        base = self._document.base or self._options.base
        statements = StatementTable(self._engine.session)
        terms = TermWriter(base, self._document.prefixes)
        with path.open("w", encoding="utf-8", newline="\n") as file:
            if suffix == "ttl":
                write_turtle(statements.triples(), file, terms)
            else:
                write_trig(statements.by_graph(), file, terms)

    def percent(self) -> float:
        """The share of the present part that is done; below zero where that is not known."""
        return self._stage.share if self._stage else self._engine.session.progress()

    def _on_stage(self, stage: Stage) -> None:
        self._stage = stage
        if self._options.counts and stage.share == 100:
            seconds = time.perf_counter() - self._started
            self._on_progress(
                f"{stage.lines:>12,}  lines of {stage.name}, {stage.lines / max(seconds, 1e-3):,.0f} a second"
            )
            self._started = time.perf_counter()


@contextlib.contextmanager
def _output(out: Path | None) -> Iterator[Path]:
    """Where to write the file: it replaces `out` when it is complete, or is then copied to standard
    output (or a pipe).
    """
    if out is not None and (out.is_file() or not out.exists()):
        with whole_file(out) as target:
            yield target
        return
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder:
        yield Path(folder) / "out"
        try:
            with (
                (Path(folder) / "out").open("rb") as file,
                contextlib.nullcontext(sys.stdout.buffer)
                if out is None
                else out.open("wb") as target,
            ):
                shutil.copyfileobj(file, target)
                target.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SourceError([unwritable(out.name if out else "standard output", error)]) from None


__all__ = ["FORMATS", "MappingOptions", "map_file", "read_mapping"]
