"""Shapes compiled to set-based SQL over a table of statements (s, p, o), and run: a table of
violations.

Nothing is done node by node. Every shape is placed once: a *placement* is a shape on a set of focus
nodes, the union of all ways in which they are found (targets, the focus nodes of another shape, the
values of its path). Then, for all placements together:

1. `nodes(fs, node)` and `vals(vs, focus, value)` are filled from the outermost shapes inwards, one
   query for each level;
2. constraints that need no other shape are checked, many in one query;
3. constraints on other shapes (sh:node, sh:not, sh:or …) follow from the innermost outwards, for
   conformance is the absence of violations.

The SQL is what DuckDB and Spark share (with regexp_matches, json_extract_string and epoch_us under
their names there).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.mapping.planning.plan import text
from lodpipe.shacl import sql_terms as terms
from lodpipe.shacl.constraint_sql import OF_VALUES, Checker
from lodpipe.shacl.paths import Walker, plain
from lodpipe.shacl.patterns import LIMIT, TooSlow, matches
from lodpipe.shacl.placements import Check, Placement, Plan
from lodpipe.shacl.shapes_graph import Constraint, Shape
from lodpipe.shacl.target_sql import HIERARCHY, instances_select, target_select, with_subclasses
from lodpipe.shacl.value_conditions import in_re2

_FEW = 60  # SELECTs in one statement; more cost the planner more than they save
_COLUMNS = "k INTEGER, focus VARCHAR, value VARCHAR, path VARCHAR, messages VARCHAR"


Violation = tuple[str, str | None, str | None, str | None]
"""Focus node, value, path, and the messages as a JSON list where they name variables."""


class Connection(Protocol):
    """What is needed of a database: DuckDB's connection, or anything that runs SQL and gives rows."""

    def execute(self, query: str, parameters: Any = None, /) -> Any: ...


