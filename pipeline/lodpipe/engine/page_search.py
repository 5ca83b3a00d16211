"""What the search of the pages finds, as a table in the order of the results, and its texts.

Table `site_search` (id, s, kind): the resources of the kinds that are searched, by kind and label.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.labels import ALTERNATIVE_LABELS, LABELS
from lodpipe.rdf.terms import TYPE

Row = tuple[Any, ...]
NODES = 50  # nodes of a table on a page whose texts lead to the page
_TEXTS = 4_000  # characters of a resource that are searched, its names apart
# What no one types: coordinates, other measures, and truth values.
_UNTYPED = "'\\^\\^<[^<>]*[#/](decimal|double|float|boolean|wktLiteral|anyURI)>$'"


class PageSearch:
    """The table, and what the index of the pages is made of."""

    def __init__(self, session: Session, base: str, languages: int) -> None:
        self._session, self._base = session, base
        self._labels = ", ".join(f"r.label_{n}" for n in range(languages))
        self._languages = languages

    def prepare(self, kinds: Sequence[str]) -> int:
        """Numbers the resources of these kinds, in this order and by their labels; returns how many
        there are.
        """
        self._session.rows(
            "CREATE OR REPLACE TABLE site_search AS SELECT row_number() OVER (ORDER BY k.rank, lower(strip_accents(r.label_0)), r.s) - 1 AS id, "
            "r.s, r.kind FROM site_resources AS r JOIN (SELECT unnest($1) AS kind, unnest(range(len($1))) AS rank) AS k ON k.kind = r.kind "
            f"WHERE starts_with(r.s, {text('<' + self._base)}) AND coalesce({self._labels}) IS NOT NULL",
            [list(kinds)],
        )
        return int(self._session.rows("SELECT count(*) FROM site_search")[0][0])

    def entries(self) -> Iterator[Row]:
        """(id, resource, kind, alternative labels, value of the first facet, texts, keys, labels), in
        the order of the ids. Texts and keys are plain, each joined by spaces.
        """
        named = ", ".join(map(text, ALTERNATIVE_LABELS))
        return self._session.stream(
            f"SELECT d.id, d.s, d.kind, a.others, f.detail, x.texts, y.keys, {self._labels} FROM site_search AS d "
            "JOIN site_resources AS r ON r.s = d.s "
            "LEFT JOIN (SELECT s, list(DISTINCT o ORDER BY o) AS others FROM site_triples "
            f"WHERE p IN ({named}) AND o LIKE '\"%' GROUP BY s) AS a ON a.s = d.s "
            "LEFT JOIN (SELECT s, min(coalesce(label_0, value)) AS detail FROM site_facets WHERE facet = 0 GROUP BY s) AS f ON f.s = d.s "
            f"LEFT JOIN (SELECT s, left(string_agg(value, ' ' ORDER BY value), {_TEXTS}) AS texts FROM ({self._texts()}) GROUP BY s) AS x "
            "ON x.s = d.s "
            f"LEFT JOIN (SELECT s, string_agg(key, ' ' ORDER BY key) AS keys FROM ({self._keys()}) GROUP BY s) AS y ON y.s = d.s "
            "ORDER BY d.id"
        )

    def _texts(self) -> str:
        """SQL for (resource, text): its literals, those of the nodes in its tables, and the labels of
        what it refers to.
        """
        labels = ", ".join(map(text, (*LABELS, *ALTERNATIVE_LABELS)))
        literal = f"t.o LIKE '\"%' AND NOT (suffix(t.o, '>') AND regexp_matches(t.o, {_UNTYPED}))"
        content = [
            f"SELECT t.s, {_plain('t.o')} AS value FROM site_triples AS t JOIN site_search AS d ON d.s = t.s "
            f"WHERE t.p NOT IN ({labels}) AND {literal}",
            f"SELECT l.page, {_plain('t.o')} FROM site_links AS l JOIN site_search AS d ON d.s = l.page "
            f"JOIN site_triples AS t ON t.s = l.node WHERE l.rank <= {NODES} AND {literal}",
        ]
        content += [
            f"SELECT t.s, {_plain(f'r.label_{n}')} FROM site_triples AS t JOIN site_search AS d ON d.s = t.s "
            f"JOIN site_resources AS r ON r.s = t.o WHERE t.p <> {text(TYPE)} AND r.label_{n} IS NOT NULL"
            for n in range(self._languages)
        ]
        return " UNION ".join(content)

    def _keys(self) -> str:
        """SQL for (resource, key): the last part of its IRI, and of the IRIs elsewhere that it refers
        to, as `Q123` of an entity.
        """
        last = "regexp_extract({}, '[/#=]([A-Za-z0-9._-]{{2,40}})/?>$', 1)"
        return (
            f"SELECT s, key FROM (SELECT s, {last.format('s')} AS key FROM site_search UNION "
            f"SELECT t.s, {last.format('t.o')} FROM site_triples AS t JOIN site_search AS d ON d.s = t.s "
            f"WHERE t.p <> {text(TYPE)} AND t.o LIKE '<%' AND NOT starts_with(t.o, {text('<' + self._base)})) WHERE key <> ''"
        )


def _plain(term: str) -> str:
    """SQL for the text of a literal, escapes as spaces."""
    bare = (
        f"CASE WHEN suffix({term}, '\"') THEN substr({term}, 2, length({term}) - 2) "
        f"ELSE regexp_replace({term}, '^\"(.*)\"(@[A-Za-z0-9-]+|\\^\\^<[^<>]*>)?$', '\\1', 's') END"
    )
    return f"CASE WHEN contains({term}, '\\') THEN regexp_replace({bare}, '\\\\.', ' ', 'g') ELSE {bare} END"
