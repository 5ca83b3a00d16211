"""A check and a build, step by step: declarations, records, statements, checks, the gate, dist/."""

from __future__ import annotations

import contextlib
import dataclasses
import filecmp
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import _duckdb as duckdb
from msgspec.structs import replace

from lodpipe.checks import records as checks
from lodpipe.checks.consequences import BROKEN_REFERENCES, CascadeFilter
from lodpipe.checks.dependencies import Dependencies, tables_of_files
from lodpipe.checks.integrity import (
    counts,
    write_counts,
)
from lodpipe.checks.lost_zeros import with_lost_zeros
from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import (
    Finding,
    InvalidData,
    InvalidDeclaration,
    LodpipeError,
    Origin,
    Severity,
)
from lodpipe.diagnostics.progress import progress_line
from lodpipe.documents.readers import limited
from lodpipe.documents.snapshot import snapshot, unchanged
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.plan_engines import PlanEngine, engine_over
from lodpipe.engine.results import Failure
from lodpipe.engine.statements import Statements
from lodpipe.mapping.planning.compile_plan import compile_mapping
from lodpipe.mapping.planning.plan import Plan
from lodpipe.publish.catalogue import (
    carry_over,
    catalogue_findings,
    gate,
    write_catalogue,
    write_metadata,
    write_prefixes,
    write_release_folder,
    write_versions,
)
from lodpipe.publish.change_feeds import write_feeds, write_roots
from lodpipe.publish.deltas import write_deltas
from lodpipe.publish.dump_updates import MARK, OldDumps, mark
from lodpipe.publish.dumps import SHAPES, Job, checksums, origin_of, shapes_document, write_dumps
from lodpipe.queries.confined import Limits
from lodpipe.queries.samples import query_findings, stored
from lodpipe.queries.shacl_executables import executables
from lodpipe.releases.change_formats import View
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.coverage_figures import TableCoverage
from lodpipe.releases.edition import Edition, ReleaseState, edition_of, release_state
from lodpipe.releases.feed import event_of
from lodpipe.releases.gates import file_findings
from lodpipe.releases.history import History, history_of
from lodpipe.releases.ledger import Ledger, Release, checksums_of, read_ledger
from lodpipe.releases.naming import project_terms
from lodpipe.releases.patches import earlier_version
from lodpipe.runtime import scratch
from lodpipe.runtime.atomic import exclusive, prepare, swap
from lodpipe.runtime.machine import deadline, not_written
from lodpipe.shacl import shapes
from lodpipe.site.reuse import files_digest, program_digest
from lodpipe.sources import Lexicon, RecordReader, RecordTable, file_schema
from lodpipe.sources.file_tables import find_files
from lodpipe.sources.folders import Folders
from lodpipe.sources.inventory import unread_files
from lodpipe.workflow.admission import Admission, write_left_out
from lodpipe.workflow.baseline import write_baseline
from lodpipe.workflow.check_table import Subject, run_checks
from lodpipe.workflow.confirmed import Confirmed
from lodpipe.workflow.declarations import Declarations, other_records, read_declarations
from lodpipe.workflow.field_states import coverage_of
from lodpipe.workflow.graph_contradictions import contradicted_fields
from lodpipe.workflow.read_predicates import CachedAnswers, read_predicates
from lodpipe.workflow.resident import Resident

if TYPE_CHECKING:
    import rdflib

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Engines:
    """What runs the steps: `shacl` validates (columns, pyshacl; None: as in publication.yaml), `on`
    is the master of the Spark that runs the mapping: local[2], spark://HOST:PORT, yarn (None: this
    machine runs it). `resident` has what checks before this one have read and made.
    """

    shacl: str | None = None
    on: str | None = None
    resident: Resident | None = None

    @property
    def is_cluster(self) -> bool:
        """Whether other machines than this one may run tasks."""
        return self.on is not None and not self.on.startswith("local")


