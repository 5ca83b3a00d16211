"""The lists of withdrawn IRIs: withdrawn.csv, withdrawn.ttl, and withdrawn.html as the body of a 410
answer where there are no pages.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lodpipe.publish.catalogue.graph import Graph, name, texts
from lodpipe.publish.catalogue.rendering import rendered
from lodpipe.releases.tombstones import GRAPH, ORG, Withdrawn

LIST = f"{GRAPH}.csv"


class WithdrawnIri(NamedTuple):
    """A line of the list: a withdrawn IRI, the status of the answer, the IRIs of the successors that
    are not withdrawn themselves, and since when.
    """

    iri: str
    status: int
    successors: tuple[str, ...]
    date: str


def read_list(dist: Path) -> dict[str, WithdrawnIri]:
    """Each withdrawn IRI of a written dist/."""
    with (dist / LIST).open(encoding="utf-8", newline="") as lines:
        return {
            row["iri"]: WithdrawnIri(
                row["iri"], int(row["status"]), tuple(row["replaced_by"].split()), row["date"]
            )
            for row in csv.DictReader(lines)
        }


def write_withdrawn(withdrawn: Withdrawn, languages: Sequence[str], folder: Path) -> None:
    """The three files; there also while nothing is withdrawn."""
    _write_csv(withdrawn, languages, folder / LIST)
    graph = Graph({"org": ORG})
    graph.add((s, p, o) for s, p, o, _ in withdrawn.statements)
    graph.describe(withdrawn.graph, {"rdf:type": name("foaf:Document"), "dct:title": texts(_TITLE)})
    (folder / f"{GRAPH}.ttl").write_text(graph.turtle(withdrawn.base), "utf-8")
    facts = {
        "languages": [language for language in languages if language in _TITLE] or ["en"],
        "title": _TITLE,
        "explanation": _EXPLANATION,
        "heads": _HEADS,
        "base": withdrawn.base,
        "tombstones": withdrawn.tombstones,
    }
    (folder / f"{GRAPH}.html").write_text(rendered("withdrawn.html.j2", facts), "utf-8")


def _write_csv(withdrawn: Withdrawn, languages: Sequence[str], path: Path) -> None:
    """A line for each IRI: what it answers, and the IRIs of the successors that are not withdrawn
    themselves, separated by spaces.
    """
    reasons = [f"reason_{language}" for language in languages]
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["iri", "status", "replaced_by", "date", *reasons])
        for tombstone in withdrawn.tombstones:
            writer.writerow(
                [
                    withdrawn.base + tombstone.id,
                    tombstone.status,
                    " ".join(withdrawn.base + local for local in tombstone.living),
                    tombstone.date,
                    *(tombstone.reason.get(language, "") for language in languages),
                ]
            )


_TITLE = {"de": "Zurückgezogene Adressen", "en": "Withdrawn addresses"}
_HEADS = {"de": ("seit", "Grund", "Nachfolger"), "en": ("since", "reason", "successor")}
_EXPLANATION = {
    "de": "Der Inhalt dieser Adresse wird nicht mehr veröffentlicht. Die Liste nennt den Grund und, wo es einen gibt, den Nachfolger.",
    "en": "The content of this address is no longer published. The list gives the reason and, if there is one, the successor.",
}
