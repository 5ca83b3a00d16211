"""What the start page begins with: the declared sentences with their figures, and the picture of
resources by kinds, in which gaps are hatched.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape

from lodpipe.engine.page_store import PageStore
from lodpipe.rdf.namespaces import XSD
from lodpipe.site.addresses import Addresses, href
from lodpipe.site.declaration import Site
from lodpipe.site.names import chosen, label
from lodpipe.site.sentences import LINK, NAME, placeholders
from lodpipe.site.values import Value, is_safe, written

DOTS = 40  # the largest number that is drawn as dots, and not as a bar
ACROSS = 8  # dots in a line
STEP = 10  # from one dot to the next, in units of the drawing
BAR = 80  # the longest bar, in the same units


@dataclass(frozen=True)
class Cell:
    """A number as dots or as the length of a bar; `gap` where more is missing."""

    label: str
    value: int
    text: str
    gap: bool
    dots: Sequence[tuple[int, int]]
    bar: float
    width: int
    height: int


@dataclass(frozen=True)
class Line:
    """A resource with a cell for each kind."""

    value: Value
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Sum:
    """All numbers of a kind together, and whether any of them has a gap."""

    label: str
    text: str
    gap: bool


@dataclass(frozen=True)
class MatrixView:
    """The picture in a language."""

    title: str
    caption: str
    heads: Sequence[str]
    lines: Sequence[Line]
    sums: Sequence[Sum]


class FirstScreen:
    """The declared parts, read once and written in each language."""

    def __init__(self, store: PageStore, site: Site, addresses: Addresses) -> None:
        self.store, self.site, self.addresses = store, site, addresses

    # -- sentences ---------------------------------------------------------------------------------

    @cached_property
    def _figures(self) -> list[Mapping[str, Any]]:
        """The row of each sentence by column."""
        rows: list[Mapping[str, Any]] = []
        for declared in self.site.story:
            names = placeholders(declared.text.values())
            given = self.store.declared(declared.query, names) if declared.query and names else []
            rows.append(dict(zip(names, given[0], strict=True)) if given else {})
        return rows

    def story(self, language: str) -> list[Markup]:
        """The sentences."""
        return [
            sentence(
                chosen(declared.text, language),
                values,
                language,
                lambda target: self._address(target, language),
            )
            for declared, values in zip(self.site.story, self._figures, strict=True)
        ]

    def _address(self, target: str, language: str) -> str | None:
        """Where a link leads from the start page."""
        if "://" in target:
            return outside(target)
        page, mark, fragment = target.partition("#")
        named = self.addresses.page(self.addresses.base + page) or page
        return f"{href(named)}{self.addresses.suffix(language)}.html{mark}{fragment}"

    # -- resources by kinds ------------------------------------------------------------------------

    @cached_property
    def _numbers(self) -> dict[str, dict[str, tuple[int, bool]]]:
        """The number and the gap of each kind, by resource."""
        if self.site.matrix is None:
            return {}
        rows = self.store.declared(self.site.matrix.query, ("resource", "kind", "value", "gap"))
        numbers: dict[str, dict[str, tuple[int, bool]]] = {}
        for resource, kind, value, gap in rows:
            iri = f"<{self.addresses.base}{resource}>"
            numbers.setdefault(iri, {})[str(kind)] = int(value or 0), bool(gap)
        return numbers

    @cached_property
    def _labels(self) -> Mapping[str, Sequence[str | None]]:
        return self.store.labels(list(self._numbers))

    def matrix(self, language: str) -> MatrixView | None:
        """The picture; resources in the order of their names."""
        declared = self.site.matrix
        if declared is None:
            return None
        kinds = {name: chosen(texts, language) for name, texts in declared.kinds.items()}
        most = {
            name: max((row.get(name, (0, False))[0] for row in self._numbers.values()), default=0)
            for name in kinds
        }
        lines = [
            Line(
                self._resource(iri, language),
                [
                    _cell(text, *row.get(name, (0, False)), most[name], language)
                    for name, text in kinds.items()
                ],
            )
            for iri, row in self._numbers.items()
        ]
        lines.sort(key=lambda line: line.value.text)
        columns = [[line.cells[place] for line in lines] for place in range(len(kinds))]
        return MatrixView(
            chosen(declared.title, language),
            chosen(declared.caption, language),
            list(kinds.values()),
            lines,
            [
                Sum(text, whole(sum(c.value for c in cells), language), any(c.gap for c in cells))
                for text, cells in zip(kinds.values(), columns, strict=True)
            ],
        )

    def _resource(self, iri: str, language: str) -> Value:
        place = self.addresses.languages.index(language)
        text, tag = label(
            self._labels.get(iri, [None] * (place + 1)), place, iri, self.addresses.base
        )
        page = self.addresses.page(iri[1:-1]) if iri in self._labels else None
        link = f"{href(page)}{self.addresses.suffix(language)}.html" if page else None
        return Value(text, link, tag if tag != language else "")


def _cell(text: str, value: int, gap: bool, most: int, language: str) -> Cell:
    written = whole(value, language) if value else ""
    if most > DOTS:
        bar = round(BAR * max(value, 0) / most, 1)
        return Cell(text, value, written, gap, (), bar, BAR, STEP)
    dots = [
        (STEP * (n % ACROSS) + STEP // 2, STEP * (n // ACROSS) + STEP // 2) for n in range(value)
    ]
    width = STEP * min(ACROSS, max(value, 1))
    return Cell(text, value, written, gap, dots, 0, width, STEP * max(1, -(-value // ACROSS)))


def sentence(
    text: str, values: Mapping[str, Any], language: str, address: Callable[[str], str | None]
) -> Markup:
    """A declared text as markup: figures as people write them in a language, links to the addresses
    of their targets; values are never read as links.

    >>> sentence("{n} of [{all}](x)", {"n": 1200, "all": "<b>"}, "en", lambda target: target)
    Markup('<strong>1,200</strong> of <a href="x">&lt;b&gt;</a>')
    """
    parts, place = [], 0
    for match in LINK.finditer(text):
        words, target = match.groups()
        parts.append(_filled(text[place : match.start()], values, language))
        filled, link = _filled(words, values, language), address(target)
        parts.append(Markup('<a href="{}">{}</a>').format(link, filled) if link else filled)
        place = match.end()
    return Markup("").join([*parts, _filled(text[place:], values, language)])


def outside(target: str) -> str | None:
    """The address of a page elsewhere; None where it is none that a link may lead to."""
    return target if "://" in target and is_safe(target) else None


def _filled(text: str, values: Mapping[str, Any], language: str) -> Markup:
    parts, place = [], 0
    for match in NAME.finditer(text):
        parts += [escape(text[place : match.start()]), figure(values.get(match[1]), language)]
        place = match.end()
    return Markup("").join([*parts, escape(text[place:])])


def figure(value: Any, language: str) -> Markup:
    """A value of a query: numbers are emphasised."""
    if value is None:
        return Markup("–")
    text = str(value)
    if not re.fullmatch(r"-?\d+", text):
        return escape(text)
    return Markup("<strong>{}</strong>").format(whole(int(text), language))


def whole(value: int, language: str) -> str:
    """A whole number as people write it."""
    return written(str(value), f"{XSD}integer", language)