@dataclass
class Outcome:
    """A checked publication: its statements (while the engine is open) and the findings that are
    not errors.

    `project` is called what the edition is called: its version may differ from the one that
    publication.yaml declares.
    """

    project: Project
    declarations: Declarations
    statements: Statements
    findings: tuple[Finding, ...]
    declared: Project
    ledger: Ledger
    edition: Edition
    confirmed: Confirmed
    release: ReleaseState | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    engine: str = shapes.DEFAULT
    allow_loss: bool = False
    find_coverage: Callable[[], Sequence[TableCoverage]] = tuple
    find_labels: Callable[[], Mapping[str, Mapping[str, str]]] = dict
    admission: Admission | None = None

    @property
    def history(self) -> History:
        """What the catalogue and the pages say of releases."""
        return history_of(self.ledger, self.edition)

    @cached_property
    def coverage(self) -> Sequence[TableCoverage]:
        """Which expected fields of the records are known; a check does not ask for it."""
        return self.find_coverage()

    @cached_property
    def job(self) -> Job:
        """What the writers of dumps and pages need."""
        return Job(self.statements, self.project, self.declarations.vocabulary)

    @property
    def validator(self) -> shapes.Validator:
        """The SHACL engine of the run, on its connection."""
        return shapes.Validator(self.engine, self.statements.session.connection)

    def graph(self) -> rdflib.Graph:
        """The union of all graphs as an rdflib.Graph."""
        import rdflib

        graph = rdflib.Graph()
        for prefix, namespace in self.declarations.vocabulary.prefixes.items():
            graph.bind(prefix, namespace)
        return graph.parse(data=self.statements.ntriples(), format="nt")


def edited(outcome: Outcome, ledger: Ledger, edition: Edition) -> Outcome:
    """The same publication as another edition."""
    project = with_edition(outcome.declared, edition) if ledger else outcome.declared
    return dataclasses.replace(outcome, project=project, ledger=ledger, edition=edition)


def with_edition(project: Project, edition: Edition) -> Project:
    """A project whose publication is called what the edition is called."""
    publication = project.publication
    release = replace(publication.release, version=edition.version, date=edition.date)
    catalogue = replace(publication.catalogue, issued=edition.issued)
    changed = replace(publication, release=release, catalogue=catalogue)
    return dataclasses.replace(project, publication=changed)


# -- steps -----------------------------------------------------------------------------------------


@contextlib.contextmanager
def checked(
    project: Project, *, engines: Engines = Engines(), on_progress: Progress = lambda _: None, writable: Path | None = None, allow_loss: bool = False,
    queries: bool = True,
) -> Iterator[Outcome]:  # fmt: skip
    """Reads, maps and validates a project, and with `queries` runs its queries; yields the outcome
    while its engine is open.

    Raises InvalidData with every finding where one of them is an error; InvalidDeclaration and
    SourceError where it cannot begin.
    """
    admission = Admission(project)
    with _limited(
        _Run(project, engines, on_progress, writable, allow_loss, queries, admission)
    ) as outcome:
        yield outcome


def write_known(
    project: Project, file: str, engines: Engines, on_progress: Progress
) -> tuple[int, tuple[Finding, ...]]:
    """Writes the findings of a check that may be known ones into a file of the project; gives their
    number, and the findings that cannot be known. Raises what `checked` raises.
    """
    admission = Admission(project, collecting=True)
    with _limited(_Run(project, engines, on_progress, None, False, True, admission)) as outcome:
        number = write_baseline(project.root / file, admission.known, admission.index)
        return number, outcome.findings


@contextlib.contextmanager
def _limited(run: _Run) -> Iterator[Outcome]:
    """The outcome of a run, within the limits of publication.yaml."""
    limits = run.project.publication.limits
    with (
        limited(limits.for_readers()),
        deadline(limits.time),
        contextlib.ExitStack() as stack,
    ):
        yield _admitted(run, stack)


class _Run(NamedTuple):
    """A project to check, and how."""

    project: Project
    engines: Engines
    on_progress: Progress
    writable: Path | None
    allow_loss: bool
    queries: bool
    admission: Admission


@dataclass
class _Loaded:
    """The records of a run in an engine, with what reading, loading and checking them gave before
    severities count; `is_used` says that more than the records is in the engine.
    """

    declarations: Declarations
    lexicon: Lexicon
    reader: RecordReader
    tables: Mapping[str, RecordTable]
    engine: Engine
    of_files: Sequence[Finding]
    of_records: Sequence[Finding]
    is_used: bool = False


