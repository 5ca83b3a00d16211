"""Validation in parts: focus nodes are divided by their name, and each part has with it the
statements that decide about its nodes (their *neighbourhood*, by the reach of the shapes).

A part is a small validation of its own, run by the same code as a whole one. This module says how
parts are made, in SQL that DuckDB and Spark both run, and how their results become one report:

    SELECT DISTINCT f.part, c.state, f.node FROM focus f JOIN starts c ON c.fs = f.fs    -- round 0
    SELECT f.part, t.next, t.s, t.p, t.o, t.o AS node FROM … t JOIN round_0 f …          -- statements
    SELECT DISTINCT part, next AS state, node FROM … WHERE next >= 0                     -- round 1

A node that a million statements lead to is copied to a part with those predicates alone that a
shape needs at this step, and is once in it, however many of its nodes lead there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import Struct

from lodpipe.rdf.namespaces import XSD
from lodpipe.shacl.execution import finished
from lodpipe.shacl.placements import Plan, plan_shapes
from lodpipe.shacl.reach import END, Move, Reach, reach
from lodpipe.shacl.shape_run import Connection, Run
from lodpipe.shacl.shapes_graph import SUBCLASS, ShapesGraph, Triple
from lodpipe.shacl.target_sql import HIERARCHY, instances_select, target_select, with_subclasses
from lodpipe.shacl.validation_report import Report, read_report

ROUNDS = 40
"""How often a closure (ex:parent*) is followed before its shapes are left to the driver."""

ROWS = "fs INTEGER, s VARCHAR, p VARCHAR, o VARCHAR"
"""The rows of a part: a statement, or where `fs` is a number the focus node `s` of that set; below
zero, a statement that counts where its subject is a focus node.
"""

_OWN = -1
_MANY = 20_000
"""Focus nodes in a part, of about a million statements, above which it gets all statements of its
subjects."""

RESULTS = "results_of_parts"
"""The table of what parts give: the part, and a violation of the check `k` by its columns; with k
below zero, `focus` is of the set of focus nodes -1 - k, where the report needs to know."""

_RESULT_COLUMNS = (
    "part INTEGER, k INTEGER, focus VARCHAR, value VARCHAR, path VARCHAR, messages VARCHAR"
)


class Tables(Protocol):
    """The engine that makes the parts. It has the table `triples` (s, p, o), which may have doubles."""

    def store(self, select: str) -> str:
        """The name of a table of its own with the rows of a SELECT."""

    def store_rows(self, columns: Mapping[str, str], rows: Sequence[Sequence[object]]) -> str:
        """The name of a small table with these rows; `columns` are names with SQL types."""

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        """The rows of a SELECT."""

    def number(self, term: str, count: int) -> str:
        """An expression of SQL: a number below `count` from the text of a term."""


class Parts(Struct, frozen=True):
    """A relation (part, fs, s, p, o) with the rows of all parts; the statements that every part needs;
    and the sets of focus nodes to be validated on all statements at once.
    """

    table: str
    shared: tuple[Triple, ...]
    whole: frozenset[int]


def parts(
    tables: Tables, plan: Plan, count: int, *, rounds: int = ROUNDS, many: int = _MANY
) -> Parts:
    """Divides the focus nodes of a plan into so many parts, with their neighbourhoods."""
    return _Division(tables, plan, reach(plan), count, rounds, many).run()


@dataclass
class _Division:
    tables: Tables
    plan: Plan
    reach: Reach
    count: int
    rounds: int
    many: int
    _copied: list[str] = field(default_factory=list)

    def run(self) -> Parts:
        hierarchy = self.tables.rows(HIERARCHY)
        classes = with_subclasses(self.plan.classes, hierarchy)
        below = {name for _, name in classes}
        shared = sorted({(s, SUBCLASS, o) for s, o in hierarchy if o in below})
        whole = self.reach.unbounded | self._by_value()
        focus = self._focus([fs for fs in self.plan.targets if fs not in whole], classes)
        whole |= self._follow(focus)
        selects = [f"SELECT part, fs, s, p, o FROM {relation} r" for relation in self._copied]
        bounded = self._sets([fs for fs in self.plan.targets if fs not in whole])
        selects.append(
            f"SELECT f.part, f.fs, f.node AS s, '' AS p, '' AS o FROM {focus} f JOIN {bounded} c ON c.fs = f.fs"
        )
        return Parts(" UNION ALL ".join(selects), tuple(shared), whole)

    def _sets(self, sets: Iterable[int]) -> str:
        return self.tables.store_rows({"fs": "INTEGER"}, [(fs,) for fs in sets])

    def _by_value(self) -> frozenset[int]:
        """The sets whose queries look for subjects by a number or a date, where the data have any:
        stores compare them by value, the joins here by their spelling.
        """
        moves = [move for move in self.reach.moves if move.by_value]
        if not moves:
            return frozenset()
        listed = self.tables.store_rows(
            {"p": "VARCHAR"}, sorted({(move.predicate,) for move in moves})
        )
        rows = self.tables.rows(
            f"SELECT DISTINCT t.p FROM triples t JOIN {listed} c ON c.p = t.p WHERE {_is_typed('t.o')}"
        )
        typed = {predicate for (predicate,) in rows}
        return self.reach.starting_in(move.state for move in moves if move.predicate in typed)

    def _focus(self, sets: Sequence[int], classes: Sequence[tuple[int, str]]) -> str:
        """A table (part, fs, node) of the nodes of all targets."""
        listed: dict[str, list[tuple[int, int | str]]] = {}
        for fs in sets:
            for target in self.plan.targets[fs]:
                term = self.plan.classes[target.term] if target.kind == "class" else target.term
                listed.setdefault(target.kind, []).append((fs, term))
        selects = ["SELECT 0 AS fs, '' AS node WHERE 1 = 0"]
        for kind, rows in listed.items():
            of_term = "INTEGER" if kind == "class" else "VARCHAR"
            terms = self.tables.store_rows({"fs": "INTEGER", "term": of_term}, rows)
            instances = ""
            if kind == "class":
                names = self.tables.store_rows({"number": "INTEGER", "name": "VARCHAR"}, classes)
                instances = f"({instances_select(f'{names} c', distinct=False)})"
            selects.append(target_select(kind, f"{terms} c", instances))
        every = " UNION ".join(selects)
        return self.tables.store(
            f"SELECT {self.tables.number('node', self.count)} AS part, fs, node FROM ({every}) f"
        )

    # -- neighbourhoods ----------------------------------------------------------------------------

    def _follow(self, focus: str) -> frozenset[int]:
        """Copies the statements of all neighbourhoods to their parts, round by round; gives the sets
        whose closures did not come to an end.
        """
        starts = self.tables.store_rows(
            {"fs": "INTEGER", "state": "INTEGER"}, sorted(self.reach.starts.items())
        )
        live = frozenset(self.reach.starts.values())
        nodes = self.tables.store(
            f"SELECT DISTINCT f.part, c.state, f.node FROM {focus} f JOIN {starts} c ON c.fs = f.fs"
        )
        visited = ""
        literals: set[int] = set()
        all_own = self._many(nodes)
        for _ in range(self.rounds):
            moves = [move for move in self.reach.moves if move.state in live]
            if not moves:
                return self.reach.starting_in(literals)
            literals |= self._typed(nodes, live)
            if all_own:
                self._copied.append(self._own([move for move in moves if not move.backwards]))
                moves = [move for move in moves if move.backwards or move.next != END]
            copied = self._copies(moves, nodes, own=all_own)
            all_own = False
            live = frozenset(move.next for move in moves if move.next != END)
            if not live:
                return self.reach.starting_in(literals)
            reached = " UNION ALL ".join(f"SELECT part, next, node FROM {name}" for name in copied)
            onwards = f"SELECT DISTINCT part, next AS state, node FROM ({reached}) WHERE next >= 0"
            if self._is_cyclic(live):
                visited = " UNION ALL ".join(filter(None, [visited, f"SELECT * FROM {nodes}"]))
                nodes = self.tables.store(f"{onwards} EXCEPT ({visited})")
                live = frozenset(
                    state for (state,) in self.tables.rows(f"SELECT DISTINCT state FROM {nodes}")
                )
            else:
                nodes = self.tables.store(onwards)
        return self.reach.starting_in(live | literals)

    def _many(self, nodes: str) -> bool:
        """Whether there are so many focus nodes that their own statements are most of the data."""
        ((count,),) = self.tables.rows(f"SELECT count(*) FROM {nodes}")
        return bool(self.reach.moves) and count >= self.many * self.count

    def _own(self, moves: Sequence[Move]) -> str:
        """A relation (part, fs, s, p, o) of all statements that focus nodes may have, by the part of
        their subject: cheaper than a join with the focus nodes, which the part makes itself.
        """
        part = self.tables.number("t.s", self.count)
        columns = f"{part} AS part, {_OWN} AS fs, t.s, t.p, t.o"
        if not all(move.predicate for move in moves):
            return f"(SELECT {columns} FROM triples t)"
        rows = sorted({(move.predicate,) for move in moves})
        listed = self.tables.store_rows({"p": "VARCHAR"}, rows)
        return f"(SELECT {columns} FROM triples t JOIN {listed} c ON c.p = t.p)"

    def _copies(self, moves: Sequence[Move], nodes: str, *, own: bool) -> list[str]:
        """Tables of the statements that the moves of a round read; those of `own` subjects are in the
        parts already.
        """
        forwards = [move for move in moves if not move.backwards]
        backwards = [move for move in moves if move.backwards]
        tables = []
        for some, copied in ((forwards, not own), (backwards, True)):
            if some:
                name = self.tables.store(" UNION ALL ".join(self._steps(some, nodes)))
                tables.append(name)
                if copied:
                    columns = "part, CAST(NULL AS INTEGER) AS fs, s, p, o"
                    self._copied.append(f"(SELECT {columns} FROM {name})")
        return tables

    def _typed(self, nodes: str, live: frozenset[int]) -> set[int]:
        """The states in which a query is answered for a number or a date: of two spellings of the
        same value it sees one.
        """
        if not self.reach.queried & live:
            return set()
        rows = self.tables.rows(f"SELECT DISTINCT state FROM {nodes} WHERE {_is_typed('node')}")
        return {state for (state,) in rows} & self.reach.queried

    def _is_cyclic(self, live: frozenset[int]) -> bool:
        """Whether nodes in one of these states can come to it again."""
        onwards: dict[int, set[int]] = {}
        for move in self.reach.moves:
            onwards.setdefault(move.state, set()).add(move.next)
        after = set(live)
        for _ in range(len(onwards)):
            after = {item for state in after for item in onwards.get(state, ()) if item != END}
        return bool(after)

    def _steps(self, moves: Sequence[Move], nodes: str) -> Iterator[str]:
        """The SELECTs (part, next, s, p, o, node) of the statements that the moves of a round read."""
        for backwards in (False, True):
            named = [move for move in moves if move.predicate and move.backwards is backwards]
            if named:
                near, far = ("o", "s") if backwards else ("s", "o")
                listed = self._listed(named)
                read = f"SELECT t.s, t.p, t.o, c.state, c.next FROM triples t JOIN {listed} c ON c.p = t.p"
                yield (
                    f"SELECT f.part, t.next, t.s, t.p, t.o, t.{far} AS node FROM ({read}) t "
                    f"JOIN {nodes} f ON f.node = t.{near} AND f.state = t.state"
                )
        if every := [move for move in moves if not move.predicate]:
            listed = self._listed(every)
            yield (
                f"SELECT f.part, c.next, t.s, t.p, t.o, t.o AS node FROM triples t JOIN {nodes} f ON f.node = t.s "
                f"JOIN {listed} c ON c.state = f.state"
            )

    def _listed(self, moves: Iterable[Move]) -> str:
        return self.tables.store_rows(
            {"state": "INTEGER", "p": "VARCHAR", "next": "INTEGER"},
            sorted({(move.state, move.predicate, move.next) for move in moves}),
        )


def _is_typed(term: str) -> str:
    """Whether a term is a number, a date or the like."""
    return f"{term} LIKE '\"%^^<{XSD}%'"


# -- the validation of a part ----------------------------------------------------------------------


def results_of(plan: Plan) -> str:
    """A SELECT (k, focus, value, path, messages) of what a part reports, from the tables of a run."""
    reported = sorted(plan.reported - plan.direct)
    columns = "k, focus, value, path, messages"
    listed = ", ".join(map(str, reported)) or "NULL"
    selects = [f"SELECT {columns} FROM violations WHERE k IN ({listed})"]
    # Where other shapes use a shape as well, only some of its results are of its own focus nodes.
    selects += [
        f"SELECT {-1 - fs}, n.node, NULL, NULL, NULL FROM nodes n WHERE n.fs = {fs} "
        "AND n.node IN (SELECT focus FROM violations)"
        for fs in sorted({fs for _, fs, placement in plan.roots if placement.fs != fs})
    ]
    return " UNION ALL ".join(selects)


def create_results(connection: Connection) -> None:
    """Creates the table of results, empty."""
    connection.execute(f"CREATE OR REPLACE TABLE {RESULTS} ({_RESULT_COLUMNS})")


def merged_report(connection: Connection, plan: Plan) -> Report:
    """The report on all parts, from the table of their results.

    A node that several parts reach is validated in each of them, with the same result.
    """
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE violations AS SELECT r.k, r.focus, r.value, r.path, r.messages "
        f"FROM {RESULTS} r JOIN (SELECT k, focus, min(part) AS part FROM {RESULTS} WHERE k >= 0 GROUP BY k, focus) m "
        "ON m.k = r.k AND m.focus = r.focus AND m.part = r.part"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE nodes AS SELECT DISTINCT -1 - k AS fs, focus AS node FROM {RESULTS} WHERE k < 0"
    )
    try:
        return read_report(connection, plan)
    finally:
        connection.execute("DROP TABLE temp.violations")
        connection.execute("DROP TABLE temp.nodes")


def validate_whole(connection: Connection, plan: Plan, sets: Collection[int]) -> None:
    """Adds the results of sets of focus nodes that are validated on all statements at once, the
    table `triples` of a connection.
    """
    if not sets:
        return
    none = "(SELECT 0 AS fs, '' AS node WHERE false)"
    with finished(Run(connection, plan, only=none, unbounded=frozenset(sets))):
        connection.execute(f"INSERT INTO {RESULTS} SELECT -1, * FROM ({results_of(plan)})")


def validate_part(connection: Connection, plan: Plan, shared: Sequence[Triple]) -> str:
    """Validates a part, whose rows are the table `part_rows` (ROWS), which it removes; gives the name
    of a table of its results (k, focus, value, path, messages).
    """
    columns = {"s": "VARCHAR", "p": "VARCHAR", "o": "VARCHAR"}
    run = Run(connection, plan)
    everywhere = run.store("SELECT '' AS s, '' AS p, '' AS o WHERE false")
    run.insert_rows(everywhere, columns, shared)
    focus = run.store("SELECT fs, s AS node FROM part_rows WHERE fs >= 0")
    connection.execute(
        "CREATE OR REPLACE TEMP TABLE triples AS SELECT s, p, o FROM part_rows WHERE fs IS NULL "
        f"OR (fs = {_OWN} AND s IN (SELECT node FROM {focus})) UNION SELECT s, p, o FROM {everywhere}"
    )
    run.focus = focus
    connection.execute("DROP TABLE part_rows")
    with finished(run):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE part_results AS {results_of(plan)}")
    return "part_results"


# -- parts on one machine --------------------------------------------------------------------------


class LocalTables:
    """Parts made by DuckDB."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._count = 0

    def store(self, select: str) -> str:
        self._count += 1
        self.connection.execute(f"CREATE OR REPLACE TABLE parts_{self._count} AS {select}")
        return f"parts_{self._count}"

    def store_rows(self, columns: Mapping[str, str], rows: Sequence[Sequence[object]]) -> str:
        listed = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in columns.items())
        name = self.store(f"SELECT {listed} WHERE false")
        Run(self.connection, Plan(ShapesGraph({}))).insert_rows(name, columns, rows)
        return name

    def rows(self, select: str) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(select).fetchall())

    def number(self, term: str, count: int) -> str:
        return f"CAST(hash({term}) % {count} AS INTEGER)"


def validate_in_parts(
    connection: Any, shapes: ShapesGraph, count: int, *, many: int = _MANY
) -> Report:
    """The report on the table `triples` of a connection, one part after the other: equal to
    validating it as a whole, in the memory of one part.
    """
    plan = plan_shapes(shapes)
    tables = LocalTables(connection)
    division = parts(tables, plan, count, many=many)
    rows = tables.store(division.table)
    create_results(connection)
    validate_whole(connection, plan, division.whole)
    for number in range(count):
        part = connection.cursor()  # its temporary tables are its own
        part.execute(
            f"CREATE TEMP TABLE part_rows AS SELECT fs, s, p, o FROM {rows} WHERE part = {number}"
        )
        results = validate_part(part, plan, division.shared)
        part.execute(f"INSERT INTO {RESULTS} SELECT {number}, * FROM {results}")
        part.close()
    return merged_report(connection, plan)
