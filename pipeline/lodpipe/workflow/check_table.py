"""All checks in one table, in the order in which their findings are collected.

A new check is a function of findings (in `checks/`, or beside what it looks at) and a row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct

from lodpipe.checks import (
    file_names,
    hygiene,
    integrity,
    languages,
    lint,
    plausibility,
    record_rules,
    records,
    unlike_texts,
    unmade_properties,
    yaml_texts,
)
from lodpipe.config import open_answers
from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.engine.statements import Statements
from lodpipe.publish.catalogue import declaration_findings
from lodpipe.releases.edition import ReleaseState
from lodpipe.releases.gates import release_findings
from lodpipe.releases.naming import project_terms
from lodpipe.releases.withdrawn_references import broken_references, withdrawn_references
from lodpipe.shacl import shapes
from lodpipe.sources import RecordTable
from lodpipe.workflow.confirmed import Confirmed
from lodpipe.workflow.declarations import Declarations
from lodpipe.workflow.field_states import coverage_findings
from lodpipe.workflow.linking.accepted_identifiers import identifier_findings
from lodpipe.workflow.record_paths import link_findings

Phase = Literal["records", "statements"]


class Subject(Struct, frozen=True):
    """What a check may look at; statements exist in the phase `statements` only."""

    project: Project
    declarations: Declarations
    session: Session
    tables: Mapping[str, RecordTable]
    statements: Statements | None = None
    shacl_engine: str | None = None
    release: ReleaseState | None = None
    confirmed: Confirmed | None = None

    @property
    def graph(self) -> Statements:
        """The statements. Checks of the phase `records` must not ask for them."""
        if self.statements is None:
            raise AssertionError("there are no statements in the phase `records`")
        return self.statements

    @property
    def today(self) -> str:
        """The day that dates of the past are compared with."""
        return plausibility.day_of_check(self.project.publication.date)

    @property
    def keys(self) -> dict[str, str]:
        """The key of each record table that has one."""
        return {name: table.key for name, table in self.declarations.tables.items() if table.key}


class Check(NamedTuple):
    """A check: its name, whether it looks at records or at statements, and what it finds."""

    name: str
    phase: Phase
    run: Callable[[Subject], Iterable[Finding]]


def _records(subject: Subject) -> Iterable[Finding]:
    declarations = subject.declarations
    lexicon = declarations.lexicon(subject.project)
    findings = records.record_findings(
        subject.session, subject.tables, declarations.tables, lexicon
    )

    def ids_of(table: str) -> set[str]:
        return records.keys_of(subject.session, subject.tables[table], declarations.tables[table])

    return broken_references(findings, declarations.withdrawn, ids_of)


def _plausibility(subject: Subject) -> Iterable[Finding]:
    return plausibility.plausibility_findings(
        plausibility.RecordSource(
            subject.session,
            subject.tables,
            subject.declarations.tables,
            subject.today,
            subject.project.root,
        )
    )


def _rules(subject: Subject) -> Iterable[Finding]:
    project = subject.project
    declared = (subject.tables[name] for name in subject.declarations.tables)
    if not record_rules.have_records(subject.session, declared):
        return []  # each rule would report what only follows from the file that cannot be read
    return record_rules.rule_findings(
        subject.session, project.publication.rules, subject.tables, project.origin("rules")
    )


def _shapes(subject: Subject) -> Iterator[Finding]:
    declared, graph = subject.declarations.shapes, subject.graph
    engine = subject.shacl_engine or subject.project.publication.shacl_engine
    yield from declared.findings

    def violations() -> Iterator[Finding]:
        results, inner = shapes.validated(graph, declared, engine)
        vocabulary = subject.declarations.vocabulary
        of_shapes = shapes.findings(results, declared, graph, vocabulary, inner)
        mapping, root = subject.declarations.mapping, subject.project.root
        yield from unmade_properties.with_unmade_properties(
            of_shapes, declared, mapping, vocabulary, root
        )

    if subject.confirmed is None or engine != shapes.DEFAULT:
        yield from violations()
        return
    files = ("publication.yaml", "ontology", "shapes")
    key = subject.confirmed.key("shapes", files, graph.digest)
    yield from subject.confirmed.findings(key, violations())


def _lint(subject: Subject) -> Iterable[Finding]:
    declared = subject.declarations
    return lint.lint_findings(
        subject.graph,
        declared.vocabulary,
        declared.shapes,
        declared.mapping.prefixes,
        subject.project,
        declared.tables.values(),
    )


def _withdrawn(subject: Subject) -> Iterator[Finding]:
    withdrawn = subject.declarations.withdrawn
    yield from withdrawn.check(subject.graph)
    yield from withdrawn_references(withdrawn, subject.graph)


def _losses(subject: Subject) -> Iterable[Finding]:
    project = subject.project
    limit = project.publication.max_loss_percent
    if limit is None:
        return []
    current = integrity.counts(subject.session, subject.tables)
    # Many small losses between two releases are a large one.
    before = (
        subject.release.ledger.last.counts.records
        if subject.release
        else integrity.read_counts(project.dist)
    )
    return integrity.loss_findings(current, before, limit, project.origin("max_loss_percent"))


def _releases(subject: Subject) -> Iterable[Finding]:
    if subject.release is None:
        return []
    project = subject.project
    return release_findings(
        subject.release,
        project,
        subject.graph,
        project_terms(project, subject.declarations.vocabulary),
        {project.publication.base + local for local in subject.declarations.withdrawn.successors},
    )


def _site(subject: Subject) -> Iterator[Finding]:
    project = subject.project
    if project.publication.site is False:
        return
    from lodpipe.site.declaration import repository_findings, site_findings

    yield from repository_findings(project)
    if not isinstance(project.publication.site, bool):
        yield from site_findings(project, subject.session, subject.declarations.vocabulary)


def _placeholders(subject: Subject) -> Iterator[Finding]:
    project = subject.project
    for part in ("publisher", "contact"):
        if getattr(project.publication, part).placeholder:
            yield Finding("LP506", project.origin(part), {"part": part}, Severity.WARNING)
    publication = project.publication
    for keys, value, unknown in (
        (("licence",), publication.licence, open_answers.LICENCE),
        (("release", "date"), publication.date, open_answers.DATE),
    ):
        if value == unknown:
            params = {"part": ".".join(keys), "value": value}
            yield Finding("LP516", project.origin(*keys), params, Severity.WARNING)


def _hosting(subject: Subject) -> Iterator[Finding]:
    project = subject.project
    if not project.publication.is_reachable:
        base = project.publication.base
        yield Finding("LP539", project.origin("base"), {"value": base}, Severity.WARNING)
    if value := project.publication.circular_hosting:
        yield Finding("LP553", project.origin("hosting"), {"value": value})


CHECKS: tuple[Check, ...] = (
    Check(
        "declarations of coverage",
        "records",
        lambda subject: coverage_findings(subject.project, subject.declarations.tables),
    ),
    Check(
        "declarations of links",
        "records",
        lambda subject: link_findings(subject.project, subject.declarations.tables),
    ),
    Check("values, keys and references of records", "records", _records),
    Check(
        "chronology of records",
        "records",
        lambda subject: integrity.order_findings(
            subject.session,
            subject.tables,
            lambda column: plausibility.out_of_range(column, subject.today),
        ),
    ),
    Check(
        "clean texts of records",
        "records",
        lambda subject: hygiene.hygiene_findings(subject.session, subject.tables),
    ),
    Check(
        "texts unlike the others of their field",
        "records",
        lambda subject: unlike_texts.unlike_text_findings(subject.session, subject.tables),
    ),
    Check(
        "items of lists",
        "records",
        lambda subject: records.repeated_items(subject.session, subject.tables),
    ),
    Check(
        "names of record files",
        "records",
        lambda subject: file_names.file_name_findings(subject.tables, subject.keys),
    ),
    Check(
        "spellings without umlauts",
        "records",
        lambda subject: hygiene.transliteration_findings(subject.session, subject.tables),
    ),
    Check(
        "languages of texts",
        "records",
        lambda subject: languages.language_findings(subject.session, subject.tables),
    ),
    Check("plausible values of records", "records", _plausibility),
    Check(
        "texts that YAML cuts or joins",
        "records",
        lambda subject: yaml_texts.yaml_text_findings(
            subject.project.root,
            subject.session,
            subject.tables,
            subject.declarations.tables.values(),
        ),
    ),
    Check("quotes in CSV", "records", lambda subject: plausibility.stray_quotes(subject.tables)),
    Check("rules of publication.yaml", "records", _rules),
    Check(
        "accepted identifiers",
        "records",
        lambda subject: identifier_findings(
            subject.project, subject.session, subject.tables, subject.keys
        ),
    ),
    Check("shapes", "statements", _shapes),
    Check(
        "duplicates and counts",
        "statements",
        lambda subject: integrity.integrity_findings(
            subject.session, subject.project, subject.tables, subject.keys
        ),
    ),
    Check("unused terms, shapes and prefixes", "statements", _lint),
    Check("unsafe links", "statements", lambda subject: records.unsafe_links(subject.graph)),
    Check(
        "control characters",
        "statements",
        lambda subject: records.control_characters(
            subject.graph, subject.project.publication.dumps
        ),
    ),
    Check("lost records", "statements", _losses),
    Check("changes since the last release", "statements", _releases),
    Check(
        "declarations of the catalogue",
        "statements",
        lambda subject: declaration_findings(subject.project, subject.graph),
    ),
    Check("withdrawn IRIs", "statements", _withdrawn),
    Check("declarations of the pages", "statements", _site),
    Check(
        "terms of vocabularies",
        "statements",
        lambda subject: records.vocabulary_findings(subject.graph, subject.declarations.vocabulary),
    ),
    Check(
        "unused records",
        "statements",
        lambda subject: records.unused_records(
            subject.session, subject.tables, subject.declarations.tables
        ),
    ),
    Check(
        "unused fields",
        "statements",
        lambda subject: records.unused_fields(
            subject.tables, subject.declarations.tables, subject.declarations.mapping
        ),
    ),
    Check("placeholders", "statements", _placeholders),
    Check("addresses of downloads", "statements", _hosting),
)


def run_checks(phase: Phase, subject: Subject) -> list[Finding]:
    """The findings of all checks of a phase."""
    return [finding for check in CHECKS if check.phase == phase for finding in check.run(subject)]