def _admitted(run: _Run, stack: contextlib.ExitStack) -> Outcome:
    """The outcome of the steps, again without records that are left out as long as there are more of
    them. Files are read once, and records loaded again only where other ones remain. Raises
    InvalidData.
    """
    run.on_progress("reading declarations")
    resident = run.engines.resident
    declarations = (
        resident.declarations(run.project) if resident else read_declarations(run.project)
    )
    run.on_progress("reading records")
    reader = RecordReader(
        run.project.root / "source",
        "source/",
        declarations.lexicon(run.project),
        resident.files if resident else None,
    )
    reader.read(declarations.tables.values())
    attempt = stack.enter_context(contextlib.ExitStack())
    loaded = None
    while True:
        try:
            loaded = loaded or _loaded(run, declarations, reader, attempt)
            return attempt.enter_context(_checked(run, loaded))
        except InvalidData as error:
            if not run.admission.retries(error.findings):
                raise
            run.on_progress("leaving out records with errors")
            if loaded is None or loaded.is_used or run.admission.changes_rows:
                attempt.close()
                loaded = None


def _loaded(
    run: _Run, declarations: Declarations, reader: RecordReader, stack: contextlib.ExitStack
) -> _Loaded:
    """Loads the records that are not left out, and checks them."""
    project, admission, tables = run.project, run.admission, reader.tables
    admission.read(reader, tables, declarations.tables)
    memory, resident = project.publication.memory, run.engines.resident
    session = resident.session(memory) if resident else None
    engine = stack.enter_context(Engine(memory, root=project.root / "source", session=session))
    patterns = [
        pattern
        for table in declarations.tables.values()
        if not table.files.root
        for pattern in table.files.patterns
    ]
    unused_files = unread_files(
        project.root,
        (project.origins, project.publication.ignore),
        patterns,
        _files_used(project, reader, declarations),
    )
    unread = checks.unread_keys(reader.unread_keys, declarations.tables)
    of_loading = engine.load(tables.values(), run.writable)
    of_files = [*reader.findings, *unused_files, *unread, *of_loading]
    admission.loaded(engine.records, tables)
    subject = Subject(project, declarations, engine.session, tables)
    with engine.session.light_planning():
        of_records = run_checks("records", subject)
    return _Loaded(declarations, reader.lexicon, reader, tables, engine, of_files, of_records)


