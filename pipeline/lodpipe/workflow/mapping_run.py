"""Runs a mapping without a project: any RML, R2RML or YARRRML file to any RDF format."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from lodpipe.checks import records as checks
from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    Origin,
    Severity,
    SourceError,
    set_of,
)
from lodpipe.diagnostics.progress import progress_line
from lodpipe.documents.readers import read_tree_as
from lodpipe.engine.plan_engines import EngineSettings, PlanEngine, open_engine
from lodpipe.engine.results import Failure, Output, Stage
from lodpipe.mapping.functions.functions import FunctionTable
from lodpipe.mapping.model import MappingDocument, ReferencingMap, TermMap, all_maps
from lodpipe.mapping.planning.compile_plan import compile_mapping
from lodpipe.mapping.planning.plan import Plan
from lodpipe.mapping.shared_sources import with_shared_sources
from lodpipe.mapping.yarrrml.yarrrml_reader import read_yarrrml
from lodpipe.rdf.turtle import TermWriter, write_trig, write_turtle
from lodpipe.runtime.machine import unwritable, whole_file
from lodpipe.runtime.whole_files import whole_files
from lodpipe.sources.folders import Folders
from lodpipe.workflow.own_functions import read_user_functions
from lodpipe.workflow.target_files import (
    TargetFile,
    TargetFolders,
    TargetWriter,
    Written,
    target_files,
    without_targets,
)

Progress = Callable[[str], None]
FORMATS = ("nq", "nt", "ttl", "trig")
YARRRML_SUFFIXES = (".yaml", ".yml", ".yarrrml")
_NO_STATEMENT = {"LP304", "LP307"}


@dataclass(frozen=True)
class MappingOptions:
    """How a mapping is run.

    `base` is the base IRI of a mapping that has none; `database` the address of the database of a
    mapping that names none: sqlite:///FILE or postgresql://USER@HOST/NAME. With values that make no
    valid term, `error` stops the run before anything is written; `warn` and `skip` leave their
    statements out. With `counts`, progress includes the number of statements of each rule. `on` is
    the master of the Spark that runs it: local[2], spark://HOST:PORT, yarn. `functions` are files with
    functions of the user's: SQL in YAML, or Python, which runs on one machine only. `roots` are
    folders in which the mapping may name files by absolute paths. `empty` says what an empty cell of
    CSV or element of XML is where the source declares no nulls: `value`, `null`, or by default what
    docs/file-sources.md says.
    """

    base: str = "http://example.com/base/"
    database: str | None = None
    sort: bool = True
    memory: str = "1GB"
    on_invalid_value: str = "error"
    counts: bool = False
    on: str | None = None
    functions: tuple[Path, ...] = ()
    roots: tuple[Path, ...] = ()
    empty: str | None = None


def map_file(
    mapping: Path,
    out: Path | str | None = None,
    options: MappingOptions = MappingOptions(),
    *,
    on_progress: Progress = lambda _: None,
    on_written: Callable[[Written], None] = lambda _: None,
) -> tuple[Finding, ...]:
    """Runs a mapping; sources are relative to its folder. Writes to `out` by its suffix, else
    N-Quads to standard output. A folder (with a slash at its end, or in a store) gets parts.

    Statements with logical targets go to their files instead; all files take their places together.
    `on_written` gets each of them then, and the default output.

    Returns the findings that did not stop the run. Raises InvalidDeclaration, InvalidData,
    SourceError.
    """
    wanted = _Target.of(out, options.on)
    own = read_user_functions(options.functions, options.on)
    document = read_mapping(mapping, options.base, own.table)
    document = with_empty_texts(document, options.empty)
    files = _files_of_targets(document, mapping, wanted, options)
    is_line_format = wanted.suffix in ("nq", "nt") or bool(files)
    sort_rows = options.sort and is_line_format and _is_plain(document)
    settings = EngineSettings(
        Folders(mapping.resolve().parent, Path.cwd(), options.roots),
        options.database,
        options.memory,
        sort_rows,
        options.on,
        options.counts,
    )
    with _outputs(wanted, files) as (target, parts), open_engine(settings, target) as engine:
        own.register(engine)
        plan, findings = prepare_plan(engine, document, options, on_progress)
        on_progress("writing statements")
        writer = _Writer(engine, plan, document, options, on_progress)
        with progress_line(writer.percent, "writing"):
            written = [*writer.write_targets(files, parts), writer.write(target, wanted)]
        if options.counts:
            for rule, number in engine.count_statements(plan):
                on_progress(f"{number:>12,}  {rule}")
    for item in written if files else ():
        on_written(item)
    return findings


def prepare_plan(
    engine: PlanEngine, document: MappingDocument, options: MappingOptions, on_progress: Progress
) -> tuple[Plan, tuple[Finding, ...]]:
    """The plan of a mapping over its sources, with the findings that do not stop the run.

    Raises InvalidDeclaration, InvalidData, SourceError.
    """
    document = with_shared_sources(document)
    if wrong_queries := engine.define(document.sources):
        raise InvalidDeclaration(wrong_queries)
    on_progress("checking values")
    plan, failures = engine.prepare(
        lambda: compile_mapping(document, options.base, engine.sources, {})
    )
    findings = _invalid_values(failures, engine.locate, options.on_invalid_value)
    plan = plan.sound(
        [failure.check for failure in failures if failure.check.code not in _NO_STATEMENT]
    )
    return plan, (*plan.findings, *findings)


def write_plan(
    engine: PlanEngine,
    plan: Plan,
    document: MappingDocument,
    options: MappingOptions,
    out: Path | str,
) -> None:
    """Writes all statements of a prepared plan to a file by its suffix, those with logical targets,
    too.

    Raises InvalidDeclaration (LP601) for an unknown one, SourceError.
    """
    wanted = _Target.of(out, None)
    with _outputs(wanted, ()) as (target, _):
        writer = _Writer(engine, plan, document, options, lambda _: None)
        writer.has_targets = False
        writer.write(target, wanted)


def read_mapping(
    path: Path,
    base: str,
    functions: FunctionTable | None = None,
    prefixes: Mapping[str, str] | None = None,
) -> MappingDocument:
    """A mapping file by its suffix: .yaml, .yml and .yarrrml are YARRRML, anything else is RML or R2RML in
    Turtle.
    """
    if path.suffix.lower() in YARRRML_SUFFIXES:
        return read_yarrrml(
            read_tree_as("yaml", path, path.name), path.name, dict(prefixes or {}), functions
        )
    from lodpipe.mapping.rml.rml_reader import read_rml

    return read_rml(path, path.name, base, functions)


def with_empty_texts(document: MappingDocument, policy: str | None) -> MappingDocument:
    """The mapping with a policy for empty texts in all CSV and XML sources that declare no nulls."""
    if policy is None:
        return document
    nulls = ("",) if policy == "null" else ()
    maps = {
        name: structs.replace(item, source=structs.replace(item.source, nulls=nulls))
        if item.source.kind in ("csv", "xml") and not item.source.nulls
        else item
        for name, item in document.triples_maps.items()
    }
    return structs.replace(document, triples_maps=maps)


def _files_of_targets(
    document: MappingDocument, mapping: Path, wanted: _Target, options: MappingOptions
) -> tuple[TargetFile, ...]:
    """The files of the mapping's logical targets. Raises InvalidDeclaration (LP602)."""
    if options.on is not None and document.targets:
        detail = "logical targets are not written by Spark; run the mapping without --on"
        raise InvalidDeclaration([Finding("LP602", document.targets[0].origin, {"detail": detail})])
    folders = TargetFolders(mapping.resolve(), Path.cwd(), options.roots)
    return target_files(document, folders, Path(wanted.path) if wanted.path else None)


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
    gathers = any(
        isinstance(item, TermMap) and item.gather
        for triples_map in triples_maps
        for item in all_maps(triples_map)
    )
    has_views = any(triples_map.source.view for triples_map in triples_maps)
    return not (has_joins or gathers or has_views) and all(term.expression.parts for term in terms)


