"""The documents that the statements of a page rest on, for the pages on which these are shown: what
they are, and quotes from them that speak of the page.

Table: `site_sources` (page, g).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lodpipe.engine.page_paths import Step, path_sql
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import text

Row = tuple[Any, ...]


class SourceCards(NamedTuple):
    """What is shown of a document: the values of properties; of the quotes at the end of any path
    from a page, the words, by the properties that lead to the document and to the words. Names are
    full IRIs in angle brackets.
    """

    details: tuple[str, ...]
    quotes: tuple[tuple[Step, ...], ...]
    source: str
    text: str


class PageSources:
    """The table, and what pages read from it, sorted by page."""

    def __init__(
        self, session: Session, languages: int, cited: str, declared: SourceCards | None
    ) -> None:
        self._session, self._declared = session, declared
        self._labels = ", ".join(f"r.label_{n}" for n in range(languages))
        session.rows(
            f"CREATE OR REPLACE TABLE site_sources AS SELECT DISTINCT page, g FROM ({cited})"
        )

    def documents(self) -> Iterator[Row]:
        """(page, graph, whether it is described, its labels): the documents of a page's statements."""
        return self._session.stream(
            f"SELECT a.page, a.g, r.s IS NOT NULL, {self._labels} FROM site_sources AS a "
            f"LEFT JOIN site_resources AS r ON r.s = a.g ORDER BY a.page, a.g"
        )

    def details(self) -> Iterator[Row]:
        """(page, graph, property, value, whether the value is described, its labels) of the documents
        of a page; the property of a quote is empty.
        """
        if self._declared is None:
            return iter(())
        return self._session.stream(self._select("site_sources", self._quotes(self._declared)))

    def details_of(self, graphs: Sequence[str]) -> list[Row]:
        """The same of given documents, without quotes, for a page with an empty name."""
        if self._declared is None or not graphs:
            return []
        cited = "(SELECT '' AS page, unnest(?) AS g)"
        return self._session.rows(self._select(cited, ""), [list(graphs)])

    def _select(self, cited: str, quotes: str) -> str:
        listed = ", ".join(map(text, self._declared.details if self._declared else ())) or "''"
        return (
            f"SELECT i.page, i.g, i.p, i.o, r.s IS NOT NULL, {self._labels} FROM ("
            f"SELECT a.page, a.g, t.p, t.o FROM {cited} AS a JOIN site_triples AS t ON t.s = a.g WHERE t.p IN ({listed}){quotes}"
            f") AS i LEFT JOIN site_resources AS r ON r.s = i.o ORDER BY i.page, i.g, i.p, i.o"
        )

    def _quotes(self, declared: SourceCards) -> str:
        """SQL for the quotes of pages, where any are declared."""
        if not declared.quotes:
            return ""
        nodes = " UNION ".join(path_sql(path) for path in declared.quotes)
        return (
            f" UNION SELECT n.page, d.o, '', t.o FROM ({nodes}) AS n "
            f"JOIN site_triples AS d ON d.s = n.node AND d.p = {text(declared.source)} "
            f"JOIN site_triples AS t ON t.s = n.node AND t.p = {text(declared.text)} "
            "JOIN site_sources AS a ON a.page = n.page AND a.g = d.o"
        )