@contextlib.contextmanager
def _checked(run: _Run, loaded: _Loaded) -> Iterator[Outcome]:
    """The steps of `checked` after the records are loaded."""
    project, engines, admission = run.project, run.engines, run.admission
    on_progress, writable, allow_loss = run.on_progress, run.writable, run.allow_loss
    declarations, reader, tables = loaded.declarations, loaded.reader, loaded.tables
    lexicon, running = loaded.lexicon, loaded.engine
    with contextlib.ExitStack() as stack:
        session = running.session
        subject = Subject(project, declarations, session, tables)
        early = admission.rated(loaded.of_files)
        of_records = admission.rated(loaded.of_records)
        early = checks.without_repetitions([*early, *of_records])
        early = with_lost_zeros(
            early,
            tables,
            declarations.tables,
            lexicon,
            {
                name: checks.keys_of(session, tables[name], declarations.tables[name])
                for name in sorted(
                    {finding.params["table"] for finding in early if finding.code == "LP206"}
                )
            },
        )
        unread_tables = reader.unread(early)
        hidden = [
            finding
            for finding in early
            if finding.code in BROKEN_REFERENCES and finding.params["table"] in unread_tables
        ]
        early = [finding for finding in early if finding not in hidden]
        cascade = CascadeFilter(
            early,
            hidden,
            tables,
            Dependencies(
                declarations.mapping, declarations.tables, declarations.vocabulary.namespaces
            ),
            tables_of_files(reader.files_of),
        )
        if unread_tables:
            # Without whole tables, the graph would only repeat the same error in many places.
            admission.gate(cascade.grouped(early))
        on_progress("mapping records")
        loaded.is_used = True
        running.records.add_table(
            "concepts", *declarations.vocabulary.concept_rows(project.publication.languages)
        )
        shared = project.dist if engines.is_cluster else None  # a folder that all machines reach
        mapper = stack.enter_context(engine_over(running, engines.on, writable or shared))
        try:
            plan, failures = prepared_plan(project, declarations, mapper)
        except InvalidDeclaration as error:
            # A query may not be able to convert a value that is wrong in a record.
            if all("Conversion Error" in item.params.get("detail", "") for item in error.findings):
                admission.gate(cascade.grouped(early))
            raise
        of_mapping = [
            *plan.findings,
            *checks.mapping_findings(failures, mapper.locate, project.publication.on_invalid_value),
        ]
        of_mapping = cascade.without_consequences(admission.rated(of_mapping))
        cascade.add(of_mapping)
        early += of_mapping
        with progress_line(mapper.progress, "mapping"):
            mapper.make_statements(
                plan if failures else plan.sound(),
                declared_statements(project, declarations),
            )
        statements = Statements(
            running,
            plan.rules,
            declarations.vocabulary,
            project.root,
            declarations.withdrawn.origins,
        )
        ledger = read_ledger(project.root)
        limits = Limits(project.publication.limits.query)
        confirmed = Confirmed(project.root, project.dist, is_written=writable is not None)
        of_queries = confirmed.key("queries", ("publication.yaml", "queries"), statements.digest)
        # The store of the queries is loaded by its own process meanwhile.
        queries_to_run = (
            declarations.queries if run.queries and not confirmed.knows(of_queries) else ()
        )
        answers = CachedAnswers(queries_to_run, statements, project.root)
        unknown = answers.unknown(queries_to_run)
        store = (
            stack.enter_context(stored(statements, limits, read_predicates(unknown)))
            if unknown
            else None
        )
        state = stack.enter_context(
            release_state(project.root, project.publication, ledger, statements)
        )
        on_progress("validating statements")
        subject = replace(
            subject,
            statements=statements,
            shacl_engine=engines.shacl,
            release=state,
            confirmed=confirmed,
        )
        late = run_checks("statements", subject)
        if allow_loss:
            late = [finding for finding in late if finding.code not in ("LP513", "LP547")]
        late = cascade.without_consequences(admission.rated(late), statements.is_described)
        findings = admission.gate(cascade.grouped([*early, *late], statements.is_described))
        if queries_to_run:
            on_progress("running queries")
            of_store = query_findings(queries_to_run, store, project.root, answers.keep)
            results = admission.rated(confirmed.findings(of_queries, of_store))
            findings = admission.gate([*findings, *results])
        edition = state.edition if state else edition_of(project.publication)
        yield Outcome(
            with_edition(project, edition) if state else project,
            declarations,
            statements,
            admission.last(findings),
            project,
            ledger,
            edition,
            confirmed,
            state,
            counts(session, tables),
            engines.shacl or project.publication.shacl_engine,
            allow_loss,
            lambda: coverage_of(
                project,
                declarations.tables,
                tables,
                session,
                contradicted_fields(project, declarations.vocabulary, statements, tables),
            ),
            lambda: checks.labels_of(session, tables, declarations.tables),
            admission,
        )


def _files_used(project: Project, reader: RecordReader, declarations: Declarations) -> list[str]:
    """The files that were read as records, and those that the mapping names itself."""
    sources = declarations.mapping.sources
    folders = Folders(project.root / "source")
    named = []
    for source in sources:
        if source.kind not in ("table", "query", "sql"):
            with contextlib.suppress(LodpipeError):  # reported where the file is read
                named += [name for _, name in find_files(source.text, source.origin, folders)]
            named.append(source.text)
    databases = [
        source.database.removeprefix("sqlite:///") for source in sources if source.database
    ]
    return [*(name for names in reader.files_of.values() for name in names), *named, *databases]


def prepared_plan(
    project: Project, declarations: Declarations, engine: PlanEngine
) -> tuple[Plan, list[Failure]]:
    """The plan of the mapping and the checks that rows fail; named queries become tables first, so
    that later ones can use them.
    """
    mapping = declarations.mapping
    if findings := engine.define(mapping.sources):
        raise InvalidDeclaration(findings)
    patterns = declarations.vocabulary.patterns
    light = engine.plans_lightly(patterns)
    base = project.publication.base
    return engine.prepare(
        lambda: compile_mapping(mapping, base, engine.sources, patterns, light=light)
    )


def declared_statements(project: Project, declarations: Declarations) -> list[list[object]]:
    """The statements that come from no record: the ontology's own, in the graph that
    publication.yaml names for them, and those of withdrawn IRIs.
    """
    graph = f"<{project.publication.base}{project.publication.graph}>"
    own = [(s, p, o, graph) for s, p, o, _ in declarations.vocabulary.triples]
    return [[*quad, None, None] for quad in (*own, *declarations.withdrawn.statements)]


# -- dist/ -----------------------------------------------------------------------------------------


