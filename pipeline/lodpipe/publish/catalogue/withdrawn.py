"""Withdrawn and redirected IRIs: source/withdrawn.yaml becomes a list, statements, a page for 410,
and rules for web servers.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.documents.readers import read_tree
from lodpipe.documents.tree import place_of, value_of
from lodpipe.engine.statements import Statements
from lodpipe.publish.catalogue.graph import Graph, literal, name, texts
from lodpipe.publish.catalogue.rendering import rendered
from lodpipe.rdf.terms import iri

FILE = "source/withdrawn.yaml"
_LOCAL = "^(?!/)(?!.*//)(?!.*(^|/)\\.{1,2}(/|$))[A-Za-z0-9._~/%-]*[A-Za-z0-9_~%-]$"
_SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["id", "date", "reason"],
        "properties": {
            "id": {"type": "string", "pattern": _LOCAL},
            "replaced_by": {"type": "string", "pattern": _LOCAL},
            "date": {"type": "string", "format": "date"},
            "reason": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"type": "string", "minLength": 1},
            },
        },
    },
}


class Tombstone(Struct, frozen=True):
    """An IRI (relative to the base) that is no longer described, since when, why, and what took its
    place.
    """

    id: str
    replaced_by: str | None
    date: str
    reason: dict[str, str]
    origin: Origin

    @property
    def status(self) -> int:
        """What a web server answers."""
        return 301 if self.replaced_by else 410


def read_withdrawn(project: Project) -> tuple[list[Tombstone], list[Finding]]:
    """The tombstones of a project, and what is wrong with their file (LP521); none where there is
    no file.
    """
    path = project.root / FILE
    if not path.is_file():
        return [], []
    tree = read_tree(path, FILE)
    if tree is None:
        return [], []
    import jsonschema_rs

    values: Any = value_of(tree)
    wrong = [
        Finding(
            "LP521",
            Origin(FILE, *place_of(tree, list(error.instance_path))),
            {"detail": str(error.message)},
        )
        for error in jsonschema_rs.Draft202012Validator(_SCHEMA, validate_formats=True).iter_errors(
            values
        )
    ]
    if wrong:
        return [], wrong
    stones = [
        Tombstone(
            value["id"],
            value.get("replaced_by"),
            value["date"],
            value["reason"],
            Origin(FILE, *place_of(tree, [number, "id"])),
        )
        for number, value in enumerate(values)
    ]
    return sorted(stones, key=lambda stone: stone.id), []


def withdrawn_findings(project: Project, statements: Statements) -> Iterator[Finding]:
    """Tombstones of what is still described (LP522), and successors that are not (LP523)."""
    stones, wrong = read_withdrawn(project)
    yield from wrong
    base = project.publication.base

    def described(local: str) -> bool:
        return statements.is_described(f"<{base}{local}>")

    for stone in stones:
        if described(stone.id):
            yield Finding("LP522", stone.origin, {"value": stone.id})
        if stone.replaced_by and not described(stone.replaced_by):
            yield Finding(
                "LP523", stone.origin, {"value": stone.id, "successor": stone.replaced_by}
            )


def write_withdrawn(stones: Sequence[Tombstone], project: Project, folder: Path) -> None:
    """withdrawn.csv, withdrawn.ttl, and withdrawn.html as the body of a 410 answer; there also
    while nothing is withdrawn.
    """
    publication = project.publication
    base, languages = publication.base, publication.languages
    with (folder / "withdrawn.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(
            [
                "iri",
                "status",
                "replaced_by",
                "date",
                *(f"reason_{language}" for language in languages),
            ]
        )
        for stone in stones:
            successor = base + stone.replaced_by if stone.replaced_by else ""
            writer.writerow(
                [
                    base + stone.id,
                    stone.status,
                    successor,
                    stone.date,
                    *(stone.reason.get(language, "") for language in languages),
                ]
            )
    graph = Graph()
    for item in stones:
        graph.describe(
            iri(base + item.id),
            {
                "owl:deprecated": literal("true", "xsd:boolean"),
                "dct:isReplacedBy": iri(base + item.replaced_by) if item.replaced_by else None,
                "dct:modified": literal(item.date, "xsd:date"),
                "skos:changeNote": texts(item.reason),
            },
        )
    graph.describe(
        iri(base + "withdrawn"), {"rdf:type": name("foaf:Document"), "dct:title": texts(_TITLE)}
    )
    (folder / "withdrawn.ttl").write_text(graph.turtle(base), "utf-8")
    available = [language for language in languages if language in _TITLE] or ["en"]
    facts = {
        "languages": available,
        "title": _TITLE,
        "explanation": _EXPLANATION,
        "heads": _HEADS,
        "base": base,
        "stones": stones,
    }
    (folder / "withdrawn.html").write_text(rendered("withdrawn.html.j2", facts), "utf-8")


_TITLE = {"de": "Zurückgezogene Adressen", "en": "Withdrawn addresses"}
_HEADS = {"de": ("seit", "Grund", "Nachfolger"), "en": ("since", "reason", "successor")}
_EXPLANATION = {
    "de": "Der Inhalt dieser Adresse wird nicht mehr veröffentlicht. Die Liste nennt den Grund und, wo es einen gibt, den Nachfolger.",
    "en": "The content of this address is no longer published. The list gives the reason and, if there is one, the successor.",
}