def _invalid_values(
    failures: Sequence[Failure], locate: Callable[[int, str | None], Origin], policy: str
) -> list[Finding]:
    """The findings of the plan's checks. A record without a key for its subject, or without its
    parent, is no error: RML makes no statement.
    """
    findings = [
        replace(finding, severity=Severity.INFO) if finding.code in _NO_STATEMENT else finding
        for finding in set_of(checks.mapping_findings(failures, locate, policy))
    ]
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise InvalidData(findings)
    return findings


@dataclass(frozen=True)
class _Target:
    """Where statements are written: a file, standard output (no path), or a folder of parts."""

    path: str | None
    suffix: str
    is_folder: bool = False

    @classmethod
    def of(cls, out: Path | str | None, on: str | None) -> _Target:
        """The target of a path; parts are written by Spark into a folder, or into a store.

        Raises InvalidDeclaration (LP601).
        """
        if out is None:
            return cls(None, "nq")
        path = str(out)
        is_folder = path.endswith("/") or "://" in path or Path(path).is_dir()
        suffix = Path(path).suffix[1:].lower() or ("nq" if is_folder else "")
        known = ("nq", "nt") if is_folder else FORMATS
        if is_folder and on is None:
            raise _wrong(f"`{path}` is a folder; parts are written with --on")
        if suffix not in known:
            raise _wrong(f"unknown format `{suffix}`; known: {', '.join(known)}")
        return cls(path.rstrip("/"), suffix, is_folder)


