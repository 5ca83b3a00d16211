"""What pages are made of, as sorted tables beside the statements: labels, triples with their graphs, links to a page. No page asks a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from lodpipe.engine.duckdb import Engine
from lodpipe.engine.statements import TYPE
from lodpipe.mapping.plan import text
from lodpipe.site.declaration import PageTable, Site, Step

LABELS = tuple(
    f"<{one}>"
    for one in (
        "http://www.w3.org/2004/02/skos/core#prefLabel", "http://www.w3.org/2000/01/rdf-schema#label", "https://schema.org/name",
        "http://purl.org/dc/terms/title", "http://xmlns.com/foaf/0.1/name", "https://schema.org/headline",
    )
)  # fmt: skip
INCOMING = 30  # links shown for each property; the rest is in the data
ROWS = 300  # rows shown of a table on a page
Row = tuple[Any, ...]


def prepare(engine: Engine, site: Site, base: str, languages: Sequence[str]) -> None:
    """Makes the tables `site_triples`, `site_resources` (subject, kind, labels), `site_links` (page, table, node)."""
    engine.rows(
        "CREATE OR REPLACE TABLE site_triples AS SELECT s, p, o, string_agg(g, ' ' ORDER BY g) AS gs FROM "
        "(SELECT DISTINCT s, p, o, g FROM statements) GROUP BY s, p, o ORDER BY s, p, o"
    )
    _resources(engine, site, languages)
    _links(engine, site)


def _resources(engine: Engine, site: Site, languages: Sequence[str]) -> None:
    """Each subject with its kind (the first declared one, else its first type) and its label in each language."""
    ranks = [(one.iri, number) for number, one in enumerate(site.kinds)]
    values = ", ".join(f"({text(iri)}, {number})" for iri, number in ranks) or "('', 0)"
    kinds = (
        f"SELECT t.s, arg_min(t.o, (coalesce(k.rank, 9999), t.o)) AS kind FROM site_triples AS t "
        f"LEFT JOIN (VALUES {values}) AS k (iri, rank) ON k.iri = t.o WHERE t.p = {text(TYPE)} GROUP BY t.s"
    )
    order = " ".join(f"WHEN {text(one)} THEN {number}" for number, one in enumerate(LABELS))
    best = "substr(min({} || CASE p " + order + " END || o), 3) AS label_{}"
    columns = ", ".join(best.format(_language_rank(languages, one), n) for n, one in enumerate(languages))
    listed = ", ".join(text(one) for one in LABELS)
    labels = f"SELECT s, {columns} FROM site_triples WHERE p IN ({listed}) AND o LIKE '\"%' GROUP BY s"
    names = ", ".join(f"label_{n}" for n in range(len(languages)))
    engine.rows(
        f"CREATE OR REPLACE TABLE site_resources AS SELECT a.s, k.kind, {names} FROM (SELECT DISTINCT s FROM site_triples) AS a "
        f"LEFT JOIN ({kinds}) AS k ON k.s = a.s LEFT JOIN ({labels}) AS l ON l.s = a.s ORDER BY a.s"
    )
    for kind in site.kinds:
        if kind.name:
            _compose(engine, kind.iri, kind.name, len(languages))


def _language_rank(languages: Sequence[str], wanted: str) -> str:
    """SQL for how well the language of a literal fits: the wanted one, none, the publication's others in order, any other."""
    others = [one for one in languages if one != wanted]
    cases = [f"WHEN ends_with(o, {text('@' + wanted)}) THEN '0'", "WHEN ends_with(o, '\"') THEN '1'"]
    cases += [f"WHEN ends_with(o, {text('@' + one)}) THEN '{number}'" for number, one in enumerate(others[:6], 2)]
    return f"CASE {' '.join(cases)} ELSE '9' END"


def _compose(engine: Engine, kind: str, steps: Sequence[str], languages: int) -> None:
    """Names for nodes that have none, from the labels of what they join."""
    parts = " UNION ALL ".join(
        f"SELECT t.s, {number} AS place, {', '.join(f'min(coalesce(r.label_{n}, t.o)) AS label_{n}' for n in range(languages))} "
        f"FROM site_triples AS t LEFT JOIN site_resources AS r ON r.s = t.o WHERE t.p = {text(step)} GROUP BY t.s"
        for number, step in enumerate(steps)
    )
    plain = "regexp_replace(label_{n}, '^\"(.*)\"(@[A-Za-z0-9-]+|\\^\\^<[^<>]*>)?$', '\\1')"
    joined = ", ".join(f"'\"' || string_agg({plain.format(n=n)}, ' – ' ORDER BY place) || '\"' AS label_{n}" for n in range(languages))
    changes = ", ".join(f"label_{n} = c.label_{n}" for n in range(languages))
    engine.rows(
        f"UPDATE site_resources SET {changes} FROM (SELECT s, {joined} FROM ({parts}) GROUP BY s) AS c "
        f"WHERE site_resources.s = c.s AND site_resources.kind = {text(kind)} AND site_resources.label_0 IS NULL"
    )


def _links(engine: Engine, site: Site) -> None:
    """Which nodes stand in which table of which page, with their rank and how many there are."""
    selects = [
        f"SELECT page, {number} AS tab, node FROM ({_path_sql(path)}){_of_class(table)}"
        for number, table in enumerate(site.tables)
        for path in table.paths
    ]
    union = " UNION ".join(selects) or "SELECT '' AS page, 0 AS tab, '' AS node WHERE false"
    engine.rows(
        f"CREATE OR REPLACE TABLE site_links AS SELECT l.page, l.tab, l.node, row_number() OVER w AS rank, "
        f"count(*) OVER (PARTITION BY l.page, l.tab) AS total "
        f"FROM ({union}) AS l LEFT JOIN site_resources AS r ON r.s = l.node WHERE l.node LIKE '<%' "
        f"WINDOW w AS (PARTITION BY l.page, l.tab ORDER BY r.label_0, l.node)"
    )


