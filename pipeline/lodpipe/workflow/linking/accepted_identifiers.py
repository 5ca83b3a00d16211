"""Identifiers of records that differ from those that people accepted in a review file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData, Severity
from lodpipe.documents.readers import read_text
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources import RecordTable
from lodpipe.workflow.linking.review_file import Review, read_review

FOLDER = "links"


def identifier_findings(
    project: Project,
    session: Session,
    tables: Mapping[str, RecordTable],
    keys: Mapping[str, str],
) -> Iterator[Finding]:
    """Identifiers of other items than the accepted ones: warnings.

    A review file that cannot be read is reported by `lodpipe link`.
    """
    for path in sorted((project.root / FOLDER).glob("*.yaml")):
        name = f"{FOLDER}/{path.name}"
        try:
            review = read_review(read_text(path, name), name)
        except InvalidData:
            continue
        table, key = tables.get(review.table), keys.get(review.table)
        if table is not None and key is not None:
            yield from _differing(review, name, (session, table, key))


def _differing(
    review: Review, name: str, records: tuple[Session, RecordTable, str]
) -> Iterator[Finding]:
    session, table, key = records
    columns = {column.name for column in table.columns}
    accepted: dict[str, dict[str, set[str]]] = {}
    for proposal in review.proposals:
        if proposal.accept:
            for field, value in proposal.identifiers.items():
                accepted.setdefault(field, {}).setdefault(proposal.record, set()).add(value)
    for field in sorted(columns & set(accepted)):
        sql = f"SELECT _record, {quote(key)}, {quote(field)} FROM {quote(table.name)} WHERE {quote(field)} IS NOT NULL ORDER BY _record"
        for record, identity, value in session.rows(sql):
            expected = accepted[field].get(identity)
            if expected and value not in expected:
                params = {
                    "key": field, "value": value, "expected": ", ".join(sorted(expected)), "other": name,
                }  # fmt: skip
                yield Finding("LP241", table.locate(record, field), params, Severity.WARNING)
