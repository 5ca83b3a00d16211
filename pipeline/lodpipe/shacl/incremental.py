"""Validation after a change: only the focus nodes that changed statements can reach are validated
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import _duckdb as duckdb

from lodpipe.mapping.planning.plan import text
from lodpipe.shacl.placements import Placement, Plan, plan_shapes
from lodpipe.shacl.query_rewriting import predicates
from lodpipe.shacl.shape_run import Connection, Run
from lodpipe.shacl.shapes_graph import SUBCLASS, Path, ShapesGraph
from lodpipe.shacl.sparql_constraints import QueryAnswerer
from lodpipe.shacl.validation_report import Report, read_report


def revalidate(connection: Connection, shapes: ShapesGraph, before: Report, changed: str) -> Report:
    """The report on the table `triples` as it is now, from the report `before` and the table
    `changed` (s, p, o) of all statements that were added or removed since.

    Equal to validating everything (tests/test_shacl_incremental.py).
    """
    plan = plan_shapes(shapes)
    run = Run(connection, plan)
    run.answerer = QueryAnswerer(connection, plan)
    reach = _Reach(run, plan, changed)
    try:
        whole = frozenset(fs for _, fs, placement in plan.roots if reach.everything(placement, fs))
        bounded = [
            (fs, reach.touched(placement)) for _, fs, placement in plan.roots if fs not in whole
        ]
        selects = [f"SELECT {fs} AS fs, node FROM {table}" for fs, table in bounded]
        run.only = run.store(
            " UNION ".join(selects) if selects else "SELECT 0 AS fs, '' AS node WHERE false"
        )
        run.unbounded = whole
        run.go()
        again: dict[int, set[str]] = {}
        for fs, node in run.execute(f"SELECT fs, node FROM {run.only}").fetchall():
            again.setdefault(fs, set()).add(node)
        sets = {shape.name: fs for shape, fs, _ in plan.roots}
        unchanged = {
            (name, focus): results
            for (name, focus), results in before.results_by_focus.items()
            if name in sets
            and sets[name] not in whole
            and focus not in again.get(sets[name], set())
        }
        return Report(unchanged | read_report(connection, plan).results_by_focus)
    except duckdb.Error:
        run.check_patterns()
        raise
    finally:
        run.close()
        run.answerer.close()


@dataclass
class _Reach:
    """Which nodes a change can matter to: those from which a path of a shape leads to a node of a
    changed statement.
    """

    run: Run
    plan: Plan
    changed: str
    _ends: str = ""
    _known: dict[int, str] = field(default_factory=dict)
    _unbounded: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ends = self.run.store(
            f"SELECT s AS node FROM {self.changed} UNION SELECT o AS node FROM {self.changed}"
        )
        self._predicates = {
            row[0] for row in self.run.execute(f"SELECT DISTINCT p FROM {self.changed}").fetchall()
        }

    def everything(self, placement: Placement, fs: int) -> bool:
        """Whether no bound can be given: classes were rearranged, or a query reads predicates that
        changed.
        """
        if SUBCLASS in self._predicates or any(
            target.kind == "sparql" for target in self.plan.targets[fs]
        ):
            return bool(self._predicates)
        return self._reads_change(placement)

    def _reads_change(self, placement: Placement) -> bool:
        """Whether a query of a placed shape, or of those that it uses, reads predicates that
        changed.
        """
        if placement.number not in self._unbounded:
            texts = [
                check.constraint.query.text
                for check in placement.checks
                if check.constraint.query is not None
            ]
            read = [predicates(text) for text in texts]
            self._unbounded[placement.number] = bool(self._predicates) and (
                any(item is None or item & self._predicates for item in read)
                or any(
                    self._reads_change(other)
                    for check in placement.checks
                    for other in (*check.others, *check.siblings)
                )
            )
        return self._unbounded[placement.number]

    def touched(self, placement: Placement) -> str:
        """A table of the nodes for which a placed shape may now find something else."""
        if placement.number not in self._known:
            parts = [
                self._ends,
                *(
                    self.touched(other)
                    for check in placement.checks
                    for other in (*check.others, *check.siblings)
                ),
            ]
            table = self.run.store(
                " UNION ".join(f"SELECT node FROM {part}" for part in dict.fromkeys(parts))
            )
            self._known[placement.number] = (
                self._before(placement.shape.path, table) if placement.shape.path else table
            )
        return self._known[placement.number]

    def _before(self, path: Path, table: str) -> str:
        """The nodes from which steps of a path lead to nodes of a table, over statements of now or
        of before the change.
        """
        steps, longest = _steps(path), _length(path)
        reached = newest = table
        rounds = 0
        while (longest is None or rounds < longest) and self.run.count(newest):
            rounds += 1
            before = " UNION ".join(
                f"SELECT t.{'o' if backwards else 's'} AS node FROM {source} t JOIN {newest} n ON n.node = t.{'s' if backwards else 'o'} "
                f"WHERE t.p = {text(iri)}"
                for iri, backwards in sorted(steps)
                for source in ("triples", self.changed)
            )
            newest = self.run.store(
                f"SELECT node FROM ({before}) EXCEPT SELECT node FROM {reached}"
            )
            reached = self.run.store(
                f"SELECT node FROM {reached} UNION ALL SELECT node FROM {newest}"
            )
        return reached


def _steps(path: Path, backwards: bool = False) -> set[tuple[str, bool]]:
    """The predicates of a path, each with its direction."""
    if path.kind == "predicate":
        return {(path.iri, backwards)}
    return set().union(
        *(_steps(part, backwards != (path.kind == "inverse")) for part in path.parts)
    )


def _length(path: Path) -> int | None:
    """How many steps a path has at most, None where there is no bound."""
    if path.kind == "predicate":
        return 1
    if path.kind in ("zeroOrMore", "oneOrMore"):
        return None
    lengths = [_length(part) for part in path.parts]
    known = [length for length in lengths if length is not None]
    if len(known) < len(lengths):
        return None
    return sum(known) if path.kind == "sequence" else max(known)
