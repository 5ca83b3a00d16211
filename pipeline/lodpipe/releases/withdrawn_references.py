"""References to what is withdrawn (LP537): by the id of a record that is gone, or by an IRI.

source/withdrawn.yaml    - {id: club/choir, replaced_by: club/singers, …}
source/matches.yaml      club: choir    →  `choir` was withdrawn …, replaced by club/singers
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Protocol

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.rdf.terms import Triple, iri
from lodpipe.releases.tombstones import Described, Tombstone, Withdrawn

_REPLACES = iri("http://purl.org/dc/terms/replaces")  # names what is withdrawn on purpose


class Referring(Described, Protocol):
    """What is needed of the statements."""

    def referring(self, nodes: Collection[str], without_graph: str) -> list[tuple[Triple, str]]:
        """The statements that have one of these nodes as object or graph, with that node."""

    def origins(self, triples: list[Triple]) -> list[Origin | None]:
        """Where each of some statements comes from."""


def broken_references(
    findings: Iterable[Finding],
    withdrawn: Withdrawn,
    ids_of: Callable[[str], Collection[str]],
) -> Iterator[Finding]:
    """The findings; a reference to a missing record (LP206) that was withdrawn says so (LP537).

    Records of a table have IRIs that end with their id. `ids_of` gives the ids of a table, by which
    its withdrawn IRIs differ from those of others: a successor is one of them.
    """
    by_end: dict[str, list[Tombstone]] = {}
    for tombstone in withdrawn.tombstones:
        by_end.setdefault(_end(tombstone.id), []).append(tombstone)
    for finding in findings:
        if finding.code != "LP206" or finding.params["value"] not in by_end:
            yield finding
            continue
        candidates = by_end[finding.params["value"]]
        ids = ids_of(finding.params["table"])
        of_table = [item for item in candidates if any(_end(name) in ids for name in item.living)]
        without_successor = [item for item in candidates if not item.living]
        chosen = next(iter(of_table or without_successor), None)
        yield finding if chosen is None else _explained(finding, chosen, ids)


def _explained(finding: Finding, tombstone: Tombstone, ids: Collection[str]) -> Finding:
    successors = [_end(name) for name in tombstone.living if _end(name) in ids]
    params = {
        **finding.params,
        **_about(tombstone),
        "suggestion": successors[0] if len(successors) == 1 else "",
    }
    return Finding("LP537", finding.where, params, finding.severity)


def withdrawn_references(withdrawn: Withdrawn, statements: Referring) -> Iterator[Finding]:
    """Warnings of statements that refer to a withdrawn IRI, or are in a graph called like it; each
    place once. IRIs that records still describe are another mistake (LP522).
    """
    by_term = {iri(withdrawn.base + item.id): item for item in withdrawn.tombstones}
    for term in statements.described(sorted(by_term), withdrawn.graph) if by_term else ():
        del by_term[term]
    if not by_term:
        return
    referring = [
        (triple, node)
        for triple, node in statements.referring(sorted(by_term), withdrawn.graph)
        if triple[1] != _REPLACES
    ]
    origins = statements.origins([triple for triple, _ in referring])
    reported: set[tuple[Origin | None, str]] = set()
    for (_, node), origin in zip(referring, origins, strict=True):
        if (origin, node) not in reported:
            reported.add((origin, node))
            tombstone = by_term[node]
            params = {"value": tombstone.id, **_about(tombstone)}
            yield Finding("LP537", origin, params, Severity.WARNING)


def _about(tombstone: Tombstone) -> dict[str, str]:
    reasons = tombstone.reason
    fallback = next(iter(reasons.values()))
    return {
        "withdrawn": tombstone.id,
        "date": tombstone.date,
        "successor": ", ".join(f"`{name}`" for name in tombstone.living),
        "reason_en": reasons.get("en", fallback),
        "reason_de": reasons.get("de", fallback),
    }


def _end(local: str) -> str:
    return local.rsplit("/", 1)[-1]
