"""The coverage of the records of a project beside that of its closed releases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.releases.coverage_figures import TableCoverage, share_of_all
from lodpipe.releases.ledger import read_ledger
from lodpipe.workflow.field_states import coverage_findings, coverage_of
from lodpipe.workflow.graph_contradictions import contradicted_fields, declared_contradictions
from lodpipe.workflow.record_rows import opened_records
from lodpipe.workflow.stated import stated


@dataclass(frozen=True)
class CoverageReport:
    """The tables, and of each the share of expected fields with a value by release (None: a field
    was not counted then).
    """

    tables: Sequence[TableCoverage]
    over_time: Mapping[str, Sequence[tuple[str, float | None]]]


def coverage_report(project: Project, table: str | None = None) -> CoverageReport:
    """The coverage of all declared tables or of one. Raises InvalidDeclaration (LP601) where none
    is declared, InvalidData for records that cannot be read.
    """
    rules = project.publication.coverage
    if not rules or (table and table not in {rule.table for rule in rules}):
        known = ", ".join(rule.table for rule in rules) or "none"
        detail = f"`coverage` declares no table {f'`{table}`' if table else ''}; declared: {known}"
        raise InvalidDeclaration([Finding("LP601", project.origin("coverage"), {"detail": detail})])
    tables = [item for item in _coverage(project) if table in (None, item.table)]
    ledger = read_ledger(project.root)
    over_time = {
        item.table: [
            (release.version, share_of_all(release.coverage, item.table, item.fields))
            for release in ledger.releases
        ]
        for item in tables
    }
    return CoverageReport(tables, over_time)


def _coverage(project: Project) -> list[TableCoverage]:
    """The coverage of the records; they are mapped where contradictions are looked up in the graph."""
    with opened_records(project) as opened:
        declared = opened.rows.declared
        if findings := list(coverage_findings(project, declared)):
            raise InvalidDeclaration(findings)
        if declared_contradictions(project) is None:
            return coverage_of(project, declared, opened.rows.tables, opened.rows.session)
    with stated(project) as graph:
        vocabulary, tables = graph.declarations.vocabulary, graph.tables
        contradicted = contradicted_fields(project, vocabulary, graph.statements, tables)
        return coverage_of(project, declared, tables, graph.statements.session, contradicted)
