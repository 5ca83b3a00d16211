"""The documents that the statements of a page rest on, as cards: number, title, what is declared of
them, and quotes that speak of the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lodpipe.site.annotations import Wording
from lodpipe.site.declaration import Site
from lodpipe.site.names import Names
from lodpipe.site.values import Value, is_safe, of_literal, readable_iri

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Detail:
    """A property of a document with its values."""

    label: str
    values: Sequence[Value]


@dataclass(frozen=True)
class Source:
    """A document with its number on the page; `editorial` where it is one of the publication."""

    number: int
    title: Value
    editorial: bool
    details: Sequence[Detail]
    quotes: Sequence[Value]


class SourceWriter:
    """Makes cards in one language."""

    def __init__(self, site: Site, names: Names, wording: Wording) -> None:
        self.site, self.names, self.wording = site, names, wording
        self.details = site.cards.details if site.cards else ()

    def cards(self, titles: Mapping[str, Value], rows: Iterable[Row], root: str) -> list[Source]:
        """The cards of documents in their order, from (page, graph, property, value, whether the
        value is described, its labels).
        """
        values: dict[tuple[str, str], list[Value]] = {}
        for _, graph, p, o, described, *labels in rows:
            value = self._value(o, described, labels, root)
            values.setdefault((graph, p), []).append(value)
        return [
            Source(
                number,
                title,
                graph in self.site.editorial,
                [
                    Detail(self.names.term(p, self.wording.language), values[graph, p])
                    for p in self.details
                    if (graph, p) in values
                ],
                values.get((graph, ""), ()),
            )
            for number, (graph, title) in enumerate(titles.items(), 1)
        ]

    def _value(self, term: str, described: bool, labels: Sequence[str | None], root: str) -> Value:
        if term.startswith('"'):
            return of_literal(term, self.wording.language, "")
        if described:
            return self.wording.link(term, root, labels)
        iri = term[1:-1]
        return Value(readable_iri(iri), iri if is_safe(iri) else None, away=True)
