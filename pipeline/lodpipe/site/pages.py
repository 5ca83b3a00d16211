"""One page for each resource: its statements and their sources, what is beside it in tables, what
points to it; and the same as data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeVar

from msgspec import Struct

from lodpipe.engine.page_notes import DisputedStatement, NotedPlace
from lodpipe.engine.page_store import INCOMING, PageStore, Row
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.terms import TYPE
from lodpipe.site.addresses import Addresses, href, up
from lodpipe.site.annotations import Beside, Dispute, Wording
from lodpipe.site.declaration import PageTable, Site
from lodpipe.site.names import Names, chosen, label, literal, slug
from lodpipe.site.source_cards import Source, SourceWriter
from lodpipe.site.values import (
    Value,
    is_safe,
    of_literal,
    readable_iri,
    references,
)

Triple = tuple[str, str, str]


class Resource(NamedTuple):
    """Everything that a page is made of, as it comes from the streams; the same for all languages."""

    iri: str
    page: str
    kind: str | None
    labels: Sequence[str | None]
    statements: list[Row]
    rows: list[Row]
    pointing: list[Row]
    resting: list[Row]
    sources: list[Row]
    spots: list[Row]
    cards: list[Row]
    noted: list[NotedPlace]
    disputed: list[DisputedStatement]

    def content(self) -> tuple[object, ...]:
        """All of it as plain tuples and lists, for a digest and for other processes."""
        plain = [[tuple(row) for row in rows] for rows in (self.noted, self.disputed)]
        return (*self[:-2], *plain)

    @classmethod
    def of_content(cls, content: Sequence[Any]) -> Resource:
        """The resource of such a content."""
        *rows, noted, disputed = content
        places = [NotedPlace(*row) for row in noted]
        return cls._make([*rows, places, [DisputedStatement(*row) for row in disputed]])

    def triples(self) -> list[Triple]:
        """What the page says as data: its own statements and those of the nodes in its tables,
        sorted.
        """
        own = [row[:3] for row in self.statements]
        if not self.rows:
            return own
        return sorted({*own, *(row[4:7] for row in self.rows)})


class Fact(Struct):
    """A property and its values."""

    label: str
    title: str
    href: str | None
    values: list[Value]
    more: int = 0
    anchor: str = ""
    report: str | None = None  # the address of a report of an error in it


@dataclass
class Line:
    """A row of a table on a page: its cells, the numbers of its sources as markup, where its node
    leads, and what it is called.
    """

    cells: list[list[Value]]
    refs: str
    link: str
    name: str
    about: list[str] = field(default_factory=list)  # of a note, the statements that it is about
    notes: str = ""  # on the row as a whole, as markup


@dataclass
class Sheet:
    """A table on a page, or its notes."""

    title: str
    anchor: str
    columns: list[str]
    rows: list[Line]
    total: int
    notes: bool


class PageContent(Struct):
    """A page in one language."""

    title: Value
    iri: str
    kinds: list[Value]
    facts: list[Fact]
    sheets: list[Sheet]
    notes: list[Sheet]
    pointing: list[Fact]
    resting: list[Value]
    resting_more: int
    sources: list[Source]
    disputes: list[Dispute]
    parents: Sequence[Value] = ()


_ORDER = itemgetter(0)
AnyRow = TypeVar("AnyRow", bound="tuple[Any, ...]")


class Merged(Generic[AnyRow]):
    """A stream sorted by its first column, asked for one page after the other."""

    def __init__(self, rows: Iterator[AnyRow]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def of(self, page: str) -> list[AnyRow]:
        """The rows of a page; those of pages before it are passed over."""
        while self._next is not None and self._next[0] < page:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != page:
            return []
        rows = list(self._next[1])
        self._next = next(self._groups, None)
        return rows


def resources(store: PageStore, addresses: Addresses) -> Iterator[Resource]:
    """Every resource that can have a page, with what its page needs, in the order of the IRIs; one
    pass over each stream.
    """
    statements, rows, pointing, resting, sources, spots = (
        Merged(item)
        for item in (
            store.statements(),
            store.table_rows(),
            store.incoming(),
            store.supported(),
            store.sources.documents(),
            store.spots(),
        )
    )
    cards = Merged(store.sources.details())
    noted, disputed = Merged(store.notes.places()), Merged(store.notes.disputed())
    for subject, kind, *labels in store.resources():
        page = addresses.page(subject[1:-1])
        if page is not None:
            yield Resource(
                subject,
                page,
                kind,
                labels,
                statements.of(subject),
                rows.of(subject),
                pointing.of(subject),
                resting.of(subject),
                sources.of(subject),
                spots.of(subject),
                cards.of(subject),
                noted.of(subject),
                disputed.of(subject),
            )


class Writer:
    """Makes pages of resources in one language."""

    def __init__(
        self,
        site: Site,
        names: Names,
        addresses: Addresses,
        wording: Wording,
        browse: Callable[[str], str | None],
    ) -> None:
        self.site, self.names, self.addresses, self.browse = site, names, addresses, browse
        self.wording, self.language, language = wording, wording.language, wording.language
        self.word = wording.source  # what a source is called
        self.mark = wording.mark
        self.place = addresses.languages.index(language)
        self.suffix = addresses.suffix(language) + ".html"
        self.cards = SourceWriter(site, names, wording)
        self._without_notes = Beside(wording, (), (), {}, "", "")
        self.order = {iri: number for number, iri in enumerate(site.properties)}
        self._known_kinds: dict[tuple[frozenset[str], str | None, str], list[Value]] = {}
        self._properties: dict[tuple[str, bool], tuple[tuple[int, str], str, str, str | None]] = {}

    def show(self, resource: Resource) -> PageContent:
        """The page of a resource."""
        root = up(resource.page)
        numbers = {row[1]: number for number, row in enumerate(resource.sources, 1)}
        in_tables = {row[4] for row in resource.rows}
        text, tag = label(resource.labels, self.place, resource.iri, self.addresses.base)
        beside = self._without_notes
        if resource.noted or resource.disputed:
            beside = Beside(
                self.wording, resource.noted, resource.disputed, numbers, root, resource.iri
            )
        facts = self._facts(resource, root, numbers, in_tables, beside)
        sheets = self._sheets(resource, root, numbers, beside) if resource.rows else []
        return PageContent(
            title=Value(text, lang=tag if tag != self.language else ""),
            iri=resource.iri[1:-1],
            kinds=self._kinds(resource, root),
            facts=facts,
            sheets=[sheet for sheet in sheets if not sheet.notes],
            notes=[sheet for sheet in sheets if sheet.notes],
            pointing=self._pointing(resource, root) if resource.pointing else [],
            resting=[
                self._link(s, described, labels, root, detail=str(count))
                for _, _, s, count, described, *labels in resource.resting
                if s != resource.iri
            ],
            resting_more=max(0, resource.resting[0][1] - len(resource.resting))
            if resource.resting
            else 0,
            sources=self.cards.cards(
                {
                    graph: self._link(graph, described, labels, root)
                    for _, graph, described, *labels in resource.sources
                },
                resource.cards,
                root,
            ),
            disputes=beside.disputes(),
        )

    # -- parts -------------------------------------------------------------------------------------

    def _kinds(self, resource: Resource, root: str) -> list[Value]:
        """The types of a resource without those that others imply, the kind that its list is of
        first. Many resources have the same.
        """
        types = frozenset([row[2] for row in resource.statements if row[1] == TYPE])
        known = self._known_kinds.get((types, resource.kind, root))
        if known is None:
            known = self._kinds_of(types, resource.kind, root)
            self._known_kinds[types, resource.kind, root] = known
        return known

    def _kinds_of(self, types: frozenset[str], kind: str | None, root: str) -> list[Value]:
        implied = {
            f"<{above}>"
            for name, above in self.names.vocabulary.superclasses
            if f"<{name}>" in types
        }
        kinds: list[Value] = []
        for type_ in sorted(types - (implied - {kind}), key=lambda item: (item != kind, item)):
            text = self.names.kind(type_, self.language)
            if text not in (value.text for value in kinds):
                listed = self.browse(type_)
                kinds.append(Value(text, root + listed + self.suffix if listed else None))
        return kinds

    def _facts(
        self,
        resource: Resource,
        root: str,
        numbers: Mapping[str, int],
        in_tables: set[str],
        beside: Beside,
    ) -> list[Fact]:
        facts = []
        for predicate, group in groupby(resource.statements, key=itemgetter(1)):
            if predicate == TYPE or predicate in self.site.hidden:
                continue
            rows = [row for row in group if row[2] not in in_tables]
            if predicate in LABELS and len({literal(row[2])[0] for row in rows}) < 2:
                continue
            if rows := self._visible(rows):
                values = [
                    self._value(row[2], row[3], row[4], row[5:], root, numbers) for row in rows
                ]
                if beside.has_notes:
                    for row, value in zip(rows, values, strict=True):
                        beside.value(resource.iri, predicate, row[2], value, ranked=True)
                facts.append(self._fact(predicate, values, root))
        return [fact for _, fact in sorted(facts, key=_ORDER)]

    def _visible(self, rows: list[Row]) -> list[Row]:
        """Of texts in several languages those of the page's language, where there are any, without
        plain copies.
        """
        if len(rows) < 2:
            return rows
        rows = _without_plain_copies(rows)
        texts = [row for row in rows if row[2].startswith('"') and literal(row[2])[1]]
        own = [row for row in texts if literal(row[2])[1] == self.language]
        return (
            [row for row in rows if row not in texts or row in own]
            if own and len(own) < len(texts)
            else rows
        )

    def _fact(
        self,
        predicate: str,
        values: list[Value],
        root: str,
        more: int = 0,
        pointing: bool = False,
    ) -> tuple[tuple[int, str], Fact]:
        order, short, anchor, page = self._property(predicate, pointing)
        link = root + page if page else None
        return order, Fact(order[1], short, link, values, more, anchor)

    def _property(
        self, predicate: str, pointing: bool
    ) -> tuple[tuple[int, str], str, str, str | None]:
        """The place of a property with its name, its short name, its anchor, and its page; its name
        may be another one on the page that it points to.
        """
        known = self._properties.get((predicate, pointing))
        if known is None:
            own = predicate[1:-1] in self.names.vocabulary.own_terms
            page = self.addresses.page(predicate[1:-1]) if own else None
            order = self.order.get(predicate, len(self.order))
            name, short = self._name(predicate, pointing), self.names.compact(predicate)
            known = (order, name), short, slug(short), href(page) + self.suffix if page else None
            self._properties[predicate, pointing] = known
        return known

    def _name(self, predicate: str, pointing: bool) -> str:
        if pointing:
            return self.names.inverse(predicate, self.language, self.wording.pointing)
        return self.names.term(predicate, self.language)

    def _value(
        self,
        term: str,
        graphs: str,
        described: bool,
        labels: Sequence[str | None],
        root: str,
        numbers: Mapping[str, int],
    ) -> Value:
        refs = self._evidence(graphs, numbers) if graphs else ""
        if term.startswith('"'):
            return of_literal(term, self.language, refs)
        return self._link(term, described, labels, root, refs)

    def _evidence(self, graphs: str, numbers: Mapping[str, int]) -> str:
        """The numbers of the documents that a value rests on, after the mark of those that rest on
        editorial work alone.
        """
        several = graphs.split(" ")
        cited = sorted([numbers[graph] for graph in several if graph in numbers])
        links = references(tuple(cited), self.word)
        return self.mark + links if self.site.editorial.issuperset(several) else links

    def _link(
        self,
        term: str,
        described: bool,
        labels: Sequence[str | None],
        root: str,
        refs: str = "",
        detail: str = "",
    ) -> Value:
        iri = term[1:-1]
        if not described:
            known = term in self.site.properties
            text = self.names.term(term, self.language) if known else readable_iri(iri)
            return Value(text, iri if is_safe(iri) else None, away=True, refs=refs)
        page = self.addresses.page(iri)
        text, tag = label(labels, self.place, term, self.addresses.base)
        return Value(
            text,
            root + href(page) + self.suffix if page else None,
            tag if tag != self.language else "",
            refs=refs,
            detail=detail,
        )

    def _sheets(
        self, resource: Resource, root: str, numbers: Mapping[str, int], beside: Beside
    ) -> list[Sheet]:
        """The tables in their order; notes are made last, for what is shown beside a value is not
        listed again.
        """
        groups = {tab: list(group) for tab, group in groupby(resource.rows, key=itemgetter(1))}
        order = sorted(groups, key=lambda tab: self.site.tables[tab].notes)
        sheets = {
            tab: self._sheet(resource, self.site.tables[tab], groups[tab], root, numbers, beside)
            for tab in order
        }
        return [sheet for _, sheet in sorted(sheets.items()) if sheet.rows]

    def _sheet(
        self,
        resource: Resource,
        table: PageTable,
        rows: list[Row],
        root: str,
        numbers: Mapping[str, int],
        beside: Beside,
    ) -> Sheet:
        lines: list[Line] = []
        listed_beside = 0
        for node, group in groupby(rows, key=itemgetter(4)):
            rest = beside.rest(node) if table.notes else []
            if rest is None:
                listed_beside += 1
                continue
            by_column: dict[str, list[Row]] = {}
            graphs: set[str] = set()
            for row in group:
                by_column.setdefault(row[5], []).append(row)
                graphs.update(row[7].split(" ") if row[7] else ())
            cells = []
            for column in table.columns:
                objects = [
                    (row[6], row[8], row[9:])
                    for row in by_column.get(column, ())
                    if row[6] != resource.iri
                ]
                cells.append(
                    [
                        beside.value(
                            node,
                            column,
                            o,
                            self._value(o, "", described, labels, root, numbers),
                            ranked=False,
                        )
                        for o, described, labels in self._of_language(objects)
                    ]
                )
            page = self.addresses.page(node[1:-1])
            name = next((cell[0].text for cell in cells if cell), node[1:-1])
            link = root + href(page) + self.suffix if page else ""
            lines.append(
                Line(
                    cells,
                    self._evidence(" ".join(graphs), numbers) if graphs else "",
                    link,
                    name,
                    beside.about(rest),
                    beside.row(node),
                )
            )
        filled = [n for n in range(len(table.columns)) if any(line.cells[n] for line in lines)]
        for line in lines:
            line.cells = [line.cells[n] for n in filled]
        columns = [self.names.term(table.columns[n], self.language) for n in filled]
        anchor = slug(next(iter(table.title.values())))
        return Sheet(
            chosen(table.title, self.language),
            anchor,
            columns,
            lines,
            rows[0][2] - listed_beside,
            table.notes,
        )

    def _of_language(self, objects: list[tuple[str, bool, Any]]) -> list[tuple[str, bool, Any]]:
        own = [
            item
            for item in objects
            if item[0].startswith('"') and literal(item[0])[1] == self.language
        ]
        return own or objects

    def _pointing(self, resource: Resource, root: str) -> list[Fact]:
        facts = []
        for predicate, group in groupby(resource.pointing, key=itemgetter(1)):
            if predicate not in self.site.hidden:
                rows = list(group)
                values = [self._link(row[3], row[4], row[5:], root) for row in rows]
                facts.append(
                    self._fact(
                        predicate, values, root, more=max(0, rows[0][2] - INCOMING), pointing=True
                    )
                )
        return [fact for _, fact in sorted(facts, key=_ORDER)]


def _without_plain_copies(rows: list[Row]) -> list[Row]:
    """Rows of a property without plain texts that it also has with a datatype of their own: data
    state a key twice so that queries find it, a page shows it once.
    """
    typed = {row[2].rpartition("^^")[0] for row in rows if row[2].endswith(">")}
    return [row for row in rows if row[2] not in typed]
