"""What says how CSV tables are to be read: metadata after the W3C recommendation for tabular data (CSVW)
and a Frictionless data package.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from lodpipe.config.publication_keys import Publication, PublishedTable, TableColumn, TableReference
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.publish.catalogue import codes
from lodpipe.rdf.datatypes import SCHEME

_PLAIN = TableColumn()
_CONTEXT = "http://www.w3.org/ns/csvw"


class WrittenTable(Struct, frozen=True):
    """A table as it was written: its declaration, the names of its columns, and its file."""

    declared: PublishedTable
    header: Sequence[str]
    path: Path

    def column(self, name: str) -> TableColumn:
        """What is declared of a column."""
        return self.declared.columns.get(name, _PLAIN)

    @property
    def references(self) -> list[tuple[str, TableReference]]:
        """The columns that refer to another table."""
        columns = ((name, self.column(name).references) for name in self.header)
        return [(name, reference) for name, reference in columns if reference]


def write_metadata(
    publication: Publication, vocabulary: Vocabulary, tables: Sequence[WrittenTable], folder: Path
) -> None:
    """NAME.csv-metadata.json for each table, csv-metadata.json for all of them with their foreign
    keys, and datapackage.json.
    """
    described = [_table(publication, vocabulary, table) for table in tables]
    for table, metadata in zip(tables, described, strict=True):
        path = table.path.with_name(f"{table.path.name}-metadata.json")
        _write_json(path, {"@context": _CONTEXT} | metadata)
    group = [
        metadata | {"tableSchema": metadata["tableSchema"] | _foreign_keys(table)}
        for table, metadata in zip(tables, described, strict=True)
    ]
    _write_json(folder / "csv-metadata.json", {"@context": _CONTEXT, "tables": group})
    resources = [_resource(table, publication.languages[0]) for table in tables]
    _write_json(folder / "datapackage.json", _package(publication, resources))


def variable(name: str) -> str:
    """A column's name as URI templates can hold it (CSVW, 5.1.2).

    >>> variable("last-name"), variable("Straße")
    ('last_name', 'Stra%C3%9Fe')
    """
    return re.sub(
        r"[^A-Za-z0-9_.]",
        lambda match: (
            "_" if match[0] == "-" else "".join(f"%{byte:02X}" for byte in match[0].encode())
        ),
        name,
    )


def _template(base: str, template: str) -> str:
    """A template behind the base IRI, its columns by their names in templates."""
    local = re.sub(
        r"\{(\+?)([^{}]+)\}", lambda match: f"{{{match[1]}{variable(match[2])}}}", template
    )
    is_whole = local.startswith("{+") or re.match(SCHEME, local)
    return local if is_whole else base + local


def _table(publication: Publication, vocabulary: Vocabulary, table: WrittenTable) -> dict[str, Any]:
    base, declared = publication.base, table.declared

    def column(name: str) -> dict[str, Any]:
        stated = table.column(name)
        metadata: dict[str, Any] = {
            "name": variable(name),
            "titles": name,
            "datatype": stated.type,
        }
        if stated.title:
            metadata["dc:title"] = _labels(stated.title)
        if stated.language:
            metadata["lang"] = stated.language
        if stated.property:
            metadata["propertyUrl"] = (
                vocabulary.namespaces.expand(stated.property) or stated.property
            )
        if stated.value:
            metadata["valueUrl"] = _template(base, stated.value)
        # Without a property a column would make statements of a property that is not defined.
        return (
            metadata
            if stated.property or not declared.about
            else metadata | {"suppressOutput": True}
        )

    schema: dict[str, Any] = {"columns": [column(name) for name in table.header]}
    if declared.about:
        schema["aboutUrl"] = _template(base, declared.about)
    if declared.key:
        schema["primaryKey"] = [variable(name) for name in declared.key]
    return {
        "url": table.path.name,
        "dc:title": _labels(declared.title),
        "dc:license": {"@id": publication.licence},
        "dc:rights": publication.attribution,
        "dialect": {"encoding": "utf-8", "lineTerminators": ["\n"], "header": True},
        "tableSchema": schema,
    }


def _labels(texts: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"@value": value, "@language": language} for language, value in texts.items()]


def _foreign_keys(table: WrittenTable) -> dict[str, Any]:
    keys = [
        {
            "columnReference": [variable(name)],
            "reference": {
                "resource": f"{reference.table}.csv",
                "columnReference": [variable(reference.column)],
            },
        }
        for name, reference in table.references
    ]
    return {"foreignKeys": keys} if keys else {}


def _resource(table: WrittenTable, language: str) -> dict[str, Any]:
    """A Frictionless resource; every column has a type, so that no reader guesses one."""

    def field(name: str) -> dict[str, Any]:
        stated = table.column(name)
        kind = "number" if stated.type == "decimal" else stated.type
        title = {"title": stated.title[language]} if language in stated.title else {}
        return {"name": name, "type": kind} | title

    fields = [field(name) for name in table.header]
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if table.declared.key:
        schema["primaryKey"] = list(table.declared.key)
    if table.references:
        schema["foreignKeys"] = [
            {
                "fields": [name],
                "reference": {"resource": reference.table, "fields": [reference.column]},
            }
            for name, reference in table.references
        ]
    data = table.path.read_bytes()
    return {
        "name": table.declared.name,
        "title": table.declared.title.get(language) or next(iter(table.declared.title.values())),
        "path": table.path.name,
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
