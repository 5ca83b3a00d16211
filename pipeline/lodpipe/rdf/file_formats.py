"""The file formats in which data is published and read: one row for each, used by dumps, catalogue,
pages, server, queries and validation.

A new dump format is a row here and a writer in `publish/dumps.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pyoxigraph as ox


class FileFormat(NamedTuple):
    """A file format. `suffix` is its key in publication.yaml and the end of its files.

    - `code`: its name in the EU's list of file types; `purpose`: what it is good for, in each
      language;
    - `parser`: reads it, None where it is no RDF; `dump`: its place in the default list of dumps, 0
      where it is none;
    - `document`: each resource has a document in it; the one with the lowest `preference` is sent
      to clients that like several equally;
    - `text`: it is sent with its charset; `aliases`: other media types that ask for it.
    """

    suffix: str
    label: str
    media_type: str
    code: str
    specification: str
    purpose: Mapping[str, str]
    parser: ox.RdfFormat | None = None
    dump: int = 0
    document: bool = False
    preference: int = 9
    compressed_copy: bool = True
    text: bool = False
    aliases: tuple[str, ...] = ()
    other_suffixes: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """The media type as a server sends it."""
        return f"{self.media_type}; charset=utf-8" if self.text else self.media_type


FORMATS: tuple[FileFormat, ...] = (
    FileFormat(
        "ttl", "Turtle", "text/turtle", "RDF_TURTLE", "https://www.w3.org/TR/turtle/",
        {"de": "Zum Lesen: ein Absatz je Ressource", "en": "For reading: one block a resource"},
        ox.RdfFormat.TURTLE, dump=3, document=True, preference=1, text=True, aliases=("application/x-turtle",),
    ),
    FileFormat(
        "nt", "N-Triples", "application/n-triples", "RDF_N_TRIPLES", "https://www.w3.org/TR/n-triples/",
        {"de": "Eine Aussage je Zeile, ohne Graphen", "en": "One statement a line, without graphs"},
        ox.RdfFormat.N_TRIPLES, dump=2, document=True, preference=3, aliases=("text/plain",),
    ),
    FileFormat(
        "nq", "N-Quads", "application/n-quads", "RDF_N_QUADS", "https://www.w3.org/TR/n-quads/",
        {"de": "Jede Aussage in ihrem Graphen, in kanonischer Reihenfolge", "en": "Each statement in its graph, in canonical order"},
        ox.RdfFormat.N_QUADS, dump=1,
    ),
    FileFormat(
        "trig", "TriG", "application/trig", "RDF_TRIG", "https://www.w3.org/TR/trig/",
        {"de": "Zum Lesen: nach Graphen geordnet", "en": "For reading: ordered by graph"},
        ox.RdfFormat.TRIG, dump=4,
    ),
    FileFormat(
        "jsonld", "JSON-LD", "application/ld+json", "JSON_LD", "https://www.w3.org/TR/json-ld11/",
        {"de": "JSON mit eingebettetem Kontext", "en": "JSON with its context inside"},
        ox.RdfFormat.JSON_LD, dump=5, document=True, preference=2, aliases=("application/json",),
    ),
    FileFormat(
        "rdf", "RDF/XML", "application/rdf+xml", "RDF_XML", "https://www.w3.org/TR/rdf-syntax-grammar/",
        {"de": "Für ältere Werkzeuge", "en": "For older tools"},
        ox.RdfFormat.RDF_XML, dump=6, document=True, aliases=("application/xml", "text/xml"), other_suffixes=("xml",),
    ),
    FileFormat(
        "parquet", "Parquet", "application/vnd.apache.parquet", "PARQUET", "https://parquet.apache.org/docs/file-format/",
        {"de": "Aussagen als Spalten, für Datenbanken", "en": "Statements as columns, for databases"},
        dump=7, compressed_copy=False,
    ),
    FileFormat(
        "csv", "CSV", "text/csv", "CSV", "https://www.w3.org/TR/tabular-metadata/",
        {"de": "Tabelle; Spalten beschrieben nach CSVW", "en": "Table; its columns are described by CSVW"},
        text=True,
    ),
)  # fmt: skip

REIFIERS = FileFormat(
    "rdf12.nt", "N-Triples 1.2", "application/n-triples", "RDF_N_TRIPLES", "https://www.w3.org/TR/rdf12-n-triples/",
    {"de": "Angaben mit Anmerkungen als RDF 1.2, neben einem Dump zu laden", "en": "Statements with remarks in RDF 1.2, to load beside a dump"},
    ox.RdfFormat.N_TRIPLES, compressed_copy=False,
)  # fmt: skip
"""No dump: it is written where statements are described as `rdf:Statement`, and names each by its
triple term. Readers of RDF 1.1 refuse it, so it is a file of its own.
"""

BY_SUFFIX: Mapping[str, FileFormat] = {
    suffix: row for row in FORMATS for suffix in (row.suffix, *row.other_suffixes)
}
PARSERS: Mapping[str, ox.RdfFormat] = {
    suffix: row.parser for suffix, row in BY_SUFFIX.items() if row.parser
}
DUMPS: tuple[str, ...] = tuple(
    row.suffix for row in sorted(FORMATS, key=lambda row: row.dump) if row.dump
)
DOCUMENTS: tuple[FileFormat, ...] = tuple(row for row in FORMATS if row.document)
QUADS = ("nq", "trig")
"""The dumps that keep the graph of each statement; JSON-LD could, ours is the union of all graphs.
"""
