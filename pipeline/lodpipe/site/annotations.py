"""Notes beside the values that they are about, and contradictions with all their statements, as a
page shows them in one language.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import groupby
from operator import attrgetter

from markupsafe import Markup

from lodpipe.engine.page_notes import DisputedStatement, NotedPlace
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.names import Names, label, literal
from lodpipe.site.values import Value, of_literal, references

Labels = Mapping[str, Sequence[str | None]]
_NOTHING = Markup("")


@dataclass
class Claim:
    """One statement of a contradiction: its value with its sources and how it is to be read, what it
    is about, its property, whether it is used, and the names of its sources where the page has them
    beside it.
    """

    value: Value
    qualifier: str
    of: Value
    term: str
    chosen: bool
    sources: list[Value]


@dataclass
class Dispute:
    """A contradiction: about what (none where the page is of that), its properties, its statements,
    the reason with its sources; whether its statements are about several resources or of several
    properties, and whether one of them is used.
    """

    anchor: str
    about: Value | None
    term: str
    claims: list[Claim]
    reason: Value
    details: list[str]
    link: str
    several: bool
    mixed: bool
    decided: bool


@dataclass(frozen=True)
class Wording:
    """How a page writes: its language, names, labels, and the way from it to others."""

    names: Names
    addresses: Addresses
    language: str
    labels: Labels  # of kinds, ranks, details, and what contradictions are about
    source: str  # what a source is called
    mark: Markup  # of what rests on the publication's own documents alone
    pointing: str = "%s"  # around the name of a property that has none in the other direction

    def link(self, iri: str, root: str, labels: Sequence[str | None] | None = None) -> Value:
        """A resource by its label."""
        place = self.addresses.languages.index(self.language)
        given = labels or self.labels.get(iri) or [None] * len(self.addresses.languages)
        text, tag = label(given, place, iri, self.addresses.base)
        page = self.addresses.page(iri[1:-1])
        address = (
            root + href(page) + self.addresses.suffix(self.language) + ".html" if page else None
        )
        return Value(text, address, tag if tag != self.language else "")

    def text(self, texts: Sequence[str]) -> Value:
        """The text in the language of the page, else the first."""
        own = [item for item in texts if literal(item)[1] == self.language]
        return of_literal((own or list(texts) or ['""'])[0], self.language, "")

    def references(self, graphs: str, numbers: Mapping[str, int]) -> Markup:
        """Links to the sources of a page."""
        known = {numbers[graph] for graph in graphs.split(" ") if graph in numbers}
        return references(tuple(sorted(known)), self.source)


@dataclass
class Beside:
    """The notes on the values of one page, and which of them the page shows beside the values."""

    wording: Wording
    places: Sequence[NotedPlace]
    disputed: Sequence[DisputedStatement]
    numbers: Mapping[str, int]
    root: str
    page: str
    titles: Mapping[str, Value] = field(default_factory=dict)  # of sources, beside statements
    _placed: set[tuple[str, str, str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._at: dict[tuple[str, str, str], list[NotedPlace]] = {}
        self._of: dict[str, list[NotedPlace]] = {}
        self._rejected: set[tuple[str, str, str]] = set()
        self._contested: set[tuple[str, str, str]] = set()
        self._disputes: set[str] = set()
        self.has_notes = bool(self.places or self.disputed)
        if self.has_notes:
            self._sort()

    def _sort(self) -> None:
        """The notes by what they are about."""
        for place in self.places:
            self._at.setdefault((place.node, place.p, place.o), []).append(place)
            if place.note:
                self._of.setdefault(place.note, []).append(place)
        decided = {item.dispute for item in self.disputed if item.chosen}
        self._rejected = {
            (item.node, item.p, item.o)
            for item in self.disputed
            if item.dispute in decided and not item.chosen
        } - {(item.node, item.p, item.o) for item in self.disputed if item.chosen}
        self._contested = {(item.node, item.p, item.o) for item in self.disputed}
        self._disputes = {item.dispute for item in self.disputed}

    def value(self, node: str, p: str, o: str, value: Value, *, ranked: bool) -> Value:
        """A value with its notes; `ranked` where its rank is not shown otherwise."""
        at = (node, p, o)
        if at in self._at:
            value.after = self._written(self._at[at], ranked and at in self._contested)
            value.muted = at in self._rejected
        return value

    def row(self, node: str) -> Markup:
        """The notes on a row of a table as a whole."""
        if not self._at:
            return _NOTHING
        return self._written(self._at.get((node, "", ""), ()), ranked=False)

    def rest(self, note: str) -> list[NotedPlace] | None:
        """Of a note in the list of notes, the statements that the page has not shown it beside; None
        where there is no need to list it.
        """
        places = self._of.get(note, [])
        rest = [item for item in places if (note, item.node, item.p, item.o) not in self._placed]
        if note in self._disputes or (places and not rest):
            return None
        return [item for item in rest if item.p or item.node != self.page]

    def about(self, places: Iterable[NotedPlace]) -> list[str]:
        """What a note by itself is about: property and value."""
        return [self._statement(place) for place in places]

    def _statement(self, place: NotedPlace) -> str:
        wording = self.wording
        of = "" if place.node == self.page else wording.link(place.node, self.root).text
        if not place.p:
            return of
        name = wording.names.term(place.p, wording.language)
        value = self._object(place.o, place.described, place.labels).text
        return f"{of} – {name}: {value}" if of else f"{name}: {value}"

    def _object(self, o: str, described: bool, labels: Sequence[str | None]) -> Value:
        if o.startswith('"'):
            return of_literal(o, self.wording.language, "")
        return self.wording.link(o, self.root, labels if described else None)

    def _written(self, places: Iterable[NotedPlace], ranked: bool) -> Markup:
        ranks, notes = [], []
        for place in places:
            kind = self.wording.link(place.kind, "").text if place.kind else ""
            if not place.note:
                ranks += [Markup(f' <span class="rank">{escape(kind)}</span>')] if ranked else []
                continue
            self._placed.add((place.note, place.node, place.p, place.o))
            if place.note in self._disputes:
                address = f"#{anchor(place.note)}"
                ranks.append(Markup(f' <a class="rank" href="{address}">{escape(kind)}</a>'))
            elif not place.dispute:
                notes.append(self._note(place, kind))
        return Markup("").join((*ranks, *notes))

    def _note(self, place: NotedPlace, kind: str) -> Markup:
        refs = self.wording.references(place.graphs, self.numbers)
        head = self.wording.link(place.note, self.root)
        named = f'<a href="{escape(head.href)}">{escape(kind)}</a>' if head.href else escape(kind)
        text = self.wording.text(place.texts).__html__()
        return Markup(f'<span class="said"><b>{named}:</b> {text}{refs}</span>')

    def disputes(self) -> list[Dispute]:
        """The contradictions of the page, in the order of their IRIs."""
        if not self.disputed:
            return []
        return [
            self._dispute(dispute, list(group))
            for dispute, group in groupby(self.disputed, key=attrgetter("dispute"))
        ]

    def _dispute(self, dispute: str, statements: list[DisputedStatement]) -> Dispute:
        wording, first = self.wording, statements[0]
        claims = [
            self._claim(item)
            for item in sorted(
                statements, key=lambda item: (not item.chosen, item.node, item.p, item.o)
            )
        ]
        terms = dict.fromkeys(claim.term for claim in claims)
        within = self._within(statements)
        reason = wording.text(first.texts)
        reason.refs = wording.references(first.reason_graphs, self.numbers)
        return Dispute(
            anchor(dispute),
            wording.link(first.about, self.root) if first.about != self.page else None,
            f"{within}: {' / '.join(terms)}" if within else " / ".join(terms),
            claims,
            reason,
            [wording.link(item, "").text for item in first.details],
            wording.link(dispute, self.root).href or "",
            len({item.known_as for item in statements}) > 1,
            len(terms) > 1,
            any(claim.chosen for claim in claims),
        )

    def _within(self, statements: Sequence[DisputedStatement]) -> str:
        """Where a contradiction is not about the values of its resource itself: the part of that by
        its name, or what kind of nodes have the values.
        """
        about = statements[0].about
        if {item.node for item in statements} == {about}:
            return ""
        known = {item.known_as for item in statements}
        if len(known) == 1 and known != {about}:
            return self.wording.link(known.pop(), self.root).text
        kinds = {item.kind for item in statements}
        names, language = self.wording.names, self.wording.language
        return names.kind(kinds.pop(), language) if len(kinds) == 1 else ""

    def _claim(self, item: DisputedStatement) -> Claim:
        wording = self.wording
        value = self._object(item.o, item.described, item.labels)
        value.refs = wording.references(item.graphs, self.numbers)
        of = wording.link(item.known_as, self.root)
        qualifier = wording.link(item.qualifier, "").text if item.qualifier else ""
        sources = [self.titles[name] for name in item.graphs.split(" ") if name in self.titles]
        term = wording.names.term(item.p, wording.language)
        return Claim(value, qualifier, of, term, item.chosen, sources)


def anchor(iri: str) -> str:
    """A fragment for a resource: the last two parts of its IRI.

    >>> anchor("<https://example.org/remark/moon/starts>")
    'moon-starts'
    """
    return "-".join(iri[1:-1].rstrip("/").split("/")[-2:])
