"""Validation after a change: only the focus nodes that changed statements can reach are validated
again.

The reach of the shapes (reach.py) says which statements decide about a focus node. Here it is gone
backwards, from the changed statements to the focus nodes:

    0 <http://example.org/worksFor> 1        the values of ex:worksFor,
    1 rdf:type .                             and their classes

    ex:acme a ex:Firm                        has changed: ex:acme is a node in state 1,
    ex:ann ex:worksFor ex:acme               so that ex:ann in state 0 is validated again
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lodpipe.mapping.planning.plan import text
from lodpipe.rdf.namespaces import XSD
from lodpipe.shacl import sql_terms as terms
from lodpipe.shacl.execution import equipped
from lodpipe.shacl.placements import Plan, plan_shapes
from lodpipe.shacl.reach import Reach, reach
from lodpipe.shacl.shape_run import Connection, Run
from lodpipe.shacl.shapes_graph import SUBCLASS, TYPE, ShapesGraph, Target
from lodpipe.shacl.validation_report import Report, read_report


def revalidate(connection: Connection, shapes: ShapesGraph, before: Report, changed: str) -> Report:
    """The report on the table `triples` as it is now, from the report `before` and the table
    `changed` (s, p, o) of all statements that were added or removed since.

    Equal to validating everything (tests/test_shacl_incremental.py).
    """
    plan, own_reach = _prepared(shapes)
    run = Run(connection, plan)
    with equipped(run):
        touched = _Touched(run, own_reach, changed)
        run.only, run.unbounded = touched.find()
        run.go()
        again: dict[int, set[str]] = {}
        for fs, node in run.execute(f"SELECT fs, node FROM {run.only}").fetchall():
            again.setdefault(fs, set()).add(node)
        sets = {shape.name: fs for shape, fs, _ in plan.roots}
        unchanged = {
            (name, focus): results
            for (name, focus), results in before.results_by_focus.items()
            if name in sets
            and sets[name] not in run.unbounded
            and focus not in again.get(sets[name], set())
        }
        return Report(unchanged | read_report(connection, plan).results_by_focus)


@functools.lru_cache(maxsize=4)
def _prepared(shapes: ShapesGraph) -> tuple[Plan, Reach]:
    """What is the same for all changes of the data."""
    plan = plan_shapes(shapes)
    return plan, reach(plan)


_Step = tuple[int, str, int]
"""A state, a predicate (empty for any), and the next state."""


@dataclass
class _Touched:
    """The focus nodes that changed statements can reach."""

    run: Run
    reach: Reach
    changed: str
    _nodes: list[str] = field(default_factory=list)

    def find(self) -> tuple[str, frozenset[int]]:
        """A table (fs, node) of them, and the sets of which all have to be validated."""
        rows = self.run.execute(f"SELECT DISTINCT p FROM {self.changed}").fetchall()
        predicates = frozenset(row[0] for row in rows)
        every = frozenset(self.run.plan.targets)
        if SUBCLASS in predicates:
            return self._table([]), every
        whole = self.reach.unbounded if predicates else frozenset()
        selects = [*self._of_targets(predicates), *(self._of_reach() if predicates else ())]
        return self._table(selects), whole | self.reach.starting_in(self._of_several_spellings())

    def _table(self, selects: Iterable[str]) -> str:
        nothing = "SELECT 0 AS fs, '' AS node WHERE false"
        return self.run.store(" UNION ".join([nothing, *selects]))

    def _of_targets(self, predicates: frozenset[str]) -> Iterator[str]:
        """SELECTs (fs, node) of the nodes that may have become or ceased to be focus nodes."""
        for fs, targets in self.run.plan.targets.items():
            for target in targets:
                predicate, column = _deciding(target)
                if predicate in predicates:
                    yield f"SELECT {fs}, {column} FROM {self.changed} WHERE p = {text(predicate)}"

    # -- the way back ------------------------------------------------------------------------------

    def _of_reach(self) -> Iterator[str]:
        """SELECTs (fs, node) of the nodes from which a changed statement is reached."""
        starts = sorted(self.reach.starts.items())
        if not self.reach.moves:
            return
        nodes = self._new(self._starts_of_moves())
        while self.run.count(nodes):
            self._nodes.append(nodes)
            nodes = self._new(self._steps_back(nodes))
        for name in self._nodes:
            yield f"SELECT c.fs, n.node FROM {name} n JOIN {terms.listed(starts)} c (fs, state) ON c.state = n.state"

    def _new(self, selects: Iterable[str]) -> str:
        """A table (state, node) of what was not reached before."""
        before = [f"SELECT state, node FROM {name}" for name in self._nodes]
        reached = f"SELECT state, node FROM ({' UNION ALL '.join(selects)})"
        return self.run.store(
            " EXCEPT ".join([reached, *before]) if before else f"SELECT DISTINCT * FROM ({reached})"
        )

    def _starts_of_moves(self) -> Iterator[str]:
        """SELECTs (state, node) of the nodes at which a move over a changed statement starts."""
        for backwards, near in ((False, "s"), (True, "o")):
            for is_open in (False, True):
                moves = self._moves(backwards=backwards, is_open=is_open)
                if moves:
                    listed = terms.listed(sorted({(state, p) for state, p, _ in moves}))
                    on = "true" if is_open else "c.p = t.p"
                    yield f"SELECT c.state, t.{near} AS node FROM {self.changed} t JOIN {listed} c (state, p) ON {on}"

    def _steps_back(self, nodes: str) -> Iterator[str]:
        """SELECTs (state, node) of the nodes from which a move leads to these, over statements of now
        or of before the change.
        """
        for backwards, near, far in ((False, "s", "o"), (True, "o", "s")):
            for is_open in (False, True):
                moves = self._moves(backwards=backwards, is_open=is_open)
                if not moves:
                    continue
                goals = f"SELECT c.state, c.p, n.node FROM {nodes} n JOIN {terms.listed(moves)} c (state, p, next) ON c.next = n.state"
                on = "" if is_open else " AND g.p = t.p"
                for source in ("triples", self.changed):
                    yield f"SELECT g.state, t.{near} AS node FROM {source} t JOIN ({goals}) g ON g.node = t.{far}{on}"

    def _moves(self, *, backwards: bool, is_open: bool) -> list[_Step]:
        return [
            (move.state, move.predicate, move.next)
            for move in self.reach.moves
            if move.backwards is backwards and (not move.predicate) is is_open
        ]

    def _of_several_spellings(self) -> frozenset[int]:
        """The states in which a number, a date or the like was reached that a query compares by its
        value: with another spelling it is reached from other nodes as well.
        """
        states = self.reach.queried | {move.state for move in self.reach.moves if move.by_value}
        if not (states and self._nodes):
            return frozenset()
        typed = " UNION ".join(
            f"SELECT state FROM {name} WHERE node LIKE '\"%^^<{XSD}%'" for name in self._nodes
        )
        return states & {state for (state,) in self.run.execute(typed).fetchall()}


def _deciding(target: Target) -> tuple[str, str]:
    """The predicate of the statements that make nodes those of a target, and which of their columns
    has the node; no predicate where the data do not decide.
    """
    match target.kind:
        case "class":
            return TYPE, "s"
        case "subjectsOf":
            return target.term, "s"
        case "objectsOf":
            return target.term, "o"
        case _:
            return "", ""
