"""Lists of everything of a kind, whole, in parts where there is much, and grouped by each declared
facet; all without a script.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from lodpipe.engine.page_store import PageStore, Row
from lodpipe.rdf.namespaces import SKOS
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.declaration import Site
from lodpipe.site.names import Names, chosen, label, slug
from lodpipe.site.values import Value

Member = tuple[str, list[Row]]  # a resource of a list, and its rows
PART = 500  # entries on one page
GROUPED = 4000  # above this a list is not grouped by facets


_ORG = "http://www.w3.org/ns/org#"
# Without `site.kinds`: what networks of organisations are about comes first.
FIRST_KINDS = (
    *(f"<{_ORG}{name}>" for name in ("Organization", "FormalOrganization", "OrganizationalCollaboration", "OrganizationalUnit")),
    "<http://data.europa.eu/m8g/PublicOrganisation>",
    "<https://schema.org/Organization>",
    "<http://www.w3.org/ns/person#Person>",
    "<http://xmlns.com/foaf/0.1/Person>",
    "<https://schema.org/Person>",
    *(f"<{_ORG}{name}>" for name in ("Membership", "Post")),
)  # fmt: skip
_OF_VOCABULARIES = (
    "<http://www.w3.org/2002/07/owl#",
    "<http://www.w3.org/2000/01/rdf-schema#",
    f"<{SKOS}",
)


@dataclass
class Listed:
    """A kind of resources and its list."""

    iri: str
    page: str
    count: int
    menu: bool
    minor: bool
    facets: list[int] = field(default_factory=list)

    def parts(self) -> list[str]:
        """The pages of the list."""
        return [
            self.page,
            *(f"{self.page}-{number}" for number in range(2, (self.count - 1) // PART + 2)),
        ]


@dataclass
class Entry:
    """A resource in a list, with its values for each facet of the list."""

    value: Value
    facets: list[list[Value]]


class Browse:
    """The lists of a publication."""

    def __init__(self, store: PageStore, site: Site, names: Names, addresses: Addresses) -> None:
        self.store, self.site, self.names, self.addresses = store, site, names, addresses
        self.lists = self._lists()
        self.pages = {list_.iri: list_.page for list_ in self.lists}

    def page(self, iri: str) -> str | None:
        """The list of a class."""
        return self.pages.get(iri)

    def _lists(self) -> list[Listed]:
        declared_kinds = [item.iri for item in self.site.kinds]
        order = {iri: number for number, iri in enumerate(declared_kinds or FIRST_KINDS)}
        counts, facets = self.store.kind_counts(), self.store.facets_of_kinds()
        lists: list[Listed] = []
        taken: set[str] = set()
        own = self.names.vocabulary
        for iri, count in sorted(
            counts, key=lambda item: (order.get(item[0], len(order)), item[0])
        ):
            name = slug(self.names.kind(iri, self.addresses.languages[0], many=True)) or "list"
            while name in taken:
                name += "-x"
            taken.add(name)
            declared = self.names.kinds.get(iri)
            menu = (
                declared.menu
                if declared
                else not self.site.kinds
                and iri[1:-1] not in own.own_terms
                and not iri.startswith(_OF_VOCABULARIES)
            )
            minor = declared.minor if declared else iri.startswith(_OF_VOCABULARIES)
            lists.append(
                Listed(
                    iri,
                    f"browse/{name}",
                    count,
                    menu,
                    minor,
                    [facet for kind, facet in facets if kind == iri],
                )
            )
        return lists

    def entries(self, listed: Listed, language: str) -> Iterator[Entry]:
        """The entries of a list in a language, sorted by label; links are relative to a page in
        browse/.
        """
        for _, members in self.members([listed], language):
            for s, rows in members:
                yield self.entry(listed, s, rows, language)

    def members(
        self, lists: Sequence[Listed], language: str
    ) -> Iterator[tuple[Listed, Iterator[Member]]]:
        """Lists and what their entries are made of, sorted by label. One query for all of them:
        to plan it costs more than most lists.
        """
        place, of_kind = (
            self.addresses.languages.index(language),
            {item.iri: item for item in lists},
        )
        rows = self.store.entries(list(of_kind), place)
        for kind, group in groupby(rows, key=itemgetter(-1)):
            yield of_kind[kind], ((s, list(own)) for s, own in groupby(group, key=itemgetter(0)))

    def is_alone(self, listed: Listed) -> bool:
        """Whether no page of another list can have the name of one of this list's."""
        others = [other.page for other in self.lists if other is not listed]
        return not any(
            page.startswith(f"{listed.page}-") or listed.page.startswith(f"{page}-")
            for page in others
        )

    def entry(self, listed: Listed, s: str, rows: list[Row], language: str) -> Entry:
        """An entry of a list, with links relative to a page in browse/."""
        many, place = len(self.addresses.languages), self.addresses.languages.index(language)
        page = self.addresses.page(s[1:-1])
        name, tag = label(rows[0][4 : 4 + many], place, s, self.addresses.base)
        cells: list[list[Value]] = []
        for facet in listed.facets:
            cells.append(
                [
                    self._value(row[2], row[3], row[4 + many : 4 + 2 * many], place, language)
                    for row in rows
                    if row[1] == facet
                ]
            )
        link = (
            up(listed.page) + href(page) + self.addresses.suffix(language) + ".html"
            if page
            else None
        )
        return Entry(Value(name, link, tag if tag != language else ""), cells)

    def _value(
        self, given: str, iri: str | None, labels: Sequence[str | None], place: int, language: str
    ) -> Value:
        if iri is None:
            return Value(given)
        page = self.addresses.page(iri[1:-1])
        name, tag = label(labels, place, iri, self.addresses.base)
        return Value(
            name,
            "../" + href(page) + self.addresses.suffix(language) + ".html" if page else None,
            tag if tag != language else "",
        )

    def heads(self, listed: Listed, language: str) -> list[dict[str, str]]:
        """What the facet columns are called."""
        return [
            {"name": self.site.facets[n].name, "text": chosen(self.site.facets[n].label, language)}
            for n in listed.facets
        ]

    def grouped(
        self, listed: Listed, entries: Sequence[Entry], column: int
    ) -> list[dict[str, Any]]:
        """Entries under each value of a facet, those without one last."""
        groups: dict[str, dict[str, Any]] = {}
        for entry in entries:
            for value in entry.facets[column] or [Value("")]:
                group = groups.setdefault(
                    value.text,
                    {"value": value, "entries": [], "anchor": slug(value.text) or "none"},
                )
                group["entries"].append(entry)
        result = [
            groups[name] for name in sorted(groups, key=lambda name: (name == "", name.casefold()))
        ]
        taken: set[str] = set()
        for group in result:
            while group["anchor"] in taken:
                group["anchor"] += "-x"
            taken.add(group["anchor"])
        return result
