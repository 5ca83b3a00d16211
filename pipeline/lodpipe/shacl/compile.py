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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from msgspec import Struct

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration
from lodpipe.mapping.plan import text
from lodpipe.shacl import sql_terms as terms
from lodpipe.shacl.paths import Walker, plain
from lodpipe.shacl.patterns import LIMIT, TooSlow, matches
from lodpipe.shacl.shapes_graph import (
    NODE_KINDS,
    SUBCLASS,
    TYPE,
    Constraint,
    Path,
    Shape,
    ShapesGraph,
    Target,
)

_FEW = 60  # SELECTs in one statement; more cost the planner more than they save
_COLUMNS = "k INTEGER, focus VARCHAR, value VARCHAR, path VARCHAR, messages VARCHAR"


class Connection(Protocol):
    """What is needed of a database: DuckDB's connection, or anything that runs SQL and gives rows."""

    def execute(self, query: str, parameters: Any = None, /) -> Any: ...


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


_QUALIFIED = ("QualifiedMinCount", "QualifiedMaxCount")
_INLINE_LOGIC = ("And", "Or", "Not", "Xone", "Node")
# constraints; a condition of more is a set of placements, for shapes that share others would be
# written out 2^n times
_INLINE_MOST = 64


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
        if constraint.component in _INLINE_LOGIC:
            return self._constraint_size(constraint)
        return (
            1
            if (
                constraint.component in _BY_VALUE
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


# -- constraints that look at one value ------------------------------------------------------------


def in_re2(constraint: Constraint) -> bool:
    """Whether RE2 knows the pattern: not one that looks around or back."""
    return not re.search(r"\\[1-9]|\(\?[=!<]", constraint.text)


def _node_kind(constraint: Constraint, _: Mapping[str, int]) -> str:
    return terms.first("value", NODE_KINDS[constraint.values[0]])


def _datatype(constraint: Constraint, _: Mapping[str, int]) -> str:
    return terms.of_datatype("value", constraint.values[0][1:-1])


def _class(constraint: Constraint, classes: Mapping[str, int]) -> str:
    return f"value IN (SELECT node FROM instances WHERE class = {classes[constraint.values[0]]})"


def _in(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"value IN ({', '.join(map(text, constraint.values))})" if constraint.values else "false"


def _length(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"length({_STRING}) {'>=' if constraint.component == 'MinLength' else '<='} {constraint.count}"


def _pattern(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"regexp_matches({_STRING}, {text(terms.regex(constraint.text, constraint.flags))})"


def _language_in(constraint: Constraint, _: Mapping[str, int]) -> str:
    """Basic filtering of language tags, as SPARQL's langMatches does it."""
    ranges = "|".join(
        "[a-z0-9-]+" if name == "*" else rf"{re.escape(name)}(?:-[a-z0-9-]*)?"
        for name in constraint.values
    )
    pattern = f'(?i)"@(?:{ranges})$'
    return f"({first_literal()} AND {f'regexp_matches(value, {text(pattern)})' if ranges else 'false'})"


def first_literal() -> str:
    return terms.first("value", '"')


def _range(constraint: Constraint, _: Mapping[str, int]) -> str:
    return f"({first_literal()} AND {terms.within('value', constraint.component, constraint.values[0], _NUMBER)})"


ByValue = Callable[[Constraint, Mapping[str, int]], str]
_BY_VALUE: dict[str, ByValue] = {
    "NodeKind": _node_kind, "Datatype": _datatype, "Class": _class, "In": _in, "MinLength": _length, "MaxLength": _length, "Pattern": _pattern,
    "LanguageIn": _language_in, "MinExclusive": _range, "MinInclusive": _range, "MaxExclusive": _range, "MaxInclusive": _range,
}  # fmt: skip


# What several conditions read of a value is a column of its own: written out in each it would cost
# the planner more than all else.
_STRING, _NUMBER = "value_as_string", "value_as_number"
_VIEWS = {_STRING: terms.string("value"), _NUMBER: terms.number("value")}


def _views(condition: str) -> tuple[str, ...]:
    """The columns beyond `value` that a condition reads."""
    return tuple(name for name in _VIEWS if name in condition)


def _viewed(relation: str, views: Sequence[str]) -> str:
    """A relation with these columns."""
    return (
        f"(SELECT *, {', '.join(f'{_VIEWS[name]} AS {name}' for name in views)} FROM {relation})"
        if views
        else relation
    )


# Constraints on property shapes that differ in nothing but their sets and terms: one query for all
# of them.
_GROUPED = {"MinCount": "min_counts", "MaxCount": "max_counts", "HasValue": "has_values", "UniqueLang": "unique_langs", "Equals": "equal_sets",
            "Class": "classes"}  # fmt: skip


# Constraints that nothing can break where there are no values.
_OF_VALUES = frozenset({*_BY_VALUE, *_INLINE_LOGIC, "Property", "MaxCount", "UniqueLang", "Disjoint", "LessThan", "LessThanOrEquals",
                        "QualifiedMaxCount"})  # fmt: skip


def _listed(rows: Iterable[tuple[int | str | None, ...]]) -> str:
    """Rows of numbers and terms as a relation: a text for each column, because the engine's parser
    takes longer for each word than this for all.

    >>> _listed([(1, "<a:b>"), (2, "<a:c>")])
    "(SELECT unnest(CAST('[1, 2]' AS INTEGER[])), unnest(string_split('<a:b> <a:c>', ' ')))"
    """
    return f"(SELECT {', '.join(map(_column, zip(*rows, strict=True)))})"


def _column(values: Sequence[int | str | None]) -> str:
    if not isinstance(values[0], str):
        most = max((value for value in values if isinstance(value, int)), default=0)
        kind = "INTEGER" if most < 2**31 else "DOUBLE"
        return f"unnest(CAST('{list(values)}' AS {kind}[]))"
    # Literals have spaces, but no line break: in N-Triples it is an escape.
    separator = "\n" if any(" " in str(value) for value in values) else " "
    return f"unnest(string_split({text(separator.join(map(str, values)))}, {text(separator)}))"


def _case(conditions: Mapping[str, int]) -> str:
    """The condition whose number is in the column `n`."""
    whens = " ".join(f"WHEN {number} THEN {condition}" for condition, number in conditions.items())
    return f"CASE n {whens} END" if len(conditions) > 1 else next(iter(conditions))


class Checker:
    """Writes the SELECT (k, focus, value, path, messages) of each check."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def holds(self, constraint: Constraint) -> str:
        """Whether a constraint holds for `value`, where that depends on the value alone."""
        if constraint.component in _BY_VALUE:
            return f"({_BY_VALUE[constraint.component](constraint, self.plan.classes)}) IS TRUE"
        if constraint.component == "HasValue":
            return f"(value = {text(constraint.values[0])})"
        return self.joined(
            constraint.component, [self.conforms(name) for name in constraint.shapes]
        )

    def conforms(self, name: str) -> str:
        """Whether `value` conforms to a shape that is decided by the value alone."""
        shape = self.plan.shapes.shapes[name]
        if shape.deactivated or not shape.constraints:
            return "true"
        return "(" + " AND ".join(self.holds(constraint) for constraint in shape.constraints) + ")"

    def joined(self, component: str, members: Sequence[str]) -> str:
        """What a logical constraint makes of whether its members hold."""
        if component == "Not":
            return f"(NOT {members[0]})"
        if component == "Xone":
            return (
                "("
                + " + ".join(f"CASE WHEN {member} THEN 1 ELSE 0 END" for member in members)
                + " = 1)"
            )
        return "(" + (" OR " if component == "Or" else " AND ").join(members) + ")"

    def selects(self, checks: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        """The SELECTs that find the violations of many checks: those that differ in nothing but
        their sets and terms are one.
        """
        groups: dict[str, list[tuple[Placement, Check]]] = {}
        for placement, check in checks:
            groups.setdefault(self._kind(placement, check), []).append((placement, check))
        for kind, members in groups.items():
            if kind in ("node", "value"):
                yield from self._by_value(members, kind)
            elif kind == "nested":
                yield from self._nested(members)
            elif kind == "qualified":
                yield from self._qualified(members)
            elif kind in _GROUPED:
                yield from getattr(self, "_" + _GROUPED[kind])(members)
            else:
                for placement, check in members:
                    yield from self._select(placement, check)

    def _kind(self, placement: Placement, check: Check) -> str:
        constraint = check.constraint
        if constraint.component in ("Node", "Property"):
            return "nested"
        if constraint.component == "Class" and placement.vs is not None:
            return "Class"
        if constraint.component in _BY_VALUE or (
            constraint.component in _INLINE_LOGIC and not check.others
        ):
            return "node" if placement.vs is None else "value"
        if constraint.component in _QUALIFIED:
            return "qualified" if not check.others else "alone"
        return "alone" if placement.vs is None else constraint.component

    def _by_value(self, members: Sequence[tuple[Placement, Check]], kind: str) -> Iterator[str]:
        """The checks that look at one value, in one scan of all nodes or values for those that read
        the same of it.
        """
        alike: dict[tuple[str, ...], list[tuple[Placement, Check, str]]] = {}
        for placement, check in members:
            condition = self.holds(check.constraint)
            alike.setdefault(_views(condition), []).append((placement, check, condition))
        for views, some in alike.items():
            conditions: dict[str, int] = {}
            rows = [
                (
                    check.k,
                    placement.fs if placement.vs is None else placement.vs,
                    conditions.setdefault(condition, len(conditions)),
                )
                for placement, check, condition in some
            ]
            source, on = (
                ("(SELECT fs, node AS focus, node AS value FROM nodes)", "fs")
                if kind == "node"
                else ("vals", "vs")
            )
            joined = f"(SELECT c.k, c.n, v.focus, v.value FROM {source} v JOIN {_listed(rows)} c (k, {on}, n) ON c.{on} = v.{on})"
            yield f"SELECT k, focus, value, NULL AS path, NULL AS messages FROM {_viewed(joined, views)} WHERE NOT {_case(conditions)}"

    def _nested(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        """sh:node and sh:property: values for which a check of the other shape found anything."""
        for source, column, on_nodes in (
            ("(SELECT fs, node AS focus, node AS value FROM nodes)", "fs", True),
            ("vals", "vs", False),
        ):
            rows = [
                (check.k, placement.fs if placement.vs is None else placement.vs, inner.k)
                for placement, check in members
                if (placement.vs is None) is on_nodes
                for inner in check.others[0].checks
            ]
            if rows:
                yield (
                    f"SELECT DISTINCT c.k, v.focus, v.value, NULL, NULL FROM {_listed(rows)} c (k, {column}, inner_k) "
                    f"JOIN violations x ON x.k = c.inner_k JOIN {source} v ON v.{column} = c.{column} AND v.value = x.focus"
                )

    def _counts(self, members: Sequence[tuple[Placement, Check]], least: bool) -> str:
        """sh:minCount or sh:maxCount of many property shapes, from one count of their values."""
        listed = _listed(
            (check.k, placement.fs, placement.vs, check.constraint.count)
            for placement, check in members
        )
        sets = ", ".join(sorted({str(placement.vs) for placement, _ in members}))
        counted = f"(SELECT vs, focus, count(*) AS many FROM vals WHERE vs IN ({sets}) GROUP BY vs, focus)"
        if least:
            return (
                f"SELECT c.k, n.node, NULL, NULL, NULL FROM {listed} c (k, fs, vs, least) JOIN nodes n ON n.fs = c.fs "
                f"LEFT JOIN {counted} v ON v.vs = c.vs AND v.focus = n.node WHERE coalesce(v.many, 0) < c.least"
            )
        return f"SELECT c.k, v.focus, NULL, NULL, NULL FROM {counted} v JOIN {listed} c (k, fs, vs, most) ON c.vs = v.vs WHERE v.many > c.most"

    def _min_counts(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        if members := [member for member in members if member[1].constraint.count]:
            yield self._counts(members, least=True)

    def _max_counts(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        yield self._counts(members, least=False)

    def _has_values(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = _listed(
            (check.k, placement.fs, placement.vs, check.constraint.values[0])
            for placement, check in members
        )
        yield (
            f"SELECT c.k, n.node, NULL, NULL, NULL FROM {listed} c (k, fs, vs, value) JOIN nodes n ON n.fs = c.fs "
            f"LEFT JOIN vals v ON v.vs = c.vs AND v.focus = n.node AND v.value = c.value WHERE v.vs IS NULL"
        )

    def _unique_langs(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = _listed((check.k, placement.vs) for placement, check in members)
        sets = ", ".join(sorted({str(placement.vs) for placement, _ in members}))
        # Focus nodes with several values are few, and only theirs are asked for their languages.
        several = f"(SELECT vs, focus FROM vals WHERE vs IN ({sets}) GROUP BY vs, focus HAVING count(*) > 1)"
        yield (
            f"SELECT k, focus, NULL, NULL, NULL FROM (SELECT c.k, v.focus, {terms.language('v.value')} AS tag FROM vals v "
            f"JOIN {several} w ON w.vs = v.vs AND w.focus = v.focus JOIN {listed} c (k, vs) ON c.vs = v.vs WHERE {terms.first('v.value', chr(34))}) "
            f"WHERE tag <> '' GROUP BY k, focus, tag HAVING count(*) > 1"
        )

    def _classes(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = _listed(
            (check.k, placement.vs, self.plan.classes[check.constraint.values[0]])
            for placement, check in members
        )
        yield (
            f"SELECT c.k, v.focus, v.value, NULL, NULL FROM vals v JOIN {listed} c (k, vs, class) ON c.vs = v.vs "
            f"LEFT JOIN instances i ON i.class = c.class AND i.node = v.value WHERE i.class IS NULL"
        )

    def _equal_sets(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = _listed(
            (check.k, placement.fs, placement.vs, check.constraint.values[0])
            for placement, check in members
        )
        yield (
            f"SELECT c.k, v.focus, v.value, NULL, NULL FROM vals v JOIN {listed} c (k, fs, vs, p) ON c.vs = v.vs "
            f"LEFT JOIN triples t ON t.s = v.focus AND t.o = v.value AND t.p = c.p WHERE t.s IS NULL"
        )
        yield (
            f"SELECT c.k, t.s, t.o, NULL, NULL FROM triples t JOIN {listed} c (k, fs, vs, p) ON c.p = t.p "
            f"JOIN nodes n ON n.fs = c.fs AND n.node = t.s "
            f"LEFT JOIN vals v ON v.vs = c.vs AND v.focus = t.s AND v.value = t.o WHERE v.vs IS NULL"
        )

    def _select(self, placement: Placement, check: Check) -> Iterator[str]:
        constraint, pairs, k = check.constraint, placement.pairs, check.k
        if constraint.component in ("Not", "And", "Or", "Xone"):
            condition = self.joined(
                constraint.component, [_conforming(other) for other in check.others]
            )
            yield f"SELECT {k}, focus, value, NULL, NULL FROM {pairs} WHERE NOT {condition}"
        else:
            yield from getattr(self, "_" + constraint.component)(placement, check)

    # -- constraints on all values of a focus node -------------------------------------------------

    def _lacking(self, placement: Placement, k: int, rows: str) -> str:
        """The focus nodes that a relation of focus nodes lacks."""
        return (
            f"SELECT {k}, node, NULL, NULL, NULL FROM nodes n WHERE fs = {placement.fs} "
            f"AND NOT EXISTS (SELECT 1 FROM ({rows}) f WHERE f.focus = n.node)"
        )

    def _HasValue(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        yield self._lacking(
            placement,
            check.k,
            f"SELECT focus FROM {placement.pairs} WHERE value = {text(check.constraint.values[0])}",
        )

    def _others(self, check: Check) -> str:
        return f"(SELECT s, o FROM triples WHERE p = {text(check.constraint.values[0])})"

    def _Equals(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        others = self._others(check)
        yield (
            f"SELECT {check.k}, focus, value, NULL, NULL FROM {placement.pairs} v "
            f"WHERE NOT EXISTS (SELECT 1 FROM {others} t WHERE t.s = v.focus AND t.o = v.value)"
        )
        yield (
            f"SELECT {check.k}, t.s, t.o, NULL, NULL FROM {others} t JOIN nodes n ON n.node = t.s WHERE n.fs = {placement.fs} "
            f"AND NOT EXISTS (SELECT 1 FROM {placement.pairs} v WHERE v.focus = t.s AND v.value = t.o)"
        )

    def _Disjoint(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        yield (
            f"SELECT {check.k}, focus, value, NULL, NULL FROM {placement.pairs} v "
            f"WHERE EXISTS (SELECT 1 FROM {self._others(check)} t WHERE t.s = v.focus AND t.o = v.value)"
        )

    def _LessThan(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        holds = terms.less(
            "v.value", "t.o", or_equal=check.constraint.component == "LessThanOrEquals"
        )
        yield (
            f"SELECT {check.k}, v.focus, v.value, NULL, NULL FROM {placement.pairs} v JOIN {self._others(check)} t ON t.s = v.focus "
            f"WHERE {holds} IS NOT TRUE"
        )

    _LessThanOrEquals = _LessThan

    def _Closed(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        allowed = ", ".join(map(text, check.constraint.values))
        condition = f" WHERE t.p NOT IN ({allowed})" if allowed else ""
        yield f"SELECT {check.k}, v.focus, t.o, t.p, NULL FROM {placement.pairs} v JOIN triples t ON t.s = v.value{condition}"

    def _qualified(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        """Qualified counts of shapes that are decided by the value alone, in one scan for those
        that read the same of it.
        """
        alike: dict[tuple[str, ...], list[tuple[Placement, Check, str]]] = {}
        for placement, check in members:
            constraint = check.constraint
            condition = " AND ".join(
                [
                    self.conforms(constraint.shapes[0]),
                    *(f"NOT {self.conforms(name)}" for name in constraint.siblings),
                ]
            )
            alike.setdefault(_views(condition), []).append((placement, check, condition))
        for views, some in alike.items():
            conditions: dict[str, int] = {}
            rows = [
                (check.k, placement.vs, conditions.setdefault(condition, len(conditions)))
                for placement, check, condition in some
            ]
            joined = f"(SELECT c.k, c.n, v.focus, v.value FROM vals v JOIN {_listed(rows)} c (k, vs, n) ON c.vs = v.vs)"
            counted = f"(SELECT k, focus, count(*) AS many FROM {_viewed(joined, views)} WHERE {_case(conditions)} GROUP BY k, focus)"
            counts = [(check.constraint, check.k, placement.fs) for placement, check, _ in some]
            least = [
                (k, fs, item.count)
                for item, k, fs in counts
                if item.component == "QualifiedMinCount"
            ]
            most = [
                (k, item.count) for item, k, _ in counts if item.component == "QualifiedMaxCount"
            ]
            if least:
                yield (
                    f"SELECT c.k, n.node, NULL, NULL, NULL FROM {_listed(least)} c (k, fs, least) JOIN nodes n ON n.fs = c.fs "
                    f"LEFT JOIN {counted} v ON v.k = c.k AND v.focus = n.node WHERE coalesce(v.many, 0) < c.least"
                )
            if most:
                yield f"SELECT c.k, v.focus, NULL, NULL, NULL FROM {counted} v JOIN {_listed(most)} c (k, most) ON v.k = c.k WHERE v.many > c.most"

    def _qualifying(self, placement: Placement, check: Check) -> str:
        """The pairs whose value conforms to the qualified shape and to none of its siblings, by
        what was found of these.
        """
        condition = " AND ".join(
            [
                _conforming(check.others[0]),
                *(f"NOT {_conforming(other)}" for other in check.siblings),
            ]
        )
        return (
            f"SELECT focus FROM {placement.pairs} WHERE {condition} GROUP BY focus HAVING count(*)"
        )

    def _QualifiedMinCount(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        if check.constraint.count:
            yield self._lacking(
                placement,
                check.k,
                f"{self._qualifying(placement, check)} >= {check.constraint.count}",
            )

    def _QualifiedMaxCount(self, placement: Placement, check: Check) -> Iterator[str]:  # noqa: N802
        rows = f"{self._qualifying(placement, check)} > {check.constraint.count}"
        yield f"SELECT {check.k}, focus, NULL, NULL, NULL FROM ({rows})"


def _conforming(placement: Placement) -> str:
    """Whether `value` conforms to a placed shape: no check of it found anything with that focus
    node.
    """
    numbers = ", ".join(str(check.k) for check in placement.checks)
    return (
        f"(value NOT IN (SELECT focus FROM violations WHERE k IN ({numbers})))"
        if numbers
        else "true"
    )


# -- targets ---------------------------------------------------------------------------------------

HIERARCHY = f"SELECT s, o FROM triples WHERE p = '{SUBCLASS}'"


def with_subclasses(
    classes: Mapping[str, int], hierarchy: Iterable[tuple[str, str]]
) -> list[tuple[int, str]]:
    """The number of each class with it and all classes below it; `hierarchy` are pairs of a class
    and a superclass.

    >>> with_subclasses({"<a:Thing>": 0}, [("<a:Person>", "<a:Thing>"), ("<a:Clerk>", "<a:Person>")])
    [(0, '<a:Thing>'), (0, '<a:Person>'), (0, '<a:Clerk>')]
    """
    below: dict[str, list[str]] = {}
    for sub, top in hierarchy:
        below.setdefault(top, []).append(sub)
    rows = []
    for name, number in classes.items():
        entries = {name: None}
        for item in (waiting := [name]):
            waiting += [
                sub
                for sub in below.get(item, ())
                if sub not in entries and entries.setdefault(sub) is None
            ]
        rows += [(number, entry) for entry in entries]
    return rows


def instances_select(listed: str, *, distinct: bool) -> str:
    """A SELECT (class, node) of the instances of classes: `listed` is a relation c (number, name)."""
    return (
        f"SELECT {'DISTINCT ' if distinct else ''}c.number AS class, t.s AS node "
        f"FROM (SELECT s, o FROM triples WHERE p = '{TYPE}') t JOIN {listed} ON c.name = t.o"
    )


def target_select(kind: str, listed: str, instances: str = "instances") -> str:
    """A SELECT (fs, node) of the nodes of targets of a kind: `listed` is a relation c (fs, term)."""
    if kind == "class":
        return f"SELECT c.fs, i.node FROM {instances} i JOIN {listed} ON i.class = c.term"
    if kind == "node":
        return f"SELECT c.fs, c.term AS node FROM {listed}"
    column = "s" if kind == "subjectsOf" else "o"
    return f"SELECT c.fs, t.{column} AS node FROM triples t JOIN {listed} ON t.p = c.term"


# -- running ---------------------------------------------------------------------------------------


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
        listed = f"{_listed(rows)} c (number, name)"
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
            target_select(kind, f"{_listed(rows)} c (fs, term)") for kind, rows in listed.items()
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
            f"SELECT i.fs, v.{columns[kind][0]} AS node FROM {columns[kind][1]} v JOIN {_listed(some)} i (fs, source) ON i.source = v.{kind}"
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
                    f"INSERT INTO vals SELECT k.vs, t.{near}, t.{far} FROM triples t JOIN {_listed(listed)} k (vs, fs, p) ON k.p = t.p "
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
                    lacks_values and constraint.component in _OF_VALUES
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
