"""Every shape placed once: a placement is a shape on a set of focus nodes, the union of all ways in which
they are found (targets, the focus nodes of another shape, the values of its path).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct

from lodpipe.shacl.shapes_graph import Constraint, Path, Shape, ShapesGraph, Target
from lodpipe.shacl.value_conditions import BY_VALUE, INLINE_LOGIC, in_re2

# constraints; a condition of more is a set of placements, for shapes that share others would be
# written out 2^n times
_INLINE_MOST = 64


class Placement(Struct, frozen=True):
    """A shape on a set of focus nodes `fs`; a property shape has the set `vs` of their values."""

    number: int
    shape: Shape
    fs: int
    vs: int | None
    checks: tuple[Check, ...]
    height: int

    @property
    def pairs(self) -> str:
        """The relation (focus, value) of the value nodes."""
        if self.vs is None:
            return f"(SELECT node AS focus, node AS value FROM nodes WHERE fs = {self.fs})"
        return f"(SELECT focus, value FROM vals WHERE vs = {self.vs})"


class Check(Struct, frozen=True):
    """A constraint of a placement, numbered `k`; `others` are the placements of the shapes that it
    names.
    """

    k: int
    constraint: Constraint
    others: tuple[Placement, ...] = ()
    siblings: tuple[Placement, ...] = ()


Source = tuple[str, int]
"""Where focus nodes come from: ("fs", a set of focus nodes) or ("vs", a set of values)."""


@dataclass
class Plan:
    """All placements of a shapes graph, and the sets of nodes and values that they are placed on."""

    shapes: ShapesGraph
    roots: list[tuple[Shape, int, Placement]] = field(default_factory=list)
    targets: dict[int, tuple[Target, ...]] = field(default_factory=dict)
    inner: dict[int, tuple[Source, ...]] = field(default_factory=dict)
    values: dict[int, tuple[int, Path]] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    checks: dict[int, tuple[Placement, Check]] = field(default_factory=dict)
    classes: dict[str, int] = field(default_factory=dict)
    reported: set[int] = field(default_factory=set)
    direct: set[int] = field(
        default_factory=set
    )  # sh:property of shapes that only targets use: nothing depends on whether those conform


def plan_shapes(shapes: ShapesGraph) -> Plan:
    """Places every shape that has targets, and all that they use."""
    return _Planner(shapes).plan


class _Planner:
    def __init__(self, shapes: ShapesGraph) -> None:
        self.plan = Plan(shapes)
        self._sets: dict[object, int] = {}
        self._sizes: dict[str, int | None] = {}
        self._sources: dict[str, list[Source]] = {}
        self._vs: dict[str, int | None] = {}
        self._fs: dict[str, int] = {}
        self._placed: dict[str, Placement] = {}
        self._count = 0
        order = self._order()
        roots = []
        for shape in shapes.targeted:
            fs = self._set(shape.targets)
            self.plan.targets[fs], self.plan.levels[fs] = shape.targets, 0
            for target in shape.targets:
                if target.kind == "class":
                    self._class(target.term)
            self._sources.setdefault(shape.name, []).append(("fs", fs))
            roots.append((shape, fs))
        for name in order:
            self._find_nodes(name)
        for name in reversed(order):
            self._place(name)
        self.plan.roots = [(shape, fs, self._placed[shape.name]) for shape, fs in roots]
        inner = {
            other.number
            for _, check in self.plan.checks.values()
            for other in (*check.others, *check.siblings)
        }
        for _, _, placement in self.plan.roots:
            self._mark_reported(placement)
            if placement.vs is None and placement.number not in inner:
                self.plan.direct |= {
                    check.k
                    for check in placement.checks
                    if check.constraint.component == "Property"
                }

    def _set(self, key: object) -> int:
        return self._sets.setdefault(key, len(self._sets))

    def _class(self, iri: str) -> int:
        return self.plan.classes.setdefault(iri, len(self.plan.classes))

    # -- which shapes are placed, and on which nodes -----------------------------------------------

    def _used(self, constraint: Constraint) -> tuple[str, ...]:
        """The shapes that a constraint needs a placement of."""
        return () if self._inline(constraint) else (*constraint.shapes, *constraint.siblings)

    def _order(self) -> list[str]:
        """All shapes to be placed, each before those that it uses."""
        done: dict[str, None] = {}

        def visit(name: str) -> None:
            if name in done:
                return
            shape = self.plan.shapes.shapes[name]
            for constraint in () if shape.deactivated else shape.constraints:
                for other in self._used(constraint):
                    visit(other)
            done[name] = None

        for shape in self.plan.shapes.targeted:
            visit(shape.name)
        return list(reversed(done))

    def _find_nodes(self, name: str) -> None:
        """The sets of focus nodes and values of a shape, once those of all that use it are known;
        it is then a source for what it uses.
        """
        shape = self.plan.shapes.shapes[name]
        fs = self._fs[name] = self._united(tuple(sorted(set(self._sources[name]))))
        vs = self._vs[name] = None if shape.path is None else self._set((fs, shape.path))
        if vs is not None and shape.path is not None:
            self.plan.values[vs] = (fs, shape.path)
        for constraint in () if shape.deactivated else shape.constraints:
            if constraint.component == "Class":
                self._class(constraint.values[0])
            for other in self._used(constraint):
                self._sources.setdefault(other, []).append(("fs", fs) if vs is None else ("vs", vs))

    def _united(self, sources: tuple[Source, ...]) -> int:
        """The set of focus nodes of some sources."""
        if len(sources) == 1 and sources[0][0] == "fs":
            return sources[0][1]
        fs = self._set(("all of", sources))
        self.plan.inner[fs] = sources
        below = (
            self.plan.values[number][0] if kind == "vs" else number for kind, number in sources
        )
        self.plan.levels[fs] = 1 + max(self.plan.levels[item] for item in below)
        return fs

    def _place(self, name: str) -> None:
        """The placement of a shape, once those of all shapes that it uses are there."""
        shape = self.plan.shapes.shapes[name]
        checks = (
            ()
            if shape.deactivated
            else tuple(self._check(constraint) for constraint in shape.constraints)
        )
        below = [other.height for check in checks for other in (*check.others, *check.siblings)]
        placement = Placement(
            len(self.plan.placements),
            shape,
            self._fs[name],
            self._vs[name],
            checks,
            max(below, default=-1) + 1,
        )
        self.plan.placements.append(placement)
        self.plan.checks |= {check.k: (placement, check) for check in checks}
        self._placed[name] = placement

    def _check(self, constraint: Constraint) -> Check:
        k = self._count
        self._count += 1
        if not self._used(constraint):
            return Check(k, constraint)
        others, siblings = (
            tuple(self._placed[name] for name in names)
            for names in (constraint.shapes, constraint.siblings)
        )
        return Check(k, constraint, others, siblings)

    # -- constraints that need no placement --------------------------------------------------------

    def _inline(self, constraint: Constraint) -> bool:
        """Whether all shapes that a constraint names can be decided by looking at the value alone,
        in a condition of bounded length.
        """
        if not constraint.shapes or constraint.component in ("Property", "Node"):
            return not constraint.shapes
        size = self._constraint_size(constraint)
        if size is None or size > _INLINE_MOST:
            return False
        for name in (*constraint.shapes, *constraint.siblings):
            self._name_classes(name)
        return True

    def _name_classes(self, name: str) -> None:
        for constraint in self.plan.shapes.shapes[name].constraints:
            if constraint.component == "Class":
                self._class(constraint.values[0])
            for other in (*constraint.shapes, *constraint.siblings):
                self._name_classes(other)

    def _constraint_size(self, constraint: Constraint) -> int | None:
        """How many conditions a constraint is as an expression of the value, None where it is none."""
        if constraint.component == "Property":
            return None
        sizes = [self._size(name) for name in (*constraint.shapes, *constraint.siblings)]
        return None if None in sizes else sum(siz for siz in sizes if siz is not None)

    def _size(self, name: str) -> int | None:
        """How many conditions a shape is as an expression of the value, None where it is none."""
        if name not in self._sizes:
            shape = self.plan.shapes.shapes[name]
            sizes = [self._size_of(constraint) for constraint in shape.constraints]
            wrong = shape.path is not None or None in sizes
            self._sizes[name] = None if wrong else 1 + sum(siz for siz in sizes if siz is not None)
        return self._sizes[name]

    def _size_of(self, constraint: Constraint) -> int | None:
        if constraint.component in INLINE_LOGIC:
            return self._constraint_size(constraint)
        return (
            1
            if (
                constraint.component in BY_VALUE
                and (constraint.component != "Pattern" or in_re2(constraint))
            )
            or constraint.component == "HasValue"
            else None
        )

    def _mark_reported(self, placement: Placement) -> None:
        """Marks the checks whose violations are part of the report: those of targeted shapes, and
        what explains them.
        """
        for check in placement.checks:
            if check.k not in self.plan.reported:
                self.plan.reported.add(check.k)
                if check.constraint.component in ("Property", "Node"):
                    for other in check.others:
                        self._mark_reported(other)
