"""The files that a catalogue offers for download: the dumps as they were written, and what portals
call their formats.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from lodpipe.config.publication_keys import Publication
from lodpipe.rdf.file_formats import BY_SUFFIX, REIFIERS, FileFormat


class Offer(Struct, frozen=True):
    """A file for download, as it is in the folder. `key` names it for good: no version, no date."""

    key: str
    path: str
    format: FileFormat
    compressed: bool
    size: int
    sha512: str
    sha256: str
    title: dict[str, str]
    description: dict[str, str]


def offers(publication: Publication, folder: Path) -> Iterator[Offer]:
    """The dumps in the order of publication.yaml, each followed by its compressed copy; statements
    with remarks in RDF 1.2; then the tables.
    """
    for suffix in publication.dumps:
        for end in (suffix, f"{suffix}.gz"):
            path = f"{publication.name}.{end}"
            if (folder / path).is_file():
                yield _dump(publication, folder, suffix, end)
    if (folder / f"{publication.name}.{REIFIERS.suffix}").is_file():
        yield _dump(publication, folder, REIFIERS.suffix, REIFIERS.suffix)
    for table in publication.tables:
        path = f"tables/{table.name}.csv"
        if (folder / path).is_file():
            yield _offer(folder, f"{table.name}.csv", path, "csv", dict(table.title))


def _dump(publication: Publication, folder: Path, suffix: str, end: str) -> Offer:
    return _offer(folder, end, f"{publication.name}.{end}", suffix, dict(publication.title))


def _offer(folder: Path, key: str, path: str, suffix: str, title: dict[str, str]) -> Offer:
    kind = REIFIERS if suffix == REIFIERS.suffix else BY_SUFFIX[suffix]
    compressed = path.endswith(".gz")
    label = f"{kind.label}, gzip" if compressed else kind.label
    packed = (
        {"de": "; mit gzip gepackt.", "en": "; packed with gzip."}
        if compressed
        else {"de": ".", "en": "."}
    )
    sha512, sha256 = _digests(folder / path)
    return Offer(
        key,
        path,
        kind,
        compressed,
        (folder / path).stat().st_size,
        sha512,
        sha256,
        {language: f"{value} ({label})" for language, value in title.items()},
        {
            language: kind.purpose.get(language, kind.purpose["en"])
            + packed.get(language, packed["en"])
            for language in title
        },
    )


def _digests(path: Path) -> tuple[str, str]:
    """SHA-512 and SHA-256 of a file, which is read once."""
    sha512, sha256 = hashlib.sha512(), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            sha512.update(block)
            sha256.update(block)
    return sha512.hexdigest(), sha256.hexdigest()
