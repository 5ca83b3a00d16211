"""CSV tables beside the dumps, described by CSVW and as a Frictionless data package: keys stay
texts, formulas stay harmless.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import _duckdb as duckdb

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import Publication, PublishedTable, TableColumn
from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.engine.sql_session import Session
from lodpipe.publish.catalogue import codes

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXT = TableColumn()


def write_tables(session: Session, project: Project, folder: Path) -> None:
    """tables/NAME.csv with its CSVW metadata, and tables/datapackage.json. Raises
    InvalidDeclaration (LP604) for a query that fails.
    """
    tables = project.publication.tables
    if not tables:
        return
    target = folder / "tables"
    target.mkdir()
    resources = []
    for number, table in enumerate(tables):
        header, rows = _rows(session, project, table, number)
        path = target / f"{table.name}.csv"
        _write_csv(path, table, header, rows)
        _write_json(
            target / f"{path.name}-metadata.json", _csvw(project.publication, table, header)
        )
        resources.append(_resource(path, table, header, project.publication.languages[0]))
    _write_json(target / "datapackage.json", _package(project.publication, resources))


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
        for column in (
            []
            if findings
            else [item for item in (*table.key, *table.columns) if item not in header]
        ):
            yield Finding(
                "LP604",
                project.origin("tables", number),
                {"detail": f"the query of table `{table.name}` gives no column `{column}`"},
            )


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


def _labels(column: TableColumn) -> list[dict[str, str]]:
    return [{"@value": value, "@language": language} for language, value in column.title.items()]


def _csvw(publication: Publication, table: PublishedTable, header: Sequence[str]) -> dict[str, Any]:
    """Metadata of one table after the W3C recommendation for tabular data."""

    def column(name: str) -> dict[str, Any]:
        declared = table.columns.get(name, _TEXT)
        labels = {"dc:title": _labels(declared)} if declared.title else {}
        return {"name": name.replace("-", "_"), "titles": name, "datatype": declared.type} | labels

    schema: dict[str, Any] = {"columns": [column(name) for name in header]}
    if table.key:
        schema["primaryKey"] = [item.replace("-", "_") for item in table.key]
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": f"{table.name}.csv",
        "dc:title": [
            {"@value": value, "@language": language} for language, value in table.title.items()
        ],
        "dc:license": {"@id": publication.licence},
        "dc:rights": publication.attribution,
        "dialect": {"encoding": "utf-8", "lineTerminators": ["\n"], "header": True},
        "tableSchema": schema,
    }


def _resource(
    path: Path, table: PublishedTable, header: Sequence[str], language: str
) -> dict[str, Any]:
    """A Frictionless resource; every column has a type, so that no reader guesses one."""

    def field(name: str) -> dict[str, Any]:
        declared = table.columns.get(name, _TEXT)
        kind = "number" if declared.type == "decimal" else declared.type
        return {"name": name, "type": kind} | (
            {"title": declared.title[language]} if language in declared.title else {}
        )

    schema: dict[str, Any] = {"fields": [field(name) for name in header], "missingValues": [""]}
    if table.key:
        schema["primaryKey"] = list(table.key)
    data = path.read_bytes()
    return {
        "name": table.name,
        "title": table.title.get(language) or next(iter(table.title.values())),
        "path": path.name,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(data),
        "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
        "schema": schema,
    }


def _package(publication: Publication, resources: list[dict[str, Any]]) -> dict[str, Any]:
    licence = codes.licence_of(publication.licence)
    language = publication.languages[0]
    named = {"name": licence.spdx} if licence.spdx else {}
    return {
        "profile": "tabular-data-package",
        "name": publication.name,
        "id": f"{publication.base}dataset",
        "title": publication.title.get(language) or next(iter(publication.title.values())),
        "version": publication.version,
        "created": f"{publication.date}T00:00:00Z",
        "licenses": [named | {"path": licence.address, "title": licence.title}],
        "resources": resources,
    }


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