def _wrong(detail: str) -> InvalidDeclaration:
    return InvalidDeclaration([Finding("LP601", None, {"detail": detail})])


class _Writer:
    """Writes the statements of a plan, those without targets apart from the others. Knows how far it has come, for a terminal, and reports each
    finished part with its rate.
    """

    def __init__(
        self,
        engine: PlanEngine,
        plan: Plan,
        document: MappingDocument,
        options: MappingOptions,
        on_progress: Progress,
    ) -> None:
        self._engine, self._plan, self._options = engine, plan, options
        self._terms = TermWriter(document.base or options.base, document.prefixes)
        self.has_targets = bool(document.targets)
        self._on_progress = on_progress
        self._lines: dict[str, int] = {}
        self._stage: Stage | None = None
        self._started = time.perf_counter()

    def write(self, path: Path | str, target: _Target) -> Written:
        """Writes a file of one of FORMATS, or a folder of parts; counts its statements where there
        are targets.
        """
        is_counted = self.has_targets or self._options.counts or sys.stderr.isatty()
        on_stage = self._on_stage if is_counted else None  # counting lines takes time
        output = Output(target.suffix != "nt", self._options.sort, on_stage)
        name = target.path or "standard output"
        plan = without_targets(self._plan) if self.has_targets else self._plan
        if target.suffix in ("nq", "nt"):
            self._engine.write_lines(plan, path, output)
            return Written(name, sum(self._lines.values()))
        statements = self._engine.make_statements(plan)
        with Path(path).open("w", encoding="utf-8", newline="\n") as file:
            if target.suffix == "ttl":
                write_turtle(statements.triples(), file, self._terms)
            else:
                write_trig(statements.by_graph(), file, self._terms)
        return Written(name, statements.count()[target.suffix == "ttl"] if self.has_targets else 0)

    def write_targets(
        self, files: Sequence[TargetFile], parts: Sequence[Path]
    ) -> Iterator[Written]:
        """Writes the files of the targets."""
        return TargetWriter(self._engine, self._plan, self._terms).write(files, parts)

    def percent(self) -> float:
        """The share of the present part that is done; below zero where that is not known."""
        return self._stage.share if self._stage else self._engine.progress()

    def _on_stage(self, stage: Stage) -> None:
        self._stage = stage
        self._lines[stage.name] = stage.lines
        if self._options.counts and stage.share == 100:
            seconds = time.perf_counter() - self._started
            self._on_progress(
                f"{stage.lines:>12,}  lines of {stage.name}, {stage.lines / max(seconds, 1e-3):,.0f} a second"
            )
            self._started = time.perf_counter()


@contextlib.contextmanager
def _outputs(
    wanted: _Target, files: Sequence[TargetFile]
) -> Iterator[tuple[Path | str, Sequence[Path]]]:
    """Where to write the default output and the files of targets, which take their places together
    when they are complete. What goes to standard output (or a pipe) is copied there then. A folder
    of parts is replaced by who writes it.
    """
    if wanted.is_folder:
        yield wanted.path or "", ()
        return
    out = None if wanted.path is None else Path(wanted.path)
    if out is None or (out.exists() and not out.is_file()):
        with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder:
            with whole_files([file.path for file in files]) as parts:
                yield Path(folder) / "out", parts
            _copy(Path(folder) / "out", out)
    elif files:
        with whole_files([out, *(file.path for file in files)]) as (target, *parts):
            yield target, parts
    else:
        with whole_file(out) as target:
            yield target, ()


def _copy(path: Path, out: Path | None) -> None:
    """Copies a file to standard output or to what is no file. Raises SourceError."""
    try:
        with (
            path.open("rb") as file,
            contextlib.nullcontext(sys.stdout.buffer) if out is None else out.open("wb") as target,
        ):
            shutil.copyfileobj(file, target)
            target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SourceError([unwritable(out.name if out else "standard output", error)]) from None


__all__ = [
    "FORMATS",
    "MappingOptions",
    "map_file",
    "prepare_plan",
    "read_mapping",
    "write_plan",
]
