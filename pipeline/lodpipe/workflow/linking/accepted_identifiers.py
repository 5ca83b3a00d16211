"""Identifiers of records that differ from those that people accepted in a review file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData, Severity
from lodpipe.documents.readers import read_text
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources import RecordTable, RowTable
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
    fields = sorted(columns & set(accepted))
    for number, identity, *values in _rows(session, table, [key, *fields]) if fields else ():
        for field, cell in zip(fields, values, strict=True):
            expected = accepted[field].get(str(identity))
            if cell is not None and expected and cell not in expected:
                params = {
                    "key": field,
                    "value": str(cell),
                    "expected": ", ".join(sorted(expected)),
                    "other": name,
                }
                where = table.locate(int(str(number)), field)
                yield Finding("LP241", where, params, Severity.WARNING)


def _rows(
    session: Session, table: RecordTable, columns: Sequence[str]
) -> Iterable[Sequence[object]]:
    """`_record` and these columns of each record; a query only where the engine alone has them."""
    if isinstance(table, RowTable):
        names = [column.name for column in table.columns]
        places = [0, *(2 + names.index(column) for column in columns)]
        return ([row[place] for place in places] for row in table.rows)
    cells = ", ".join(map(quote, columns))
    return session.rows(f"SELECT _record, {cells} FROM {quote(table.name)} ORDER BY _record")
