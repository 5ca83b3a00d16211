"""The catalogue as a DCAT-AP Feed: what each release changed in it, as activities.

Members are the entities that a harvester keeps by themselves: catalogue, dataset, distributions,
service, publisher and contact. What only they refer to is in their graphs. An entity that a release
does not change has no member in it.

Specification: https://semiceu.github.io/LDES-DCAT-AP-feeds/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyoxigraph as ox

from lodpipe.publish.catalogue.graph import name
from lodpipe.rdf.terms import TYPE, Triple
from lodpipe.releases.feed import CATALOGUE, Event, Member, write_pages

_AS = "https://www.w3.org/ns/activitystreams#"
# In this order, because an entity shall be there before others refer to it.
_STANDALONE = tuple(
    name(class_)
    for class_ in (
        "foaf:Agent",
        "vcard:Kind",
        "dcat:Distribution",
        "dcat:Dataset",
        "dcat:DataService",
        "dcat:Catalog",
    )
)

Entities = dict[str, tuple[str, ...]]
"""The triples of each entity, as lines without the line break."""


def write_catalogue_pages(
    event: Event, catalogue: Path, earlier: Sequence[Path], folder: Path
) -> None:
    """catalog-feed-1.trig … into the folder of a release.

    `catalogue` is its catalog.nt; `earlier` are the pages of the releases before it, in order.
    """
    members = _members(_known(earlier), _entities(catalogue.read_text("utf-8")))
    write_pages(event, members, folder, CATALOGUE)


def _members(old: Entities, new: Entities) -> Iterator[Member]:
    for subject, lines in new.items():
        if {*lines} != {*old.get(subject, ())}:
            activity = "Update" if subject in old else "Create"
            yield Member(activity, subject.encode(), tuple(line.encode() for line in lines))
    for subject in reversed(old):
        if subject not in new:
            yield Member("Delete", subject.encode(), ())


def _entities(ntriples: str) -> Entities:
    """The entities of a catalogue, each with what only belongs to it."""
    about: dict[str, list[Triple]] = {}
    for line in ntriples.splitlines():
        subject, predicate, rest = line.split(" ", 2)
        about.setdefault(subject, []).append((subject, predicate, rest.removesuffix(" .")))
    standalone = [
        subject
        for class_ in _STANDALONE
        for subject, triples in about.items()
        if any(p == TYPE and o == class_ for _, p, o in triples)
    ]
    return {
        subject: tuple(_lines(subject, about, {*standalone}))
        for subject in dict.fromkeys(standalone)
    }


def _lines(entity: str, about: dict[str, list[Triple]], standalone: set[str]) -> Iterator[str]:
    waiting, seen = [entity], {entity, *standalone}
    while waiting:
        for s, p, o in about.get(waiting.pop(), ()):
            yield f"{s} {p} {o} ."
            if o not in seen and not o.startswith('"'):
                seen.add(o)
                waiting.append(o)


def _known(pages: Sequence[Path]) -> Entities:
    """The entities after the activities of some pages."""
    known: Entities = {}
    for page in pages:
        graphs: dict[str, list[str]] = {}
        objects: dict[str, str] = {}
        deleted: set[str] = set()
        for quad in ox.parse(path=page, format=ox.RdfFormat.TRIG, base_iri="https://host.invalid/"):
            if not isinstance(quad.graph_name, ox.DefaultGraph):
                graphs.setdefault(str(quad.graph_name), []).append(f"{quad.triple} .")
            elif quad.predicate.value == f"{_AS}object":
                objects[str(quad.subject)] = str(quad.object)
            elif str(quad.object) == f"<{_AS}Delete>":
                deleted.add(str(quad.subject))
        for member, subject in objects.items():
            known.pop(subject, None)
            if member not in deleted:
                known[subject] = tuple(graphs[member])
    return known
