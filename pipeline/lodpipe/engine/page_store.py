"""What pages are made of, as sorted tables beside the statements: labels, triples with their
graphs, links to a page. No page asks a query.

Tables: `site_triples` (s, p, o, gs: its graphs), `site_resources` (s, kind, a label in each
language), `site_links` (page, tab, node, rank, total) and `site_facets` (s, facet, value, iri,
labels).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lodpipe.engine.page_notes import Annotations, PageNotes
from lodpipe.engine.page_paths import Paths, class_condition, path_sql
from lodpipe.engine.page_search import PageSearch
from lodpipe.engine.page_sources import PageSources, SourceCards
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.labels import LABELS
from lodpipe.rdf.terms import TYPE

INCOMING = 30  # links shown for each property; the rest is in the data
ROWS = 300  # rows shown of a table on a page
Row = tuple[Any, ...]


class PageContents(NamedTuple):
    """What a publication has on pages: the classes that have pages of one kind, each with the
    properties whose values name its nodes where they have no label; the tables on pages; facets,
    which are queries for (resource, value); notes on single statements; a query for the points of
    small maps (page, resource, latitude, longitude, kind); what is shown of documents.
    """

    kinds: Sequence[tuple[str, Sequence[str]]]
    tables: Sequence[Paths]
    facets: Sequence[str]
    annotations: Annotations | None = None
    spots: str | None = None
    cards: SourceCards | None = None


class PageStore:
    """The tables, and what pages read from them; streams are sorted by page. Labels come in the
    order of the languages.
    """

    def __init__(
        self, session: Session, base: str, languages: Sequence[str], contents: PageContents
    ) -> None:
        self._session, self._base, self._languages = session, base, languages
        self._labels = ", ".join(f"r.label_{n}" for n in range(len(languages)))
        # Few triples are in several graphs: only these are grouped.
        session.rows(
            "CREATE OR REPLACE TABLE site_triples AS WITH shared AS (SELECT DISTINCT it.s, it.p, it.o FROM statements AS it "
            "JOIN statements AS later ON later.rowid = it.rowid + 1 AND (later.s, later.p, later.o) = (it.s, it.p, it.o)) "
            "SELECT * FROM (SELECT s, p, o, g AS gs FROM statements WHERE (s, p, o) NOT IN (FROM shared) UNION ALL "
            "SELECT s, p, o, string_agg(g, ' ' ORDER BY g) FROM statements WHERE (s, p, o) IN (FROM shared) GROUP BY s, p, o) "
            "ORDER BY s, p, o"
        )
        self._make_resources(contents.kinds)
        self._make_links(contents.tables)
        self._make_facets(contents.facets)
        self._spots = contents.spots
        self.search = PageSearch(session, base, len(languages))
        self.notes = PageNotes(session, len(languages), ROWS, contents.annotations)
        self.sources = PageSources(session, len(languages), self._cited(), contents.cards)

    def _make_resources(self, kinds: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Each subject with its kind (the first declared one, else its first type) and its label in
        each language.
        """
        languages = self._languages
        values = (
            ", ".join(f"({text(iri)}, {number})" for number, (iri, _) in enumerate(kinds))
            or "('', 0)"
        )
        ranked = (
            f"SELECT t.s, arg_min(t.o, (coalesce(k.rank, 9999), t.o)) AS kind FROM site_triples AS t "
            f"LEFT JOIN (VALUES {values}) AS k (iri, rank) ON k.iri = t.o WHERE t.p = {text(TYPE)} GROUP BY t.s"
        )
        order = " ".join(f"WHEN {text(iri)} THEN {number}" for number, iri in enumerate(LABELS))
        best = "substr(min({} || CASE p " + order + " END || o), 3) AS label_{}"
        columns = ", ".join(
            best.format(_language_rank(languages, wanted), n) for n, wanted in enumerate(languages)
        )
        listed = ", ".join(text(iri) for iri in LABELS)
        labels = f"SELECT s, {columns} FROM site_triples WHERE p IN ({listed}) AND o LIKE '\"%' GROUP BY s"
        names = ", ".join(f"label_{n}" for n in range(len(languages)))
        self._session.rows(
            f"CREATE OR REPLACE TABLE site_resources AS SELECT a.s, k.kind, {names} FROM (SELECT DISTINCT s FROM site_triples) AS a "
            f"LEFT JOIN ({ranked}) AS k ON k.s = a.s LEFT JOIN ({labels}) AS l ON l.s = a.s ORDER BY a.s"
        )
        for iri, steps in kinds:
            if steps:
                self._compose_names(iri, steps)

    def _compose_names(self, kind: str, steps: Sequence[str]) -> None:
        """Names for nodes that have none, from the labels of what they join."""
        languages = len(self._languages)
        parts = " UNION ALL ".join(
            f"SELECT t.s, {number} AS place, {', '.join(f'min(coalesce(r.label_{n}, t.o)) AS label_{n}' for n in range(languages))} "
            f"FROM site_triples AS t LEFT JOIN site_resources AS r ON r.s = t.o WHERE t.p = {text(step)} GROUP BY t.s"
            for number, step in enumerate(steps)
        )
        plain = "regexp_replace(label_{n}, '^\"(.*)\"(@[A-Za-z0-9-]+|\\^\\^<[^<>]*>)?$', '\\1')"
        joined = ", ".join(
            f"'\"' || string_agg({plain.format(n=n)}, ' – ' ORDER BY place) || '\"' AS label_{n}"
            for n in range(languages)
        )
        changes = ", ".join(f"label_{n} = c.label_{n}" for n in range(languages))
        self._session.rows(
            f"UPDATE site_resources SET {changes} FROM (SELECT s, {joined} FROM ({parts}) GROUP BY s) AS c "
            f"WHERE site_resources.s = c.s AND site_resources.kind = {text(kind)} AND site_resources.label_0 IS NULL"
        )

    def _make_links(self, tables: Sequence[Paths]) -> None:
        """Which nodes are in which table of which page, with their rank and how many there are; each
        is in the first table that it fits, never on its own page.
        """
        selects = [
            f"SELECT page, {number} AS tab, node FROM ({path_sql(path)}){class_condition(table)}"
            for number, table in enumerate(tables)
            for path in table.paths
        ]
        union = " UNION ".join(selects) or "SELECT '' AS page, 0 AS tab, '' AS node WHERE false"
        self._session.rows(
            f"CREATE OR REPLACE TABLE site_links AS SELECT l.page, l.tab, l.node, row_number() OVER w AS rank, "
            f"count(*) OVER (PARTITION BY l.page, l.tab) AS total "
            f"FROM (SELECT page, node, min(tab) AS tab FROM ({union}) WHERE node LIKE '<%' AND node <> page GROUP BY page, node) AS l "
            f"LEFT JOIN site_resources AS r ON r.s = l.node "
            f"WINDOW w AS (PARTITION BY l.page, l.tab ORDER BY r.label_0, l.node)"
        )

    def _make_facets(self, queries: Sequence[str]) -> None:
        """The values of each facet; a value that is the local name of a resource is that resource."""
        base = text(self._base)
        selects = [
            f"SELECT {self._named('resource')} AS s, "
            f"{number} AS facet, CAST(value AS VARCHAR) AS value FROM ({query}) WHERE resource IS NOT NULL AND value IS NOT NULL"
            for number, query in enumerate(queries)
        ]
        union = " UNION ".join(selects) or "SELECT '' AS s, 0 AS facet, '' AS value WHERE false"
        self._session.rows(
            f"CREATE OR REPLACE TABLE site_facets AS SELECT f.s, f.facet, f.value, r.s AS iri, {self._labels} FROM ({union}) AS f "
            f"LEFT JOIN site_resources AS r ON r.s = '<' || {base} || f.value || '>'"
        )

    # -- pages -------------------------------------------------------------------------------------

    def resources(self) -> Iterator[Row]:
        """(resource, kind, labels) of everything that is described, in order."""
        return self._session.stream("SELECT * FROM site_resources ORDER BY s")

    def statements(self) -> Iterator[Row]:
        """(page, predicate, object, graphs, whether the object is described, its labels)."""
        return self._session.stream(
            f"SELECT t.s, t.p, t.o, t.gs, r.s IS NOT NULL, {self._labels} FROM site_triples AS t "
            f"LEFT JOIN site_resources AS r ON r.s = t.o ORDER BY t.s, t.p, t.o"
        )

    def table_rows(self) -> Iterator[Row]:
        """(page, table, total, rank, node, predicate, object, graphs, whether the object is
        described, its labels) of tables on pages.
        """
        return self._session.stream(
            f"SELECT l.page, l.tab, l.total, l.rank, l.node, t.p, t.o, t.gs, r.s IS NOT NULL, {self._labels} FROM site_links AS l "
            f"JOIN site_triples AS t ON t.s = l.node LEFT JOIN site_resources AS r ON r.s = t.o "
            f"WHERE l.rank <= {ROWS} ORDER BY l.page, l.tab, l.rank, t.p, t.o"
        )

    def incoming(self) -> Iterator[Row]:
        """(page, predicate, how many, subject, true, its labels); nodes that are in a table of the
        page are left out.
        """
        return self._session.stream(
            f"SELECT i.page, i.p, i.total, i.s, true, {self._labels} FROM ("
            f"  SELECT t.o AS page, t.p, t.s, row_number() OVER (PARTITION BY t.o, t.p ORDER BY q.label_0, t.s) AS rank, "
            f"  count(*) OVER (PARTITION BY t.o, t.p) AS total FROM site_triples AS t JOIN site_resources AS q ON q.s = t.s "
            f"  WHERE starts_with(t.o, {text('<' + self._base)}) AND NOT EXISTS (SELECT 1 FROM site_links AS l WHERE l.page = t.o AND l.node = t.s)"
            f"{self.notes.unlisted()}"
            f") AS i JOIN site_resources AS r ON r.s = i.s WHERE i.rank <= {INCOMING} ORDER BY i.page, i.p, i.rank"
        )

    def supported(self) -> Iterator[Row]:
        """(page, subjects in all, subject, its statements, true, its labels): which statements rest
        on a document, where the graph is a resource.
        """
        return self._session.stream(
            f"SELECT i.g, i.total, i.s, i.stated, true, {self._labels} FROM (SELECT g, s, count(*) AS stated, "
            f"count(*) OVER (PARTITION BY g) AS total, "
            f"row_number() OVER (PARTITION BY g ORDER BY count(*) DESC, s) AS rank FROM statements WHERE g <> '' GROUP BY g, s) AS i "
            f"JOIN site_resources AS r ON r.s = i.s WHERE i.rank <= {INCOMING} ORDER BY i.g, i.rank"
        )

    def _cited(self) -> str:
        """SQL for (page, g): the graphs of a page's statements, of its tables and its notes."""
        return (
            f"SELECT s AS page, g FROM statements WHERE g <> '' UNION "
            f"SELECT l.page, t.g FROM site_links AS l JOIN statements AS t ON t.s = l.node WHERE l.rank <= {ROWS} AND t.g <> ''"
            f"{self.notes.graphs_of_pages()}"
        )

    def spots(self) -> Iterator[Row]:
        """(page, resource, latitude, longitude, kind, its labels): the points of the map on a page."""
        if self._spots is None:
            return iter(())
        page, resource = self._named("page"), self._named("resource")
        return self._session.stream(
            f"SELECT q.*, {self._labels} FROM (SELECT DISTINCT {page} AS page, {resource} AS resource, CAST(latitude AS DOUBLE) AS y, "
            f"CAST(longitude AS DOUBLE) AS x, kind FROM ({self._spots}) WHERE latitude IS NOT NULL AND longitude IS NOT NULL) AS q "
            f"LEFT JOIN site_resources AS r ON r.s = q.resource ORDER BY q.page, q.kind, q.resource, q.y, q.x"
        )

    def _named(self, column: str) -> str:
        """SQL for the IRI of a resource that a declared query names, relative to the base or in full."""
        return (
            f"CASE WHEN {column} LIKE '%://%' THEN '<' || trim({column}, '<>') || '>' "
            f"ELSE '<' || {text(self._base)} || {column} || '>' END"
        )

    # -- lists --------------------------------------------------------------------------

    def labels(self, resources: Sequence[str]) -> dict[str, list[str | None]]:
        """The labels of resources; those that are not described are missing."""
        wanted = sorted(set(resources))
        rows = (
            self._session.rows(
                "SELECT * FROM site_resources WHERE s IN (SELECT unnest(?))", [wanted]
            )
            if wanted
            else []
        )
        return {s: labels for s, _, *labels in rows}

    def kind_counts(self) -> list[tuple[str, int]]:
        """Each kind with the number of its resources."""
        return self._session.rows(
            "SELECT kind, count(*) FROM site_resources WHERE kind IS NOT NULL GROUP BY kind"
        )

    def facets_of_kinds(self) -> list[tuple[str, int]]:
        """Each kind with the number of a facet that any of its resources has, in order."""
        return self._session.rows(
            "SELECT DISTINCT r.kind, f.facet FROM site_facets AS f JOIN site_resources AS r ON r.s = f.s ORDER BY ALL"
        )

    def entries(self, kinds: Sequence[str], language: int) -> Iterator[Row]:
        """(resource, facet, value, its resource, labels of the resource, labels of the value, kind)
        of these kinds in their order, each sorted by label in a language.
        """
        values = ", ".join(f"f.label_{n}" for n in range(len(self._languages)))
        return self._session.stream(
            f"SELECT r.s, f.facet, f.value, f.iri, {self._labels}, {values}, k.kind "
            f"FROM (SELECT unnest($1) AS kind, unnest(range(len($1))) AS place) AS k "
            f"JOIN site_resources AS r ON r.kind = k.kind LEFT JOIN site_facets AS f ON f.s = r.s "
            f"ORDER BY k.place, lower(strip_accents(r.label_{language})), r.s, f.facet, f.label_{language}, f.value",
            [kinds],
        )

    def beginnings(self) -> list[str]:
        """What the IRIs of resources begin with behind the base: `place/`, or the whole local name."""
        rows = self._session.rows(
            f"SELECT DISTINCT regexp_extract(substr(s, {len(self._base) + 2}), '^[^/>]*[/>]') FROM site_resources "
            f"WHERE starts_with(s, {text('<' + self._base)}) ORDER BY ALL"
        )
        return [row[0].rstrip(">") for row in rows if row[0] and row[0] != ">"]

    # -- what publication.yaml asks for ------------------------------------------------------------

    def declared(self, query: str, columns: Sequence[str], *, distinct: bool = False) -> list[Row]:
        """These columns of a query that publication.yaml declares."""
        return self._session.rows(
            f"SELECT {'DISTINCT ' if distinct else ''}{', '.join(columns)} FROM ({query})"
        )


def _language_rank(languages: Sequence[str], wanted: str) -> str:
    """SQL for how well the language of a literal fits: the wanted one, none, the publication's
    others in order, any other.
    """
    others = [language for language in languages if language != wanted]
    cases = [
        f"WHEN ends_with(o, {text('@' + wanted)}) THEN '0'",
        "WHEN ends_with(o, '\"') THEN '1'",
    ]
    cases += [
        f"WHEN ends_with(o, {text('@' + other)}) THEN '{number}'"
        for number, other in enumerate(others[:6], 2)
    ]
    return f"CASE {' '.join(cases)} ELSE '9' END"