def build(
    project: Project, *, engines: Engines = Engines(), on_progress: Progress = lambda _: None,
    fail_on: Severity | None = Severity.ERROR, allow_loss: bool = False, site: bool = True,
) -> tuple[Finding, ...]:  # fmt: skip
    """Builds dist/ completely or not at all, and returns the findings below `fail_on`.

    The new folder is written beside the old one and then replaces it in one step. Raises what
    `checked` raises, InvalidData for a finding of severity `fail_on` or above, and SourceError
    (LP701, LP702, LP704) where dist/ cannot be written or the sources change meanwhile.
    """
    with exclusive(project.root):
        target = prepare(project.root)
        try:
            others = other_records(project.root)
            before = snapshot(project.root, others)
            with checked(
                project,
                engines=engines,
                on_progress=on_progress,
                writable=target,
                allow_loss=allow_loss,
            ) as outcome:
                findings = outcome.findings
                if fail_on is not None and any(finding.severity >= fail_on for finding in findings):
                    raise InvalidData(findings)
                on_progress("writing dumps")
                write_dist(outcome, target)
                written = bool(site and project.publication.site) and write_pages(
                    outcome, target, on_progress
                )
            unchanged(project.root, before, others)
            swap(target, project.dist, keeping="" if written else "site")
        except BrokenPipeError:
            raise
        except (OSError, duckdb.IOException) as error:
            raise not_written(error) from None
        finally:
            scratch.delete(target)
    return findings


def write_dist(outcome: Outcome, folder: Path) -> None:
    """Everything that a build makes, into an empty folder."""
    job = outcome.job
    write_dumps(
        job, folder, OldDumps(outcome.project.dist, lambda: origin_of(job, program_digest()))
    )
    _write_schemas(outcome, folder / "schema")
    declared = outcome.declarations
    write_catalogue(
        outcome.project,
        outcome.statements,
        declared.vocabulary,
        declared.withdrawn,
        folder,
        outcome.history,
    )
    _write_releases(outcome, folder)
    if queries := outcome.declarations.queries:
        (folder / "queries.ttl").write_text(
            executables(outcome.project.publication, queries), "utf-8", newline="\n"
        )
    write_prefixes(outcome.project.publication.base, job.prefixes, folder)
    write_metadata(outcome.project.publication.base, folder)
    write_counts(outcome.counts, folder)
    if outcome.admission:
        languages = outcome.project.publication.languages
        write_left_out(folder, outcome.admission.left_out_document(languages))
    sums = checksums(folder)
    gate(_catalogue_findings(outcome, folder, sums))
    (folder / "SHA256SUMS").write_text(sums, "utf-8")


def _catalogue_findings(outcome: Outcome, folder: Path, sums: str) -> Iterable[Finding]:
    """What is wrong with a catalogue, of a folder with these checksums."""
    findings: Iterable[Finding] = catalogue_findings(outcome.project, folder, outcome.validator)
    if outcome.engine != shapes.DEFAULT:
        return findings
    session = outcome.statements.session
    if session.remembers:
        versions = (
            sums,
            files_digest(outcome.project.root, ("releases", "shapes")),
            outcome.edition,
        )
        now = findings
        findings = session.cached_for("findings of the catalogue", versions, lambda: list(now))
    key = outcome.confirmed.key(
        "catalogue",
        ("publication.yaml", "releases", "shapes"),
        outcome.project.publication.version,
        sums,
    )
    return outcome.confirmed.findings(key, findings)


def _write_releases(outcome: Outcome, folder: Path) -> None:
    """The folders of closed releases: those of the old dist/ as they are; the edition's own is
    written if it is new or missing.

    Raises InvalidData (LP547) where a closed release that is missing cannot be written as it was.
    """
    dist = outcome.project.dist
    for release in outcome.ledger.releases:
        if release.files and (dist / release.folder).is_dir():
            carry_over(dist, folder, release.folder)
        elif release is outcome.edition.closed:
            target = write_release_folder(
                outcome.project, outcome.statements, folder, outcome.history
            )
            with _since_last_release(outcome, release) as changes:
                if changes:
                    terms = project_terms(outcome.project, outcome.declarations.vocabulary)
                    write_deltas(changes, View(terms), target)
                event = event_of(outcome.project.publication.base, outcome.ledger, release)
                session = outcome.statements.session
                write_feeds(event, outcome.ledger, changes or session, folder)
            (target / "SHA256SUMS").write_text(checksums(target), "utf-8")
            if release.files and release.files != checksums_of(target):
                # An earlier version of the program wrote it otherwise.
                if not outcome.allow_loss:
                    raise InvalidData(file_findings(outcome.ledger, folder))
                scratch.delete(target)
    if outcome.ledger:
        write_roots(outcome.project.publication, outcome.ledger, folder)
        write_versions(outcome.history.releases, outcome.project.publication.base, folder)


