"""The page of contradictions and gaps: statements that exclude each other side by side, which
expected fields of records are not known, and notes that say what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lodpipe.engine.page_store import PageStore
from lodpipe.releases.coverage_figures import TableCoverage
from lodpipe.site.annotations import Beside, Dispute, Wording
from lodpipe.site.coverage_page import CoverageView, coverage_views, incomplete
from lodpipe.site.declaration import Site
from lodpipe.site.names import chosen
from lodpipe.site.source_cards import SourceWriter
from lodpipe.site.values import Value

PAGE = "contradictions"


@dataclass(frozen=True)
class Gap:
    """A note that says what is missing: its kind, which leads to its page, and its text with its
    sources.
    """

    kind: Value
    text: Value


@dataclass(frozen=True)
class GapsOf:
    """The notes about one resource."""

    about: Value
    notes: Sequence[Gap]


class OpenPoints:
    """Everything that the page shows, read once and written in each language."""

    def __init__(self, store: PageStore, site: Site, coverage: Sequence[TableCoverage]) -> None:
        self.site, self.coverage = site, coverage
        self.disputed = list(store.notes.disputed(everywhere=True))
        self.gaps = store.notes.gaps()
        graphs = {
            graph
            for given in (
                *(f"{row.graphs} {row.reason_graphs}" for row in self.disputed),
                *(row.graphs for row in self.gaps),
            )
            for graph in given.split(" ")
        } - {""}
        self._numbers = {graph: number for number, graph in enumerate(sorted(graphs), 1)}
        self._details = store.sources.details_of(list(self._numbers))
        named = {row.about for row in self.gaps} | {row.kind for row in self.gaps}
        self._labels = store.labels([*graphs, *named])

    def __bool__(self) -> bool:
        return bool(self.disputed or self.gaps or self.coverage)

    def title(self, texts: Mapping[str, str], language: str) -> str:
        """What the page is called: by what it shows."""
        if not self.disputed:
            return texts["gaps"]
        if self.gaps or self.coverage:
            return texts["open_points"]
        return chosen(self.site.disputes_title, language)

    def common(self, texts: Mapping[str, str], language: str) -> dict[str, object]:
        """What other pages show of it."""
        return {
            "disputes_title": chosen(self.site.disputes_title, language),
            "disputes_number": len({row.dispute for row in self.disputed}),
            "open_title": self.title(texts, language) if self else "",
        }

    def page(self, wording: Wording) -> dict[str, object]:
        """The page in a language."""
        titles = {graph: self._link(wording, graph) for graph in self._numbers}
        return {
            "items": self._disputes(wording, titles),
            "disputes_caption": chosen(self.site.disputes_caption, wording.language),
            "tables": self._tables(wording),
            "gaps": self._gaps(wording),
            "sources": SourceWriter(self.site, wording.names, wording).cards(
                titles, self._details, ""
            ),
        }

    def _link(self, wording: Wording, iri: str) -> Value:
        return wording.link(iri, "", self._labels.get(iri))

    def _disputes(self, wording: Wording, titles: Mapping[str, Value]) -> list[Dispute]:
        items = Beside(wording, (), self.disputed, self._numbers, "", "", titles).disputes()
        return sorted(items, key=lambda item: (item.about.text if item.about else "", item.term))

    def _tables(self, wording: Wording) -> list[CoverageView]:
        """The tables with the records of which something is missing or contradictory."""
        views = coverage_views(self.coverage, wording.addresses, wording.language)
        return [incomplete(view) for view in views]

    def _gaps(self, wording: Wording) -> list[GapsOf]:
        """The notes by resource: first those with the first kind of notes."""
        by_resource: dict[str, list[Gap]] = {}
        first: dict[str, str] = {}
        for row in self.gaps:
            first.setdefault(row.about, row.kind)
            kind = Value(self._link(wording, row.kind).text, wording.link(row.note, "").href)
            words = wording.text(row.texts)
            words.refs = wording.references(row.graphs, self._numbers)
            by_resource.setdefault(row.about, []).append(Gap(kind, words))
        kinds = list(dict.fromkeys(first.values()))
        items = {about: self._link(wording, about) for about in by_resource}
        return [
            GapsOf(items[about], by_resource[about])
            for about in sorted(items, key=lambda it: (kinds.index(first[it]), items[it].text))
        ]
