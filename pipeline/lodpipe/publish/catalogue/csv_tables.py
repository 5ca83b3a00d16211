"""CSV tables beside the dumps: keys stay texts, formulas stay harmless."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import _duckdb as duckdb

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import PublishedTable, TableColumn
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.engine.sql_session import Session
from lodpipe.publish.catalogue.table_metadata import WrittenTable, write_metadata

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXT = TableColumn()
_MOST_KEYS = 10  # that are reported of a table


def write_tables(
    session: Session, project: Project, vocabulary: Vocabulary, folder: Path
) -> list[WrittenTable]:
    """tables/NAME.csv and what describes them; returns the tables. Raises InvalidDeclaration
    (LP604) for a query that fails, and for a table that refers to rows that are not there.
    """
    tables = project.publication.tables
    if not tables:
        return []
    target = folder / "tables"
    target.mkdir()
    written, values = [], _Values()
    for number, table in enumerate(tables):
        header, rows = _rows(session, project, table, number)
        values.add(table, header, rows)
        path = target / f"{table.name}.csv"
        _write_csv(path, table, header, rows)
        written.append(WrittenTable(table, header, path))
    if findings := list(values.dangling(project, written)):
        raise InvalidDeclaration(findings)
    write_metadata(project.publication, vocabulary, written, target)
    return written


class _Values:
    """The values of the columns that take part in references, by table and column."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], set[str]] = {}

    def add(
        self, table: PublishedTable, header: Sequence[str], rows: Sequence[Sequence[Any]]
    ) -> None:
        """Keeps the keys of a table and what its columns refer to."""
        for place, name in enumerate(header):
            column = table.columns.get(name, _TEXT)
            if column.references or [name] == list(table.key):
                self._of[table.name, name] = {_spelt(row[place]) for row in rows} - {""}

    def dangling(self, project: Project, tables: Sequence[WrittenTable]) -> Iterator[Finding]:
        """References to rows that are not there, or to a column that is no key."""
        for number, table in enumerate(tables):
            for name, reference in table.references:
                target = self._of.get((reference.table, reference.column))
                origin = project.origin("tables", number, "columns", name, "references")
                if target is None:
                    detail = f"`{reference.column}` is not the key of a table `{reference.table}`"
                    yield Finding("LP604", origin, {"detail": detail})
                elif missing := self._of[table.declared.name, name] - target:
                    detail = f"column `{name}` has {len(missing)} values that are not in `{reference.table}`: {min(missing)}"
                    yield Finding("LP604", origin, {"detail": detail})


def query_findings(session: Session, project: Project) -> Iterator[Finding]:
    """Queries of publication.yaml that are no SQL over the tables there are, or give other columns
    than are declared (LP604).
    """
    own = project.publication.catalogue
    for sql, path in (
        (own.spatial and own.spatial.points, ("catalogue", "spatial", "points")),
        (own.derived_from, ("catalogue", "derived_from")),
    ):
        if sql:
            yield from _failure(session, project, sql, *path)[0]
    for number, table in enumerate(project.publication.tables):
        findings, header = _failure(session, project, table.query, "tables", number, "query")
        yield from findings
        missing = [item for item in (*table.key, *table.columns) if item not in header]
        if table.key and not findings and not missing:
            yield from _wrong_keys(session, project, table, number)
        for column in [] if findings else missing:
            yield Finding(
                "LP604",
                project.origin("tables", number),
                {"detail": f"the query of table `{table.name}` gives no column `{column}`"},
            )


def _wrong_keys(
    session: Session, project: Project, table: PublishedTable, number: int
) -> Iterator[Finding]:
    """The first value of the declared key that more than one row has, or that is empty (LP567); the
    next ones are consequences.
    """
    findings = []
    where = project.origin("tables", number, "key")
    for *values, rows in session.wrong_keys(table.query, table.key, _MOST_KEYS):
        params = {
            "table": table.name,
            "key": ", ".join(table.key),
            "value": ", ".join(_spelt(value) or "–" for value in values),
            "count": str(rows),
        }
        findings.append(Finding("LP567", where, params))
    for first in findings[:1]:
        yield replace(first, consequences=tuple(findings[1:]))


def _failure(
    session: Session, project: Project, sql: str, *path: str | int
) -> tuple[list[Finding], list[str]]:
    try:
        return [], session.query_columns(sql)
    except duckdb.Error as error:
        return [Finding("LP604", project.origin(*path), {"detail": str(error).split("\n")[0]})], []


def _rows(
    session: Session, project: Project, table: PublishedTable, number: int
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Header and rows, in an order that does not depend on the machine."""
    findings, header = _failure(session, project, table.query, "tables", number, "query")
    if findings:
        raise InvalidDeclaration(findings)
    return header, session.query_rows(table.query, table.key)


def _write_csv(
    path: Path, table: PublishedTable, header: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    is_text = [table.columns.get(item, _TEXT).type == "string" for item in header]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(header)
        for row in rows:
            writer.writerow(
                [
                    cell(value) if texts else _spelt(value)
                    for value, texts in zip(row, is_text, strict=True)
                ]
            )


def cell(value: Any) -> str:
    """A text as a cell; one that a spreadsheet would take for a formula gets an apostrophe before
    it.

    >>> cell("=1+1"), cell("04011000"), cell(None)
    ("'=1+1", '04011000', '')
    """
    text = _spelt(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _spelt(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