def _path_sql(path: Sequence[Step]) -> str:
    """A query for (page, node) along a path."""
    sides = [("o", "s") if step.back else ("s", "o") for step in path]
    tables = [f"site_triples AS t{number}" for number in range(len(path))]
    tests = [f"t{number}.p = {text(step.iri)}" for number, step in enumerate(path)]
    tests += [f"t{number}.{sides[number][0]} = t{number - 1}.{sides[number - 1][1]}" for number in range(1, len(path))]
    last = len(path) - 1
    return f"SELECT t0.{sides[0][0]} AS page, t{last}.{sides[last][1]} AS node FROM {', '.join(tables)} WHERE {' AND '.join(tests)}"


def _of_class(table: PageTable) -> str:
    if table.class_ is None:
        return ""
    return f" WHERE node IN (SELECT s FROM site_triples WHERE p = {text(TYPE)} AND o = {text(table.class_)})"


class Streams:
    """The tables as sorted streams, merged page by page. Labels are columns `label_0`, `label_1` … in the order of the languages."""

    def __init__(self, engine: Engine, base: str, languages: Sequence[str]) -> None:
        self.engine, self.base = engine, base
        self.names = ", ".join(f"r.label_{n}" for n in range(len(languages)))

    def resources(self) -> Iterator[Row]:
        """(resource, kind, labels) of everything that is described, in order."""
        return self.engine.stream("SELECT * FROM site_resources ORDER BY s")

    def said(self) -> Iterator[Row]:
        """(page, predicate, object, graphs, whether the object is described, its labels)."""
        return self.engine.stream(
            f"SELECT t.s, t.p, t.o, t.gs, r.s IS NOT NULL, {self.names} FROM site_triples AS t "
            f"LEFT JOIN site_resources AS r ON r.s = t.o ORDER BY t.s, t.p, t.o"
        )

    def rows(self) -> Iterator[Row]:
        """(page, table, total, rank, node, predicate, object, graphs, whether the object is described, its labels) of tables on pages."""
        return self.engine.stream(
            f"SELECT l.page, l.tab, l.total, l.rank, l.node, t.p, t.o, t.gs, r.s IS NOT NULL, {self.names} FROM site_links AS l "
            f"JOIN site_triples AS t ON t.s = l.node LEFT JOIN site_resources AS r ON r.s = t.o "
            f"WHERE l.rank <= {ROWS} ORDER BY l.page, l.tab, l.rank, t.p, t.o"
        )

    def pointing(self) -> Iterator[Row]:
        """(page, predicate, how many, subject, true, its labels); nodes that stand in a table of the page are left out."""
        return self.engine.stream(
            f"SELECT i.page, i.p, i.total, i.s, true, {self.names} FROM ("
            f"  SELECT t.o AS page, t.p, t.s, row_number() OVER (PARTITION BY t.o, t.p ORDER BY q.label_0, t.s) AS rank, "
            f"  count(*) OVER (PARTITION BY t.o, t.p) AS total FROM site_triples AS t JOIN site_resources AS q ON q.s = t.s "
            f"  WHERE starts_with(t.o, {text('<' + self.base)}) AND NOT EXISTS (SELECT 1 FROM site_links AS l WHERE l.page = t.o AND l.node = t.s)"
            f") AS i JOIN site_resources AS r ON r.s = i.s WHERE i.rank <= {INCOMING} ORDER BY i.page, i.p, i.rank"
        )

    def resting(self) -> Iterator[Row]:
        """(page, subjects in all, subject, its statements, true, its labels): which statements rest on a document, where the graph is a resource."""
        return self.engine.stream(
            f"SELECT i.g, i.total, i.s, i.said, true, {self.names} FROM (SELECT g, s, count(*) AS said, count(*) OVER (PARTITION BY g) AS total, "
            f"row_number() OVER (PARTITION BY g ORDER BY count(*) DESC, s) AS rank FROM statements WHERE g <> '' GROUP BY g, s) AS i "
            f"JOIN site_resources AS r ON r.s = i.s WHERE i.rank <= {INCOMING} ORDER BY i.g, i.rank"
        )

    def sources(self) -> Iterator[Row]:
        """(page, graph, whether it is described, its labels): everything that a page's statements rest on."""
        return self.engine.stream(
            f"SELECT a.page, a.g, r.s IS NOT NULL, {self.names} FROM (SELECT s AS page, g FROM statements WHERE g <> '' UNION "
            f"SELECT l.page, t.g FROM site_links AS l JOIN statements AS t ON t.s = l.node WHERE l.rank <= {ROWS} AND t.g <> '') AS a "
            f"LEFT JOIN site_resources AS r ON r.s = a.g ORDER BY a.page, a.g"
        )


class Merged:
    """A stream sorted by its first column, asked for one page after the other."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def of(self, page: str) -> list[Row]:
        """The rows of a page; those of pages before it are passed over."""
        while self._next is not None and self._next[0] < page:
            self._next = next(self._groups, None)
        if self._next is None or self._next[0] != page:
            return []
        found = list(self._next[1])
        self._next = next(self._groups, None)
        return found