@contextlib.contextmanager
def _since_last_release(outcome: Outcome, release: Release) -> Iterator[ChangeSet | None]:
    """The changes from the release before to a closed one; None for the first."""
    previous, state = outcome.history.previous, outcome.release
    if previous is None or state is None:
        yield None
    elif state.changes is not None:
        yield state.changes.named(previous.version, release.version)
    else:
        with (
            earlier_version(outcome.ledger, state.current, release, previous) as old,
            ChangeSet(old, state.current) as changes,
        ):
            yield changes.named(previous.version, release.version)


def write_pages(outcome: Outcome, target: Path, on_progress: Progress) -> bool:
    """Writes site/ into the new dist/ unless the pages of the old one are up to date; returns
    whether it did.
    """
    # Templates and their engine are loaded where pages are written only.
    from lodpipe.site.writer import Declared, Releases, is_fresh, link_tree, site_digest, write_site

    project = outcome.project
    others = other_records(project.root) if project.publication.repository else ()
    records = {"source", *(name for names in others for name in names())}
    digest = site_digest(outcome.project, outcome.statements, target, outcome.coverage, records)
    old = outcome.project.dist
    if is_fresh(old / "site", digest):
        # A folder that was changed by hand is replaced; its pages stay.
        if checksums(old) != checksums(target):
            link_tree(old / "site", target / "site")
        return False
    on_progress("writing pages")
    declared = outcome.declarations
    write_site(
        outcome.project,
        outcome.statements,
        Declared(
            declared.vocabulary,
            declared.shapes,
            declared.queries,
            Releases(outcome.ledger, outcome.history),
            outcome.coverage,
        ),
        target,
        digest,
    )
    outcome.confirmed.write(target / "site")
    sums = (target / "SHA256SUMS").read_text("utf-8")
    (target / "site" / MARK).write_text(
        mark(origin_of(outcome.job, program_digest()), sums), "utf-8"
    )
    return True


def _write_schemas(outcome: Outcome, folder: Path) -> None:
    """A JSON Schema for each record file, for the editor's completion."""
    folder.mkdir()
    lexicon = outcome.declarations.editing_lexicon(outcome.project, outcome.find_labels())
    for table in outcome.declarations.tables.values():
        schema = file_schema(table, lexicon, f"{table.name} ({table.files})")
        (folder / f"{table.name}.schema.json").write_text(
            json.dumps(schema, ensure_ascii=False, indent=1) + "\n", "utf-8"
        )


def stale(outcome: Outcome) -> Iterator[Finding]:
    """A warning where dist/ is missing, damaged, or was built from other sources."""
    dist, name = outcome.project.dist, outcome.project.publication.name

    def warning(detail: str) -> Finding:
        return Finding("LP504", Origin("dist"), {"detail": detail}, Severity.WARNING)

    if not dist.is_dir():
        yield warning("it has not been built yet")
        return
    sums, current_sums = dist / "SHA256SUMS", checksums(dist)
    if not sums.is_file() or sums.read_bytes() != current_sums.encode():
        yield warning("its files are not those of SHA256SUMS")
    master = dist / f"{name}.nq"
    changed = master.is_file() and not filecmp.cmp(
        master, outcome.statements.lines(graphs=True), shallow=False
    )
    if changed:
        yield warning("the records, the mapping or the ontology have changed since")
    published, queries = dist / "queries.ttl", outcome.declarations.queries
    if published.is_file() != bool(queries) or (
        queries
        and published.read_text("utf-8") != executables(outcome.project.publication, queries)
    ):
        yield warning("the queries have changed since")
    published_shapes = dist / SHAPES
    current_shapes = shapes_document(outcome.project.root, outcome.project.publication.base)
    if (
        published_shapes.read_text("utf-8") if published_shapes.is_file() else ""
    ) != current_shapes:
        yield warning("the shapes have changed since")
    yield from (
        finding
        for finding in _catalogue_findings(outcome, dist, current_sums)
        if not (changed and finding.code == "LP531")  # what changed data entail
    )
