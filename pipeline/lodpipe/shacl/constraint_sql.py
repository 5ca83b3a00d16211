"""The checks of placements as SQL: a SELECT of the violations of many checks at a time.

The SQL is what DuckDB and Spark share (with regexp_matches, json_extract_string and epoch_us under
their names there).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lodpipe.mapping.planning.plan import text
from lodpipe.shacl import sql_terms as terms
from lodpipe.shacl.placements import Check, Placement, Plan
from lodpipe.shacl.shapes_graph import Constraint
from lodpipe.shacl.value_conditions import BY_VALUE, INLINE_LOGIC, case, viewed, views_of

_QUALIFIED = ("QualifiedMinCount", "QualifiedMaxCount")

# Constraints on property shapes that differ in nothing but their sets and terms: one query for all
# of them.
_GROUPED = {"MinCount": "min_counts", "MaxCount": "max_counts", "HasValue": "has_values", "UniqueLang": "unique_langs", "Equals": "equal_sets",
            "Class": "classes"}  # fmt: skip


# Constraints that nothing can break where there are no values.
OF_VALUES = frozenset({*BY_VALUE, *INLINE_LOGIC, "Property", "MaxCount", "UniqueLang", "Disjoint", "LessThan", "LessThanOrEquals",
                        "QualifiedMaxCount"})  # fmt: skip


class Checker:
    """Writes the SELECT (k, focus, value, path, messages) of each check."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def holds(self, constraint: Constraint) -> str:
        """Whether a constraint holds for `value`, where that depends on the value alone."""
        if constraint.component in BY_VALUE:
            return f"({BY_VALUE[constraint.component](constraint, self.plan.classes)}) IS TRUE"
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
        if constraint.component in BY_VALUE or (
            constraint.component in INLINE_LOGIC and not check.others
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
            alike.setdefault(views_of(condition), []).append((placement, check, condition))
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
            joined = f"(SELECT c.k, c.n, v.focus, v.value FROM {source} v JOIN {terms.listed(rows)} c (k, {on}, n) ON c.{on} = v.{on})"
            yield f"SELECT k, focus, value, NULL AS path, NULL AS messages FROM {viewed(joined, views)} WHERE NOT {case(conditions)}"

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
                    f"SELECT DISTINCT c.k, v.focus, v.value, NULL, NULL FROM {terms.listed(rows)} c (k, {column}, inner_k) "
                    f"JOIN violations x ON x.k = c.inner_k JOIN {source} v ON v.{column} = c.{column} AND v.value = x.focus"
                )

    def _counts(self, members: Sequence[tuple[Placement, Check]], least: bool) -> str:
        """sh:minCount or sh:maxCount of many property shapes, from one count of their values."""
        listed = terms.listed(
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
        listed = terms.listed(
            (check.k, placement.fs, placement.vs, check.constraint.values[0])
            for placement, check in members
        )
        yield (
            f"SELECT c.k, n.node, NULL, NULL, NULL FROM {listed} c (k, fs, vs, value) JOIN nodes n ON n.fs = c.fs "
            f"LEFT JOIN vals v ON v.vs = c.vs AND v.focus = n.node AND v.value = c.value WHERE v.vs IS NULL"
        )

    def _unique_langs(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = terms.listed((check.k, placement.vs) for placement, check in members)
        sets = ", ".join(sorted({str(placement.vs) for placement, _ in members}))
        # Focus nodes with several values are few, and only theirs are asked for their languages.
        several = f"(SELECT vs, focus FROM vals WHERE vs IN ({sets}) GROUP BY vs, focus HAVING count(*) > 1)"
        yield (
            f"SELECT k, focus, NULL, NULL, NULL FROM (SELECT c.k, v.focus, {terms.language('v.value')} AS tag FROM vals v "
            f"JOIN {several} w ON w.vs = v.vs AND w.focus = v.focus JOIN {listed} c (k, vs) ON c.vs = v.vs WHERE {terms.first('v.value', chr(34))}) "
            f"WHERE tag <> '' GROUP BY k, focus, tag HAVING count(*) > 1"
        )

    def _classes(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = terms.listed(
            (check.k, placement.vs, self.plan.classes[check.constraint.values[0]])
            for placement, check in members
        )
        yield (
            f"SELECT c.k, v.focus, v.value, NULL, NULL FROM vals v JOIN {listed} c (k, vs, class) ON c.vs = v.vs "
            f"LEFT JOIN instances i ON i.class = c.class AND i.node = v.value WHERE i.class IS NULL"
        )

    def _equal_sets(self, members: Sequence[tuple[Placement, Check]]) -> Iterator[str]:
        listed = terms.listed(
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
            alike.setdefault(views_of(condition), []).append((placement, check, condition))
        for views, some in alike.items():
            conditions: dict[str, int] = {}
            rows = [
                (check.k, placement.vs, conditions.setdefault(condition, len(conditions)))
                for placement, check, condition in some
            ]
            joined = f"(SELECT c.k, c.n, v.focus, v.value FROM vals v JOIN {terms.listed(rows)} c (k, vs, n) ON c.vs = v.vs)"
            counted = f"(SELECT k, focus, count(*) AS many FROM {viewed(joined, views)} WHERE {case(conditions)} GROUP BY k, focus)"
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
                    f"SELECT c.k, n.node, NULL, NULL, NULL FROM {terms.listed(least)} c (k, fs, least) JOIN nodes n ON n.fs = c.fs "
                    f"LEFT JOIN {counted} v ON v.k = c.k AND v.focus = n.node WHERE coalesce(v.many, 0) < c.least"
                )
            if most:
                yield (
                    f"SELECT c.k, v.focus, NULL, NULL, NULL FROM {counted} v JOIN {terms.listed(most)} c (k, most) ON v.k = c.k "
                    "WHERE v.many > c.most"
                )

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
