"""The files that a catalogue offers for download: the dumps as they were written, and what portals call their formats."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lodpipe.config.publication import Publication


@dataclass(frozen=True)
class Format:
    """A file format: its code in the EU list of file types, its media type, its specification, and what it is good for."""

    label: str
    code: str
    media_type: str
    specification: str
    use: dict[str, str]


FORMATS: dict[str, Format] = {
    "nq": Format("N-Quads", "RDF_N_QUADS", "application/n-quads", "https://www.w3.org/TR/n-quads/", {
        "de": "Jede Aussage in ihrem Graphen, in kanonischer Reihenfolge", "en": "Each statement in its graph, in canonical order"}),
    "nt": Format("N-Triples", "RDF_N_TRIPLES", "application/n-triples", "https://www.w3.org/TR/n-triples/", {
        "de": "Eine Aussage je Zeile, ohne Graphen", "en": "One statement a line, without graphs"}),
    "ttl": Format("Turtle", "RDF_TURTLE", "text/turtle", "https://www.w3.org/TR/turtle/", {
        "de": "Zum Lesen: ein Absatz je Ressource", "en": "For reading: one block a resource"}),
    "trig": Format("TriG", "RDF_TRIG", "application/trig", "https://www.w3.org/TR/trig/", {
        "de": "Zum Lesen: nach Graphen geordnet", "en": "For reading: ordered by graph"}),
    "jsonld": Format("JSON-LD", "JSON_LD", "application/ld+json", "https://www.w3.org/TR/json-ld11/", {
        "de": "JSON mit eingebettetem Kontext", "en": "JSON with its context inside"}),
    "rdf": Format("RDF/XML", "RDF_XML", "application/rdf+xml", "https://www.w3.org/TR/rdf-syntax-grammar/", {
        "de": "Für ältere Werkzeuge", "en": "For older tools"}),
    "parquet": Format("Parquet", "PARQUET", "application/vnd.apache.parquet", "https://parquet.apache.org/docs/file-format/", {
        "de": "Aussagen als Spalten, für Datenbanken", "en": "Statements as columns, for databases"}),
    "csv": Format("CSV", "CSV", "text/csv", "https://www.w3.org/TR/tabular-metadata/", {
        "de": "Tabelle; Spalten beschrieben nach CSVW", "en": "Table; its columns are described by CSVW"}),
}  # fmt: skip


@dataclass(frozen=True)
class Offer:
    """A file for download, as it lies in the folder. `key` names it for good: no version, no date."""

    key: str
    path: str
    format: Format
    compressed: bool
    size: int
    sha512: str
    title: dict[str, str]
    description: dict[str, str]


def offers(publication: Publication, folder: Path) -> Iterator[Offer]:
    """The dumps in the order of publication.yaml, each followed by its compressed copy; then the tables."""
    for suffix in publication.dumps:
        for end in (suffix, f"{suffix}.gz"):
            path = f"{publication.name}.{end}"
            if (folder / path).is_file():
                yield _dump(publication, folder, suffix, end)
    for table in publication.tables:
        yield _offer(folder, f"{table.name}.csv", f"tables/{table.name}.csv", "csv", dict(table.title))


def _dump(publication: Publication, folder: Path, suffix: str, end: str) -> Offer:
    return _offer(folder, end, f"{publication.name}.{end}", suffix, dict(publication.title))


def _offer(folder: Path, key: str, path: str, suffix: str, title: dict[str, str]) -> Offer:
    kind = FORMATS[suffix]
    compressed = path.endswith(".gz")
    label = f"{kind.label}, gzip" if compressed else kind.label
    packed = {"de": "; mit gzip gepackt.", "en": "; packed with gzip."} if compressed else {"de": ".", "en": "."}
    with (folder / path).open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").hexdigest()
    return Offer(
        key,
        path,
        kind,
        compressed,
        (folder / path).stat().st_size,
        digest,
        {language: f"{value} ({label})" for language, value in title.items()},
        {language: kind.use.get(language, kind.use["en"]) + packed.get(language, packed["en"]) for language in title},
    )
