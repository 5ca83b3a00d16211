"""Which files of a project are read: what lies in source/, ontology/, shapes/ or queries/ and is read by nothing is reported, not passed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipeline.errors import Finding, Origin, Severity
from pipeline.mapping.model import MappingDocument
from pipeline.reading.files import is_hidden
from pipeline.reading.tree import Mapping, Node, Scalar

# Folder → the patterns of what is read there; source/ has the tables' own files as well.
READ = {
    "source": ("records.yaml", "mapping.yaml", "withdrawn.yaml", "*.rml.ttl"),
    "ontology": ("*.ttl", "context.jsonld", "vocabularies/*.txt"),
    "shapes": ("*.ttl", "catalogue/*.ttl"),
    "queries": ("*.rq", "results/*"),
}
_FOR_PEOPLE = ("readme", "licence", "license", "copying", "notes")


def unread_files(root: Path, used: set[str], mapping: MappingDocument, publication: Node) -> Iterator[Finding]:
    """A warning (LP109) for each file that nothing reads; `used` are the names of the record files, below the project's root.

    Files that the mapping or publication.yaml names are read, and those for people only (README.md, LICENCE) need not be.
    """
    named = {*used, *(f"source/{source.text}" for source in mapping.sources), *_texts(publication)}
    databases = " ".join(source.database or "" for source in mapping.sources)
    for folder, patterns in READ.items():
        for path in sorted((root / folder).rglob("*")):
            below = path.relative_to(root / folder)
            if not path.is_file() or is_hidden(below) or _is_for_people(path) or (folder == "source" and below.as_posix() in databases):
                continue
            name = PurePosixPath(folder, *below.parts)
            if not any(_fits(below, one) for one in patterns) and not named.intersection(map(str, (name, *name.parents))):
                yield Finding("LP109", Origin(str(name)), {"file": str(name), "expected": _expected(folder)}, Severity.WARNING)


def _fits(below: Path, pattern: str) -> bool:
    return len(below.parts) == pattern.count("/") + 1 and below.match(pattern)


def _expected(folder: str) -> str:
    return "files: of source/records.yaml" if folder == "source" else ", ".join(f"{folder}/{one}" for one in READ[folder])


def _is_for_people(path: Path) -> bool:
    return path.suffix.lower() == ".md" or (path.suffix.lower() in ("", ".txt") and path.stem.lower().startswith(_FOR_PEOPLE))


def _texts(node: Node) -> Iterator[str]:
    """Every text in a tree."""
    if isinstance(node, Scalar):
        if node.text:
            yield node.text.removeprefix("./").rstrip("/")
        return
    for child in node.items.values() if isinstance(node, Mapping) else node.items:
        yield from _texts(child)
