"""Notes on single statements, for the pages on which these are shown: notes beside values,
and contradictions with all their statements.

A note leads to an `rdf:Statement` (subject, predicate, object), or to a resource as a whole. Tables:
`site_reified` (statement, node, p, o, gs: the graphs that state it), `site_noted` (note, statement,
node, p, o; p and o are empty for a whole resource), `site_disputes` (page, dispute)
and `site_known` (node, known: what people know it by).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from lodpipe.engine.page_paths import Step, path_sql
from lodpipe.engine.sql_session import Session
from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.namespaces import RDF
from lodpipe.rdf.terms import TYPE

Row = tuple[Any, ...]
EVERYWHERE = ""  # the page of all contradictions
DISPUTES = 300  # contradictions shown on one page; the rest is in the data


class Disputes(NamedTuple):
    """How contradictions are recorded: their class, the property that leads to the statement that is
    used, properties that say what kind of contradiction it is, paths from the subject of a
    statement to what people know it by, and for properties with values those of the same subject
    that say how to read them.
    """

    class_iri: str
    chosen: str
    details: tuple[str, ...]
    of: tuple[tuple[Step, ...], ...]
    qualifiers: tuple[tuple[str, str], ...] = ()


class Annotations(NamedTuple):
    """How notes on statements are recorded, names as full IRIs in angle brackets: their class, the
    properties to the resource, to the statement that they are about, to their text and kind; of a
    statement, its rank; the kinds of notes that say what is missing.
    """

    class_iri: str
    about: str
    target: str
    text: str
    kind: str
    rank: str
    disputes: Disputes | None
    gaps: tuple[str, ...] = ()


class GapNote(NamedTuple):
    """A note that says what is missing: the resource that it is about."""

    note: str
    about: str
    kind: str
    texts: list[str]
    graphs: str


class NotedPlace(NamedTuple):
    """A note, or a rank, and the value beside which a page shows it; the note is empty for a rank."""

    page: str
    note: str
    node: str
    p: str
    o: str
    dispute: bool
    kind: str | None
    texts: list[str]
    graphs: str
    described: bool
    labels: list[str | None]


class DisputedStatement(NamedTuple):
    """One statement of a contradiction on a page."""

    page: str
    dispute: str
    texts: list[str]
    reason_graphs: str
    details: list[str]
    about: str
    node: str
    known_as: str
    kind: str | None
    p: str
    o: str
    graphs: str
    chosen: bool
    qualifier: str | None
    described: bool
    labels: list[str | None]


class PageNotes:
    """The tables, and what pages read from them, sorted by page; empty where none are declared."""

    def __init__(
        self, session: Session, languages: int, rows: int, declared: Annotations | None
    ) -> None:
        self._session, self._declared, self._rows = session, declared, rows
        self._labels = ", ".join(f"r.label_{n}" for n in range(languages))
        if declared:
            self._make_targets(declared)
            self._make_disputes(declared)

    def _make_targets(self, declared: Annotations) -> None:
        subject, predicate, object_ = (
            f"<{RDF}{name}>" for name in ("subject", "predicate", "object")
        )
        self._session.rows(
            "CREATE OR REPLACE TABLE site_reified AS SELECT a.s AS statement, a.o AS node, b.o AS p, c.o, a.gs "
            f"FROM site_triples AS a JOIN site_triples AS b ON b.s = a.s AND b.p = {text(predicate)} "
            f"JOIN site_triples AS c ON c.s = a.s AND c.p = {text(object_)} WHERE a.p = {text(subject)}"
        )
        self._session.rows(
            "CREATE OR REPLACE TABLE site_noted AS SELECT t.s AS note, t.o AS statement, coalesce(r.node, t.o) AS node, "
            "coalesce(r.p, '') AS p, coalesce(r.o, '') AS o FROM site_triples AS t LEFT JOIN site_reified AS r ON r.statement = t.o "
            f"WHERE t.p = {text(declared.target)} AND t.s IN ({_of_class(declared.class_iri)})"
        )

    def _make_disputes(self, declared: Annotations) -> None:
        """A contradiction is on the pages of what its statements are about, of nodes in tables there,
        and on the page of all.
        """
        class_iri = declared.disputes.class_iri if declared.disputes else ""
        of_class = (
            f"SELECT DISTINCT note, node FROM site_noted WHERE note IN ({_of_class(class_iri)})"
        )
        self._session.rows(
            "CREATE OR REPLACE TABLE site_disputes AS SELECT page, dispute FROM ("
            f"SELECT page, note AS dispute FROM ({self._on_pages('note, node', of_class)}) UNION SELECT '', note FROM ({of_class}) "
            f"UNION SELECT o, s FROM site_triples WHERE p = {text(declared.about)} AND s IN (SELECT note FROM ({of_class}))) "
            f"QUALIFY row_number() OVER (PARTITION BY page ORDER BY dispute) <= {DISPUTES}"
        )

        paths = declared.disputes.of if declared.disputes else ()
        known = (
            " UNION ALL ".join(path_sql(path) for path in paths) or "SELECT '' AS page, '' AS node"
        )
        self._session.rows(
            f"CREATE OR REPLACE TABLE site_known AS SELECT page AS node, min(node) AS known FROM ({known}) GROUP BY page"
        )

    def _on_pages(self, columns: str, query: str) -> str:
        """Rows with a column `node`, on each page that shows the node: its own, and those with it in
        a table.
        """
        return (
            f"SELECT node AS page, {columns} FROM ({query}) WHERE node IN (SELECT s FROM site_resources) UNION "
            f"SELECT l.page, {', '.join(f'q.{name.strip()}' for name in columns.split(','))} FROM ({query}) AS q "
            f"JOIN site_links AS l ON l.node = q.node WHERE l.rank <= {self._rows}"
        )

    # -- streams -----------------------------------------------------------------------------------

    def places(self) -> Iterator[NotedPlace]:
        """Notes and ranks with the values on each page that they are about; also those of notes that
        a table of the page shows.
        """
        declared = self._declared
        if declared is None:
            return
        kind = f"(SELECT min(k.o) FROM site_triples AS k WHERE k.s = i.note AND k.p = {text(declared.kind)})"
        ranks = (
            f"SELECT '' AS note, e.node, e.p, e.o, t.o AS rank FROM site_reified AS e "
            f"JOIN site_triples AS t ON t.s = e.statement AND t.p = {text(declared.rank)}"
        )
        notes = "SELECT note, node, p, o, '' AS rank FROM site_noted"
        columns = "note, node, p, o, rank"
        disputes = declared.disputes.class_iri if declared.disputes else ""
        rows = self._session.stream(
            f"SELECT i.page, i.note, i.node, i.p, i.o, i.note IN ({_of_class(disputes)}), "
            f"CASE i.note WHEN '' THEN i.rank ELSE {kind} END, "
            f"{_texts('i.note', declared.text)}, "
            f"{_graphs('i.note')}, "
            f"r.s IS NOT NULL, {self._labels} FROM ("
            f"{self._on_pages(columns, notes)} UNION {self._on_pages(columns, ranks)} UNION "
            f"SELECT l.page, n.note, n.node, n.p, n.o, '' FROM site_noted AS n JOIN site_links AS l ON l.node = n.note "
            f"WHERE l.rank <= {self._rows}) AS i LEFT JOIN site_resources AS r ON r.s = i.o "
            f"ORDER BY i.page, i.node, i.p, i.o, i.note, i.rank"
        )
        for row in rows:
            yield NotedPlace._make((*row[:10], list(row[10:])))

    def disputed(self, *, everywhere: bool = False) -> Iterator[DisputedStatement]:
        """The statements of the contradictions on each page, or of those on the page of all."""
        declared = self._declared
        if declared is None or declared.disputes is None:
            return
        chosen, details = declared.disputes.chosen, declared.disputes.details
        listed = ", ".join(text(iri) for iri in details) or "''"
        rows = self._session.stream(
            f"SELECT d.page, d.dispute, {_texts('d.dispute', declared.text)}, {_graphs('d.dispute')}, "
            f"coalesce((SELECT list(k.o ORDER BY k.p, k.o) FROM site_triples AS k WHERE k.s = d.dispute AND k.p IN ({listed})), []), "
            f"coalesce((SELECT min(a.o) FROM site_triples AS a WHERE a.s = d.dispute AND a.p = {text(declared.about)}), ''), "
            f"n.node, coalesce(f.known, n.node), m.kind, n.p, n.o, coalesce(e.gs, ''), "
            f"EXISTS (SELECT 1 FROM site_triples AS c WHERE c.s = d.dispute AND c.p = {text(chosen)} AND c.o = n.statement), "
            f"{_qualifier(declared.disputes)}, r.s IS NOT NULL, {self._labels} FROM site_disputes AS d JOIN site_noted AS n ON n.note = d.dispute "
            f"LEFT JOIN site_reified AS e ON e.statement = n.statement LEFT JOIN site_resources AS r ON r.s = n.o "
            f"LEFT JOIN site_resources AS m ON m.s = n.node LEFT JOIN site_known AS f ON f.node = n.node "
            f"WHERE (d.page = '') = {everywhere} ORDER BY d.page, d.dispute, n.node, n.p, n.o"
        )
        for row in rows:
            yield DisputedStatement._make((*row[:15], list(row[15:])))

    def gaps(self) -> list[GapNote]:
        """The notes that say what is missing, in the order of their kinds."""
        declared = self._declared
        if declared is None or not declared.gaps:
            return []
        kinds = ", ".join(f"({text(iri)}, {number})" for number, iri in enumerate(declared.gaps))
        rows = self._session.rows(
            f"SELECT k.s, coalesce((SELECT min(a.o) FROM site_triples AS a WHERE a.s = k.s AND a.p = {text(declared.about)}), "
            f"(SELECT min(n.node) FROM site_noted AS n WHERE n.note = k.s)) AS about, k.o, {_texts('k.s', declared.text)}, {_graphs('k.s')} "
            f"FROM site_triples AS k JOIN (VALUES {kinds}) AS d (kind, place) ON d.kind = k.o "
            f"WHERE k.p = {text(declared.kind)} AND k.s IN ({_of_class(declared.class_iri)}) AND about IS NOT NULL ORDER BY d.place, k.s"
        )
        return [GapNote._make(row) for row in rows]

    def graphs_of_pages(self) -> str:
        """SQL for (page, g): the graphs of notes and of statements in contradictions on pages."""
        if self._declared is None:
            return ""
        notes = self._on_pages("note, node", "SELECT DISTINCT note, node FROM site_noted")
        return (
            f" UNION SELECT i.page, t.g FROM ({notes}) AS i JOIN statements AS t ON t.s = i.note WHERE t.g <> ''"
            " UNION SELECT d.page, t.g FROM site_disputes AS d JOIN site_noted AS n ON n.note = d.dispute "
            "JOIN statements AS t ON t.s = n.statement WHERE t.g <> ''"
        )

    def unlisted(self) -> str:
        """SQL for a condition on `t.s`: what points to a page without being listed there, for it is
        only a statement about it.
        """
        return " AND t.s NOT IN (SELECT statement FROM site_reified)" if self._declared else ""

    def named(self) -> Sequence[str]:
        """What notes and contradictions name beside values: kinds, ranks, details, qualifiers, and
        what contradictions are about.
        """
        declared = self._declared
        if declared is None:
            return ()
        disputes = declared.disputes
        details = disputes.details if disputes else ()
        qualifiers = [by for _, by in disputes.qualifiers] if disputes else ()
        names = (declared.kind, declared.rank, *details, *qualifiers)
        listed = ", ".join(map(text, names))
        of_disputes = "(SELECT dispute FROM site_disputes)"
        rows = self._session.rows(
            f"SELECT DISTINCT o FROM site_triples WHERE p IN ({listed}) UNION SELECT node FROM site_noted UNION SELECT known FROM site_known "
            f"UNION SELECT o FROM site_triples WHERE p = {text(declared.about)} AND s IN {of_disputes} ORDER BY ALL"
        )
        return [row[0] for row in rows]


def _of_class(class_iri: str) -> str:
    return f"SELECT s FROM site_triples WHERE p = {text(TYPE)} AND o = {text(class_iri)}"


def _qualifier(disputes: Disputes) -> str:
    """SQL for what says how the value of a statement `n` is to be read."""
    cases = "".join(f" WHEN {text(p)} THEN {text(by)}" for p, by in disputes.qualifiers)
    if not cases:
        return "NULL"
    return (
        f"(SELECT min(q.o) FROM site_triples AS q WHERE q.s = n.node AND q.p = CASE n.p{cases} END)"
    )


def _texts(node: str, property_iri: str) -> str:
    """SQL for the texts of a node, one for each language."""
    return f"coalesce((SELECT list(x.o ORDER BY x.o) FROM site_triples AS x WHERE x.s = {node} AND x.p = {text(property_iri)}), [])"


def _graphs(node: str) -> str:
    """SQL for the graphs that a note is in."""
    return f"coalesce((SELECT min(x.gs) FROM site_triples AS x WHERE x.s = {node} AND x.p = {text(TYPE)}), '')"
