"""The files next to the dumps for people and their tools: README, CITATION.cff, schema.org Dataset,
RO-Crate manifest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lodpipe.config.publication_keys import Publication
from lodpipe.publish.catalogue import codes
from lodpipe.publish.catalogue.dataset_markup import dataset_markup
from lodpipe.publish.catalogue.dcat import Computed
from lodpipe.publish.catalogue.offers import Offer
from lodpipe.publish.catalogue.self_description import METADATA
from lodpipe.publish.dumps import SHAPES
from lodpipe.releases.feed import DATA
from lodpipe.releases.history import History


def write_side_files(
    publication: Publication,
    offers: Sequence[Offer],
    folder: Path,
    history: History,
    computed: Computed,
) -> None:
    """README.md, CITATION.cff, dataset.jsonld and ro-crate-metadata.json."""
    (folder / "README.md").write_text(
        _readme(publication, offers, (folder / SHAPES).is_file(), history), "utf-8"
    )
    (folder / "CITATION.cff").write_text(_citation(publication), "utf-8")
    _write_json(
        folder / "dataset.jsonld",
        {"@context": "https://schema.org/"} | dataset_markup(publication, offers, computed),
    )
    _write_json(folder / "ro-crate-metadata.json", _crate(publication, offers))


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _first(publication: Publication, texts: dict[str, str]) -> str:
    return texts.get(publication.languages[0]) or next(iter(texts.values()))


_WORDS = {
    "de": (
        "Stand",
        "Datei",
        "Bytes",
        "was",
        "Lizenz",
        "Nennung",
        "Prüfen",
        "Kopie mit Datum",
        "Katalog, VoID, Präfixe und Abfragen als Graphen",
        "Zurückgezogene Adressen",
        "Änderungen (LDES)",
    ),
    "en": (
        "Release",
        "file",
        "bytes",
        "what",
        "Licence",
        "Attribution",
        "Verify",
        "dated copy",
        "Catalogue, VoID, prefixes and queries as graphs",
        "Withdrawn addresses",
        "Changes (LDES)",
    ),
}


def _readme(
    publication: Publication, offers: Sequence[Offer], shapes: bool, history: History
) -> str:
    """One part for each language of the publication that the program speaks."""
    spoken = [item for item in publication.languages if item in _WORDS] or ["en"]
    return "\n".join(
        _readme_in(language, publication, offers, shapes, history) for language in spoken
    )


def _readme_in(
    language: str,
    publication: Publication,
    offers: Sequence[Offer],
    shapes: bool,
    history: History,
) -> str:
    release, file, size, what, licence, attribution, verify, dated, described, withdrawn, feed = (
        _WORDS[language]
    )

    def translated(texts: dict[str, str]) -> str:
        return texts.get(language) or next(iter(texts.values()))

    rows = "".join(
        f"| `{offer.path}` | {offer.size} | {translated(offer.title)}: {translated(offer.description)} |\n"
        for offer in offers
    )
    return (
        f"# {translated(publication.title)}\n\n{translated(publication.description)}\n\n"
        f"{release}: {publication.version}, {publication.date}. "
        f"{f'{dated}: `{history.folder}/`. ' if history.folder else ''}DCAT-AP: `catalog.ttl`. VoID: `void.ttl`. "
        f"{described}: `{METADATA}`. "
        f"{f'SHACL: `{SHAPES}`. ' if shapes else ''}"
        f"{withdrawn}: `withdrawn.csv`. "
        f"{f'{feed}: `{DATA}.trig`.' if history.releases else ''}".rstrip()
        + "\n\n"
        f"| {file} | {size} | {what} |\n|---|---:|---|\n{rows}\n"
        f"{licence}: <{publication.licence}>\n\n{attribution}: {publication.attribution.strip()}\n\n"
        f"{verify}:\n\n```sh\nsha256sum --check SHA256SUMS\n```\n"
    )


def _citation(publication: Publication) -> str:
    """Citation File Format 1.2. Each value is written as a JSON string, which YAML reads alike."""

    def quoted(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    licence = codes.licence_of(publication.licence)
    lines = [
        "cff-version: 1.2.0",
        f"message: {quoted(publication.attribution.strip())}",
        "type: dataset",
        f"title: {quoted(_first(publication, publication.title))}",
        f"abstract: {quoted(_first(publication, publication.description))}",
        "authors:",
        f"  - name: {quoted(publication.name_of(publication.publisher))}",
        *(
            [f"    website: {quoted(publication.publisher.url)}"]
            if publication.publisher.url
            else []
        ),
        *(
            [f"    email: {quoted(publication.publisher.email)}"]
            if publication.publisher.email
            else []
        ),
        f"version: {publication.version}",
        f"date-released: {publication.date}",
        f"license: {licence.spdx}" if licence.spdx else f"license-url: {quoted(licence.address)}",
        f"url: {quoted(publication.landing_page)}",
        f"identifiers:\n  - type: url\n    value: {quoted(publication.base + 'dataset')}",
    ]
    if words := publication.catalogue.keywords.get(publication.languages[0]):
        lines += ["keywords:", *(f"  - {quoted(word)}" for word in words)]
    return "\n".join(lines) + "\n"


def _crate(publication: Publication, offers: Sequence[Offer]) -> dict[str, Any]:
    """A Research Object Crate 1.1: the root dataset and the files that are part of it."""
    licence = codes.licence_of(publication.licence)
    publisher = publication.publisher
    agent: dict[str, Any] = {
        "@id": publisher.url or "#publisher",
        "@type": "Organization",
        "name": publication.name_of(publisher),
    }
    if publisher.url:
        agent["url"] = publisher.url
    files = [
        {
            "@id": offer.path,
            "@type": "File",
            "name": _first(publication, offer.title),
            "description": _first(publication, offer.description),
            "encodingFormat": ["application/gzip", offer.format.media_type]
            if offer.compressed
            else offer.format.media_type,
            "contentSize": str(offer.size),
            "sha256": offer.sha256,
            "license": {"@id": publication.licence},
        }
        for offer in offers
    ]
    return {
        "@context": "https://w3id.org/ro/crate/1.1/context",
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
                "about": {"@id": "./"},
            },
            {
                "@id": "./",
                "@type": "Dataset",
                "name": _first(publication, publication.title),
                "description": _first(publication, publication.description),
                "datePublished": publication.date,
                "version": publication.version,
                "identifier": f"{publication.base}dataset",
                "url": publication.landing_page,
                "license": {"@id": publication.licence},
                "creditText": publication.attribution.strip(),
                "author": {"@id": agent["@id"]},
                "publisher": {"@id": agent["@id"]},
                "hasPart": [{"@id": file["@id"]} for file in files],
            },
            {
                "@id": publication.licence,
                "@type": "CreativeWork",
                "name": licence.title,
                "url": licence.address,
            },
            agent,
            *files,
        ],
    }
