"""Pages of withdrawn resources: what was there, since when and why it is gone, and what took its
place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lodpipe.publish.catalogue.withdrawn import WithdrawnIri
from lodpipe.rdf.namespaces import SKOS, XSD
from lodpipe.rdf.terms import iri
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.names import label, literal
from lodpipe.site.pages import Resource
from lodpipe.site.values import Value, is_safe, readable_iri, written

Labels = Mapping[str, Sequence[str | None]]
_REASON = f"<{SKOS}changeNote>"
_SUCCESSOR = "<http://purl.org/dc/terms/isReplacedBy>"
_EVENT = "<http://www.w3.org/ns/org#changedBy>"


@dataclass
class WithdrawnPage:
    """The page of a withdrawn resource in one language; `canonical` is the IRI of the one successor
    that lives, empty where there is none or several.
    """

    title: Value
    iri: str
    since: str
    reasons: list[Value]
    successors: list[Value]
    events: list[Value]
    canonical: str


def withdrawn_page(
    resource: Resource, listed: WithdrawnIri, labels: Labels, addresses: Addresses, language: str
) -> WithdrawnPage:
    """The page; `labels` are those of what it leads to (see `linked`)."""
    place = addresses.languages.index(language)
    root, suffix = up(resource.page), addresses.suffix(language) + ".html"
    values: dict[str, list[str]] = {}
    for predicate, value in ((row[1], row[2]) for row in resource.statements):
        values.setdefault(predicate, []).append(value)

    def link(term: str) -> Value:
        page = addresses.page(term[1:-1])
        if page is None or term not in labels:
            return Value(readable_iri(term[1:-1]), term[1:-1] if is_safe(term[1:-1]) else None)
        text, tag = label(labels[term], place, term, addresses.base)
        return Value(text, root + href(page) + suffix, tag if tag != language else "")

    reasons = [literal(term) for term in values.get(_REASON, [])]
    own = [reason for reason in reasons if reason[1] == language]
    living = [iri(successor) for successor in listed.successors]
    text, tag = label(resource.labels, place, resource.iri, addresses.base)
    return WithdrawnPage(
        title=Value(text, lang=tag if tag != language else ""),
        iri=resource.iri[1:-1],
        since=written(listed.date, XSD + "date", language),
        reasons=[
            Value(text, lang="" if tag == language else tag) for text, tag, _ in own or reasons
        ],
        successors=[link(term) for term in living or values.get(_SUCCESSOR, [])],
        events=[link(term) for term in values.get(_EVENT, [])],
        canonical=listed.successors[0] if listed.status == 301 else "",
    )


def linked(resource: Resource, listed: WithdrawnIri) -> list[str]:
    """The terms of what the page leads to."""
    return [
        *(iri(successor) for successor in listed.successors),
        *(row[2] for row in resource.statements if row[1] in (_SUCCESSOR, _EVENT)),
    ]