@dataclass
class Run:
    """Runs a plan on a connection that has the table (or view) `triples` (s, p, o) without doubles;
    leaves the table `violations`.

    `only` bounds the focus nodes of targeted shapes to those of a table (fs, node), but for the
    sets `unbounded`; where the nodes of all targets are known, `focus` is a table of them (fs, node).
    `answerer` answers SPARQL.
    """

    connection: Connection
    plan: Plan
    only: str | None = None
    answerer: Any = None
    unbounded: frozenset[int] = frozenset()
    focus: str | None = None
    _stored: int = 0

    def go(self) -> None:
        """Fills `nodes`, `vals`, `instances` and `violations`."""
        self.execute("CREATE OR REPLACE TEMP TABLE nodes (fs INTEGER, node VARCHAR)")
        self.execute("CREATE OR REPLACE TEMP TABLE vals (vs INTEGER, focus VARCHAR, value VARCHAR)")
        self.execute(f"CREATE OR REPLACE TEMP TABLE violations ({_COLUMNS})")
        self._instances()
        self._targets()
        for level in range(max(self.plan.levels.values(), default=-1) + 1):
            if level:
                self._inner(level)
            self._values(level)
        self._check()

    def close(self) -> None:
        """Removes what the run has made."""
        for name in (
            "nodes",
            "vals",
            "violations",
            "instances",
            *(f"stored_{number + 1}" for number in range(self._stored)),
        ):
            self.execute(f"DROP TABLE IF EXISTS temp.{name}")

    def execute(self, sql: str, parameters: Any = None) -> Any:
        return (
            self.connection.execute(sql, parameters)
            if parameters is not None
            else self.connection.execute(sql)
        )

    def insert(self, table: str, selects: Sequence[str]) -> None:
        """Puts the rows of many SELECTs into a table."""
        for at in range(0, len(selects), _FEW):
            self.execute(f"INSERT INTO {table} " + " UNION ALL ".join(selects[at : at + _FEW]))

    def insert_rows(
        self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[object]]
    ) -> None:
        """Puts rows into a table by one parameter, which is much faster than binding each."""
        if rows:
            data = json.dumps(
                [dict(zip(columns, row, strict=True)) for row in rows], ensure_ascii=False
            )
            structure = text(json.dumps([dict(columns)]))
            unpacked = f"(SELECT unnest(from_json(?, {structure}), recursive := true))"
            self.execute(f"INSERT INTO {table} SELECT {', '.join(columns)} FROM {unpacked}", [data])

    # -- sets of nodes -----------------------------------------------------------------------------

    def _instances(self) -> None:
        """`instances(class, node)`: the SHACL instances of every class that the shapes name,
        subclasses included (SHACL, 1.1).
        """
        self.execute("CREATE OR REPLACE TEMP TABLE instances (class INTEGER, node VARCHAR)")
        if not self.plan.classes:
            return
        rows = with_subclasses(self.plan.classes, self.execute(HIERARCHY).fetchall())
        several = len(rows) > len(self.plan.classes)
        listed = f"{terms.listed(rows)} c (number, name)"
        self.execute(f"INSERT INTO instances {instances_select(listed, distinct=several)}")

    def _targets(self) -> None:
        """The nodes of all targets: those of one kind in one query; or those of the table `focus`."""
        if self.focus:
            self.execute(f"INSERT INTO nodes SELECT DISTINCT fs, node FROM {self.focus}")
            return
        listed: dict[str, list[tuple[int | str | None, ...]]] = {}
        selects = []
        for fs, targets in self.plan.targets.items():
            for target in targets:
                if target.kind == "sparql":
                    assert target.query is not None
                    selects.append(
                        f"SELECT {fs} AS fs, node FROM {self.store_rows(self.answerer.targets(target.query))}"
                    )
                else:
                    term = self.plan.classes[target.term] if target.kind == "class" else target.term
                    listed.setdefault(target.kind, []).append((fs, term))
        selects += [
            target_select(kind, f"{terms.listed(rows)} c (fs, term)")
            for kind, rows in listed.items()
        ]
        if selects:
            free = (
                f"f.fs IN ({', '.join(map(str, sorted(self.unbounded)))}) OR "
                if self.unbounded
                else ""
            )
            bound = (
                f" WHERE {free}EXISTS (SELECT 1 FROM {self.only} b WHERE b.fs = f.fs AND b.node = f.node)"
                if self.only
                else ""
            )
            self.execute(
                f"INSERT INTO nodes SELECT DISTINCT fs, node FROM ({' UNION ALL '.join(selects)}) f{bound}"
            )

    def _inner(self, level: int) -> None:
        """The focus nodes that come from the values or the focus nodes of other shapes."""
        rows: dict[str, list[tuple[int, int]]] = {}
        for fs, sources in self.plan.inner.items():
            for kind, number in sources if self.plan.levels[fs] == level else ():
                rows.setdefault(kind, []).append((fs, number))
        columns = {"vs": ("value", "vals"), "fs": ("node", "nodes")}
        selects = [
            f"SELECT i.fs, v.{columns[kind][0]} AS node FROM {columns[kind][1]} v JOIN {terms.listed(some)} i (fs, source) ON i.source = v.{kind}"
            for kind, some in rows.items()
        ]
        if selects:
            self.execute(
                f"INSERT INTO nodes SELECT DISTINCT fs, node FROM ({' UNION ALL '.join(selects)})"
            )

    def _values(self, level: int) -> None:
        """The values of all paths from the sets of a level: paths of one step in one query, others
        each in its own.
        """
        steps: dict[bool, list[tuple[int | str | None, ...]]] = {False: [], True: []}
        filled = self._filled("fs", "nodes")
        for vs, (fs, path) in self.plan.values.items():
            if self.plan.levels[fs] != level or fs not in filled:
                continue
            if step := plain(path):
                steps[step[1]].append((vs, fs, step[0]))
            else:
                start = f"SELECT node AS focus, node AS value FROM nodes WHERE fs = {fs}"
                self.execute(
                    f"INSERT INTO vals SELECT {vs}, focus, value FROM ({Walker(self.store, self.count).follow(path, start)})"
                )
        for backwards, listed in steps.items():
            if listed:
                near, far = ("o", "s") if backwards else ("s", "o")
                self.execute(
                    f"INSERT INTO vals SELECT k.vs, t.{near}, t.{far} FROM triples t JOIN {terms.listed(listed)} k (vs, fs, p) ON k.p = t.p "
                    f"JOIN nodes n ON n.node = t.{near} AND n.fs = k.fs"
                )

    def _filled(self, column: str, table: str) -> frozenset[int]:
        """The sets that have members: small data fill few, and what is asked of the others would
        only cost the planner.
        """
        return frozenset(
            row[0] for row in self.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
        )

    def store(self, sql: str) -> str:
        self._stored += 1
        self.execute(f"CREATE OR REPLACE TEMP TABLE stored_{self._stored} AS {sql}")
        return f"stored_{self._stored}"

    def store_rows(self, nodes: Sequence[str]) -> str:
        name = self.store("SELECT CAST(NULL AS VARCHAR) AS node WHERE false")
        self.insert_rows(name, {"node": "VARCHAR"}, [(node,) for node in nodes])
        return name

    def count(self, table: str) -> int:
        return int(self.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    # -- checks ------------------------------------------------------------------------------------

    def _check(self) -> None:
        checker = Checker(self.plan)
        by_height: dict[int, list[tuple[Placement, Check]]] = {}
        nodes, values = self._filled("fs", "nodes"), self._filled("vs", "vals")
        for placement in (item for item in self.plan.placements if item.fs in nodes):
            for check in placement.checks:
                constraint = check.constraint
                lacks_values = placement.vs is not None and placement.vs not in values
                if check.k in self.plan.direct or (
                    lacks_values and constraint.component in OF_VALUES
                ):
                    continue
                if constraint.query is not None:
                    self._sparql(placement, check)
                elif constraint.component == "Pattern" and not in_re2(constraint):
                    self._by_python(placement, check)
                elif not check.others and not check.siblings:
                    by_height.setdefault(0, []).append((placement, check))
                else:
                    height = 1 + max(other.height for other in (*check.others, *check.siblings))
                    by_height.setdefault(height, []).append((placement, check))
        for _, checks in sorted(by_height.items()):
            self.insert("violations", list(checker.selects(checks)))

    def _sparql(self, placement: Placement, check: Check) -> None:
        if join := self.answerer.plain(placement, check):
            self.execute(f"INSERT INTO violations {join}")
            return
        rows = self.answerer.violations(self, placement, check)
        self.insert_rows("violations", _COLUMN_TYPES, [(check.k, *row) for row in rows])

    def _by_python(self, placement: Placement, check: Check) -> None:
        """Patterns that look around or back, which RE2 does not know: each different text once."""
        constraint = check.constraint
        pairs = self.execute(
            f"SELECT value, {terms.string('value')} FROM (SELECT DISTINCT value FROM {placement.pairs})"
        ).fetchall()
        try:
            matching = matches(
                constraint.text,
                constraint.flags,
                [string for _, string in pairs if string is not None],
            )
        except TooSlow as error:
            words = {"pattern": constraint.text, "value": error.args[0], "seconds": f"{LIMIT:g}"}
            raise InvalidDeclaration(
                [Finding("LP610", self.plan.shapes.origin(placement.shape.name), words)]
            ) from None
        except re.error as error:
            raise self._invalid_pattern(placement.shape, constraint, str(error)) from None
        wrong = self.store_rows([value for value, string in pairs if string not in matching])
        self.execute(
            f"INSERT INTO violations SELECT {check.k}, focus, value, NULL, NULL FROM {placement.pairs} WHERE value IN (SELECT node FROM {wrong})"
        )

    def _invalid_pattern(
        self, shape: Shape, constraint: Constraint, reason: str
    ) -> InvalidDeclaration:
        detail = f"{shape.name}: sh:pattern {constraint.text}: {reason}"
        return InvalidDeclaration(
            [Finding("LP605", self.plan.shapes.origin(shape.name), {"detail": detail})]
        )

    def check_patterns(self) -> None:
        """Raises InvalidDeclaration (LP605) for the first invalid pattern: checked once the
        engine has refused one of them.
        """
        for shape in self.plan.shapes.shapes.values():
            for constraint in shape.constraints:
                if constraint.component == "Pattern" and in_re2(constraint):
                    try:
                        self.execute(
                            f"SELECT regexp_matches('', {text(terms.regex(constraint.text, constraint.flags))})"
                        ).fetchall()
                    except Exception as error:  # whatever class the engine has for it
                        reason = str(error).split("\n")[0].split(": ", 1)[-1]
                        raise self._invalid_pattern(shape, constraint, reason) from None


_COLUMN_TYPES = {
    "k": "INTEGER",
    "focus": "VARCHAR",
    "value": "VARCHAR",
    "path": "VARCHAR",
    "messages": "VARCHAR",
}
