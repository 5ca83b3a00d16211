"""Rules of publication.yaml that are queries over the record tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import _duckdb as duckdb

from lodpipe.checks.hygiene import excerpt
from lodpipe.config.publication_keys import RecordRule
from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import quote
from lodpipe.sources import RecordTable, RowTable
from lodpipe.sources.record_tables import table_number

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def have_records(session: Session, tables: Iterable[RecordTable]) -> bool:
    """Whether each table has records; one whose file cannot be read has none."""
    return all(
        bool(table.rows)
        if isinstance(table, RowTable)
        else bool(table.files and session.rows(f"SELECT 1 FROM {quote(table.name)} LIMIT 1"))
        for table in tables
    )


def rule_findings(
    session: Session,
    rules: Sequence[RecordRule],
    tables: Mapping[str, RecordTable],
    where: Origin,
) -> Iterator[Finding]:
    """A finding for each row of each rule's query, at the record that its `_record` names."""
    by_number = {table.number: table for table in tables.values()}
    for rule in rules:
        try:
            result = session.connection.execute(rule.query)
            names = [column[0] for column in result.description or ()]
            rows = result.fetchall()
        except duckdb.Error as error:
            detail = f"rules: {str(error).splitlines()[0]}"
            yield Finding("LP601", where, {"detail": detail})
            continue
        if "_record" not in names:
            detail = "rules: the query has no column `_record`"
            yield Finding("LP601", where, {"detail": detail})
            continue
        if detail := _undeclared(rule, names, tables):
            yield Finding("LP601", where, {"detail": f"rules: {detail}"})
            continue
        for row in rows:
            yield _finding(rule, by_number, dict(zip(names, row, strict=True)))


def _undeclared(rule: RecordRule, names: Sequence[str], tables: Mapping[str, RecordTable]) -> str:
    """What a rule names that neither its query nor a table has."""
    texts = (text for texts in (rule.message, rule.help) for text in texts.values())
    used = {name for text in texts for name in _PLACEHOLDER.findall(text)}
    if unknown := sorted(used - set(names)):
        return f"the query has no column `{unknown[0]}`"
    fields = {column.name for table in tables.values() for column in table.columns}
    return "" if rule.field in fields else f"there is no field `{rule.field}`"


def _finding(
    rule: RecordRule, tables: Mapping[int, RecordTable], row: Mapping[str, object]
) -> Finding:
    def filled(texts: Mapping[str, str], language: str) -> str:
        text = texts.get(language) or next(iter(texts.values()))
        return _PLACEHOLDER.sub(
            lambda match: excerpt(str(row[match[1]])) if match[1] in row else match[0], text
        )

    record = int(str(row["_record"]))
    params = {
        f"{part}_{language}": filled(texts, language)
        for part, texts in (("message", rule.message), ("help", rule.help))
        for language in ("en", "de")
    }
    table = tables[table_number(record)]
    severity = Severity[rule.severity.upper()]
    return Finding("LP238", table.locate(record, rule.field), params, severity)
