"""The dataset as Croissant 1.1 describes it (MLCommons), for libraries that load data sets by their
metadata: files with checksums, and a record set for each published table.

    import mlcroissant as mlc
    mlc.Dataset("https://host.example/croissant.jsonld").records("cafes")

With a Parquet dump the statements of the graph are a record set as well.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lodpipe.config.publication_keys import Publication
from lodpipe.config.vocabulary import Vocabulary
from lodpipe.publish.catalogue.dataset_markup import citation, dataset_markup
from lodpipe.publish.catalogue.dcat import Computed
from lodpipe.publish.catalogue.offers import Offer
from lodpipe.publish.catalogue.table_metadata import WrittenTable, variable

CROISSANT = "croissant.jsonld"
CROISSANT_PROFILE = "http://mlcommons.org/croissant/1.1"
"""The IRI of the version, which is the profile of the media type as well."""
_OF_CROISSANT = [
    "annotation",
    "arrayShape",
    "citeAs",
    "column",
    "containedIn",
    "equivalentProperty",
    "excludes",
    "extract",
    "field",
    "fileObject",
    "fileProperty",
    "fileSet",
    "format",
    "includes",
    "isArray",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "readLines",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "sdVersion",
    "separator",
    "source",
    "subField",
    "transform",
    "unArchive",
    "value",
]
_TYPES = {
    "string": "sc:Text",
    "integer": "sc:Integer",
    "decimal": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
}
STATEMENTS = "statements"
"""The record set of the graph."""
# The name that Croissant's readers know of a format, where it is not the registered one.
_OTHER_NAMES = {"application/vnd.apache.parquet": "application/x-parquet"}


def write_croissant(
    publication: Publication,
    vocabulary: Vocabulary,
    offers: Sequence[Offer],
    tables: Sequence[WrittenTable],
    computed: Computed,
    folder: Path,
) -> None:
    """croissant.jsonld: its identifiers are relative to its own address."""
    markup = dataset_markup(publication, offers, computed)
    described = {
        "@context": _context(publication.languages[0]),
        **markup,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT_PROFILE,
        "name": dict(publication.title),
        "description": dict(publication.description),
        "citeAs": citation(publication),
        "distribution": [_file(publication, offer) for offer in offers],
    }
    del described["citation"]  # of other works, in Croissant's reading
    record_sets = [_record_set(table, vocabulary) for table in tables]
    names = {table.declared.name for table in tables}
    record_sets += [
        _statements(offer.path)
        for offer in offers
        if offer.format.suffix == "parquet" and STATEMENTS not in names
    ]
    if record_sets:
        described["recordSet"] = record_sets
    text = json.dumps(described, ensure_ascii=False, indent=1)
    (folder / CROISSANT).write_text(f"{text}\n", "utf-8")


def _context(language: str) -> dict[str, Any]:
    """The terms; names and descriptions are maps from language to text."""
    own: dict[str, Any] = {term: f"cr:{term}" for term in _OF_CROISSANT}
    embedded = {term: {"@id": f"cr:{term}", "@type": "@json"} for term in ("data", "examples")}
    return {
        "@language": language,
        "@vocab": "https://schema.org/",
        "cr": "http://mlcommons.org/croissant/",
        "dct": "http://purl.org/dc/terms/",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "sc": "https://schema.org/",
        "conformsTo": "dct:conformsTo",  # a text: readers take no IRI
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "description": {"@container": "@language"},
        "name": {"@container": "@language"},
        **embedded,
        **own,
    }


def _file(publication: Publication, offer: Offer) -> dict[str, Any]:
    media_type = offer.format.media_type
    types = [
        media_type,
        _OTHER_NAMES.get(media_type),
        "application/gzip" if offer.compressed else None,
    ]
    formats = [item for item in types if item]
    return {
        "@type": "cr:FileObject",
        "@id": offer.path,
        "name": {publication.languages[0]: offer.path.rsplit("/", 1)[-1]},
        "description": offer.description,
        "contentUrl": publication.downloads + offer.path,
        "contentSize": f"{offer.size} B",
        "encodingFormat": formats if len(formats) > 1 else formats[0],
        "sha256": offer.sha256,
    }


def _record_set(table: WrittenTable, vocabulary: Vocabulary) -> dict[str, Any]:
    name = table.declared.name
    keys = [{"@id": _field_id(name, column)} for column in table.declared.key]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": dict(table.declared.title),
        **({"key": keys if len(keys) > 1 else keys[0]} if keys else {}),
        "field": [_field(table, column, vocabulary) for column in table.header],
    }


def _field(table: WrittenTable, column: str, vocabulary: Vocabulary) -> dict[str, Any]:
    stated, name = table.column(column), table.declared.name
    field = _column(f"tables/{table.path.name}", name, column, _TYPES[stated.type])
    if stated.title:
        field["description"] = dict(stated.title)
    if stated.property:
        expanded = vocabulary.namespaces.expand(stated.property) or stated.property
        field["equivalentProperty"] = expanded
    # A reference within a table is a cycle, at which mlcroissant 1.1 fails. It also fails at a
    # reference without `field`, as the text of Croissant 1.1 has it; 1.0 has it.
    if (reference := stated.references) and reference.table != name:
        field["references"] = {"field": {"@id": _field_id(reference.table, reference.column)}}
    return field


def _statements(path: str) -> dict[str, Any]:
    """The statements of the Parquet dump, with terms as in N-Triples."""
    columns = ("subject", "predicate", "object", "graph")
    return {
        "@type": "cr:RecordSet",
        "@id": STATEMENTS,
        "name": {"de": "Aussagen", "en": "Statements"},
        "field": [_column(path, STATEMENTS, column, _TYPES["string"]) for column in columns],
    }


def _column(path: str, record_set: str, column: str, data_type: str) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": _field_id(record_set, column),
        "name": column,
        "dataType": data_type,
        "source": {"fileObject": {"@id": path}, "extract": {"column": column}},
    }


def _field_id(table: str, column: str) -> str:
    return f"{table}/{variable(column)}"
