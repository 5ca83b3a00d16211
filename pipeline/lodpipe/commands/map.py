"""Runs a mapping by itself, without a project: any RML, R2RML or YARRRML file to any RDF format."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from lodpipe.checks import records as checks
from lodpipe.diagnostics.finding import Finding, InvalidData, InvalidDeclaration, Severity, SourceError
from lodpipe.diagnostics.progress import shown
from lodpipe.documents.readers import read_tree
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.nquads_writer import Stage, write_lines
from lodpipe.engine.run_plan import count_statements, has_failures, make_statements
from lodpipe.engine.session import Session
from lodpipe.engine.statements import StatementTable
from lodpipe.mapping.model import MappingDocument, ReferencingMap, TermMap
from lodpipe.mapping.plan import Plan, compile_mapping
from lodpipe.mapping.yarrrml import read_yarrrml
from lodpipe.rdf.turtle import TermWriter, write_trig, write_turtle
from lodpipe.runtime.machine import unwritable, whole_file

Progress = Callable[[str], None]
FORMATS = ("nq", "nt", "ttl", "trig")
_NOTHING_MADE = {"LP304", "LP307"}


def map_file(
    mapping: Path,
    out: Path | None = None,
    *,
    base: str = "http://example.com/base/",
    database: str | None = None,
    sort: bool = True,
    memory: str = "1GB",
    bad_values: str = "error",
    counts: bool = False,
    say: Progress = lambda _: None,
) -> tuple[Finding, ...]:
    """Runs a mapping; sources are relative to its folder. Writes to `out` by its suffix, else N-Quads to standard output.

    `database` is the address of the database where the mapping names none: sqlite:///FILE or postgresql://USER@HOST/NAME.
    Gives what was found on the way that did not stop the run.
    `say` hears each step and, with `counts`, how many statements each rule made.

    `bad_values` says what values that make no valid term do: `error` stops the run before anything is written, `warn` and `skip` leave
    their statements out. Raises InvalidDeclaration, InvalidData, SourceError.
    """
    suffix = out.suffix[1:].lower() if out else "nq"
    if suffix not in FORMATS:
        raise InvalidDeclaration([Finding("LP601", None, {"detail": f"format `{suffix}` is not known; known are {', '.join(FORMATS)}"})])
    document = read_mapping(mapping, base)
    root = mapping.resolve().parent
    presort = sort and suffix in ("nq", "nt") and _is_plain(document)
    with Engine(memory, root=root, database=database, sort=presort) as engine, _output(out) as made:
        engine.load([], made.parent)
        if findings := engine.relations.define(document.sources):
            raise InvalidDeclaration(findings)
        plan = compile_mapping(document, base, engine.relations, {})
        say("checking values")
        if engine.relations.is_sorted and has_failures(engine.session, plan):
            # Rows in order have lost their places in the file, which the findings tell.
            engine.relations.read_unsorted()
            plan = compile_mapping(document, base, engine.relations, {})
        findings = _bad_values(engine, plan, bad_values) if not engine.relations.is_sorted else []
        if all(one.code in _NOTHING_MADE for one in findings):
            plan = plan.sound()
        say("writing statements")
        watch = _Watch(engine.session, say if counts else None)
        with shown(watch.percent, "writing"):
            _write(engine, plan, made, suffix, sort, document, base, watch)
        if counts:
            for rule, number in count_statements(engine.session, plan):
                say(f"{number:>12,}  {rule}")
    return (*plan.findings, *findings)


def read_mapping(path: Path, base: str) -> MappingDocument:
    """A mapping file by its suffix: .yaml and .yml are YARRRML, anything else is RML or R2RML in Turtle."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return read_yarrrml(read_tree(path, path.name), path.name, {})
    from lodpipe.mapping.rml import read_rml

    return read_rml(path, path.name, base)


def _is_plain(document: MappingDocument) -> bool:
    """Whether a row needs nothing but its own columns: no other row, and no number."""
    items = [item for one in document.triples_maps.values() for rule in one.rules for item in rule.objects]
    terms = [one.subject for one in document.triples_maps.values()] + [item for item in items if isinstance(item, TermMap)]
    return not any(isinstance(item, ReferencingMap) and item.joins for item in items) and all(term.expression.parts for term in terms)


def _bad_values(engine: Engine, plan: Plan, policy: str) -> list[Finding]:
    """What the checks of the plan find. A record without a key for its subject, or without its parent, is no error: RML makes nothing of it."""
    found = checks.mapping_findings(engine, plan, policy)
    found = [replace(one, severity=Severity.INFO) if one.code in _NOTHING_MADE else one for one in found]
    if any(one.severity is Severity.ERROR for one in found):
        raise InvalidData(found)
    return found


class _Watch:
    """Keeps how far the lines have come, for a terminal, and tells each finished part of the file with its rate where that is wanted."""

    def __init__(self, session: Session, say: Progress | None) -> None:
        self.session, self.say = session, say
        self.stage: Stage | None = None
        self.started = time.perf_counter()

    @property
    def wanted(self) -> bool:
        """Whether anybody looks; counting lines takes time."""
        return self.say is not None or sys.stderr.isatty()

    def percent(self) -> float:
        """The share of the present part that is done; below zero where that is not known."""
        return self.stage.share if self.stage else self.session.progress()

    def hear(self, stage: Stage) -> None:
        """Takes note of a stage."""
        self.stage = stage
        if self.say and stage.share == 100:
            passed = time.perf_counter() - self.started
            self.say(f"{stage.lines:>12,}  lines of {stage.name}, {stage.lines / max(passed, 1e-3):,.0f} a second")
            self.started = time.perf_counter()


def _write(engine: Engine, plan: Plan, path: Path, suffix: str, sort: bool, document: MappingDocument, base: str, watch: _Watch) -> None:
    if suffix in ("nq", "nt"):
        write_lines(engine, plan, path, sort=sort, graphs=suffix == "nq", on_stage=watch.hear if watch.wanted else None)
        return
    make_statements(engine.session, plan, [])
    table = StatementTable(engine.session)
    terms = TermWriter(document.base or base, document.prefixes)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        if suffix == "ttl":
            write_turtle(table.triples(), file, terms)
        else:
            write_trig(table.by_graph(), file, terms)


@contextlib.contextmanager
def _output(out: Path | None) -> Iterator[Path]:
    """Where to write the file that takes its place at `out` when it is complete, or is then sent to standard output (or a pipe)."""
    if out is not None and (out.is_file() or not out.exists()):
        with whole_file(out) as made:
            yield made
        return
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder:
        yield Path(folder) / "out"
        try:
            with (Path(folder) / "out").open("rb") as file, contextlib.nullcontext(sys.stdout.buffer) if out is None else out.open("wb") as target:
                shutil.copyfileobj(file, target)
                target.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise SourceError([unwritable(out.name if out else "standard output", error)]) from None


__all__ = ["FORMATS", "map_file", "read_mapping"]
