"""Joins as SQL (RML-Core, referencing object maps): the parent's subject for each row of the child.

A join that finds one row at most gives the child's relation the parent's columns; any other is a
SELECT of its own over two sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from lodpipe.mapping.model import PredicateObject, Reference, ReferencingMap, TriplesMap
from lodpipe.mapping.planning.gather_sql import Compiled, GatherCompiler
from lodpipe.mapping.planning.plan import (
    Check,
    Join,
    Lookup,
    Parent,
    Relation,
    Select,
    Side,
    Sources,
    Term,
    distinct,
    is_constant,
    quote,
)
from lodpipe.mapping.planning.scope import Scope
from lodpipe.mapping.planning.source_relations import SourceRelations, record_column
from lodpipe.mapping.planning.term_sql import (
    TermCompiler,
    prefix_of,
    spelled,
    unnested,
    unproven,
)


class JoinCompiler:
    """Makes the joins of a mapping; `light` spares the looks at keys, for few records."""

    def __init__(
        self,
        mapping: Compiled,
        sources: Sources,
        relations: SourceRelations,
        terms: TermCompiler,
        gather: GatherCompiler,
        *,
        light: bool,
    ) -> None:
        self._mapping, self._sources, self._relations = mapping, sources, relations
        self._terms, self._gather, self._light = terms, gather, light

    def widened(self, entry: TriplesMap, relation: Relation) -> tuple[Relation, dict[int, Parent]]:
        """The relation with the parents' columns of every join that finds one row at most; then no
        join is left to do for each statement.

        For few records the look whether keys are unique would cost more than it saves.
        """
        parents: dict[int, Parent] = {}
        if self._light:
            return relation, parents
        for rule in entry.rules:
            for item in rule.objects:
                if (
                    isinstance(item, ReferencingMap)
                    and item.joins
                    and (parent := self._only_parent(item, relation, len(parents)))
                ):
                    parents[id(item)] = parent
        return (
            self._sources.join_parents(relation, list(parents.values())) if parents else relation
        ), parents

    def selects(
        self,
        entry: TriplesMap,
        rule: PredicateObject,
        item: ReferencingMap,
        number: int,
        rule_name: str,
    ) -> Iterator[Select]:
        """The SELECT of the pairs that a join finds, and those of its checks."""
        parent = self._mapping.maps.get(item.parent)
        if parent is None:
            self._mapping.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return
        child_relation = self._gather.widened(entry, self._relations.of(entry))
        parent_relation = self._gather.widened(parent, self._relations.of_parent(parent, item))
        child = Scope(child_relation, rule_name, entry.base or self._mapping.base, alias="c.")
        other = Scope(parent_relation, parent.name, parent.base or self._mapping.base, alias="p.")
        subject, target = (
            self._terms.term(entry.subject, child.at("s")),
            self._terms.term(parent.subject, other.at("o")),
        )
        graphs = self._terms.graphs(entry, rule, child)
        predicates = [self._terms.term(predicate, child.at("p")) for predicate in rule.predicates]
        child_lists = [
            *subject.lists,
            *(item_list for term in (*predicates, *graphs) for item_list in term.lists),
        ]
        parent_lists = [*target.lists]
        children, parents = _SideTerms("c"), _SideTerms("p")
        conditions = []
        for join in item.joins:
            (a, uses), (b, others) = (
                self._terms.join_side(join.child, child.at("j"), item.origin),
                self._terms.join_side(join.parent, other.at("j"), item.origin),
            )
            conditions.append((a, b))
            children.key(a, uses.columns)
            parents.key(b, others.columns)
            child_lists += uses.lists
            parent_lists += others.lists
        left, right = (
            unnested(child_relation, tuple(dict.fromkeys(child_lists))),
            unnested(parent_relation, tuple(dict.fromkeys(parent_lists))),
        )
        name, prefix, record = (
            f"{entry.name} ⋈ {parent.name}",
            prefix_of(entry.subject, entry.base or self._mapping.base),
            record_column(child_relation, "c."),
        )
        joined_subject, joined_target = children.term(subject), parents.term(target)
        parts = tuple(
            (children.term(p), joined_target, children.term(g), number)
            for p in predicates
            for g in graphs
        )
        joined = Join(
            children.side(left, record),
            parents.side(right),
            self._repeats(left, children),
            self._repeats(right, parents),
        )
        yield Select(
            name,
            joined.sql,
            'c."_record"',
            joined_subject,
            parts,
            (),
            item.origin,
            prefix,
            join=joined,
        )
        yield from self._join_checks(
            entry, item, (subject, predicates, graphs), (left, right, conditions), child
        )

    def parent_subject(self, item: ReferencingMap, scope: Scope, joined: Parent | None) -> Term:
        """A referencing map takes the parent's subject from the row that its join found, or without
        conditions from the same row (RML-Core).
        """
        parent = self._mapping.maps.get(item.parent)
        if parent is None:
            self._mapping.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return Term("NULL")
        base = parent.base or self._mapping.base
        if joined is None:
            return self._terms.term(parent.subject, replace(scope, base=base))
        # The parent's own values are checked where it makes its statements; here they would be
        # reported once for each child.
        term = replace(
            unproven(
                self._terms.term(
                    parent.subject,
                    replace(scope, base=base, relation=joined.relation, prefix=joined.prefix),
                )
            ),
            checks=(),
        )
        keys = [scope.alias + quote(name) for name, _ in joined.on]
        parent_key = scope.alias + quote(joined.prefix + joined.on[0][1])
        problem = f"{' AND '.join(f'{key} IS NOT NULL' for key in keys)} AND {parent_key} IS NULL"
        return replace(
            term, checks=(self._broken_join(item, problem, " || ' ' || ".join(keys), scope.rule),)
        )

    def _only_parent(self, item: ReferencingMap, child: Relation, number: int) -> Parent | None:
        """The one row that a join finds, where both sides are plain columns and the parent's rows
        of a key are alike; else None.

        A subject without references would be there for a row without parent, too.
        """
        parent = self._mapping.maps.get(item.parent)
        if parent is None or parent.subject.gather or self._gives_lists(parent):
            return None
        if not parent.subject.expression.references:
            return None
        relation = self._relations.of_parent(parent, item)
        plain = all(
            len(side.parts) == 1 and isinstance(side.parts[0], Reference)
            for join in item.joins
            for side in (join.child, join.parent)
        )
        wanted = parent.subject.references
        keys = (
            tuple((join.child.references[0], join.parent.references[0]) for join in item.joins)
            if plain
            else ()
        )
        lists = relation.many.intersection(
            wanted, (key for _, key in keys)
        ) | child.many.intersection(name for name, _ in keys)
        if not plain or lists:
            return None
        on = tuple((child.column(name), relation.column(key)) for name, key in keys)
        columns = tuple(dict.fromkeys([*(key for _, key in on), *map(relation.column, wanted)]))
        reduced = self._sources.distinct_by_key(relation, [key for _, key in on], columns)
        return Parent(reduced, on, columns, f"parent {number + 1} ") if reduced else None

    def _gives_lists(self, parent: TriplesMap) -> bool:
        """Whether the subject of a triples map calls a function for which rows are multiplied."""
        functions = self._terms.functions
        return any(
            functions.gives_list(call) or functions.function(call).python
            for expression in parent.subject.expressions
            for call in expression.calls
        )

    def _repeats(self, source: str, side: _SideTerms) -> bool:
        """Whether equal rows of a side should become one before it is joined; for few records the
        look would cost more than it saves.
        """
        return self._light or self._sources.has_repeats(
            f"{source} AS {side.alias}", list(side.columns)
        )

    def _join_checks(
        self, entry: TriplesMap, item: ReferencingMap, terms: tuple[Term, list[Term], list[Term]], join: tuple[str, str, list[tuple[str, str]]],
        scope: Scope,
    ) -> Iterator[Select]:  # fmt: skip
        """The checks on the rows of the child, each row once: on those that find a parent, and on
        those that find none.
        """
        subject, predicates, graphs = terms
        left, right, conditions = join
        name, prefix, record = (
            f"{entry.name} ⋈ {item.parent}",
            prefix_of(entry.subject, entry.base or self._mapping.base),
            record_column(scope.relation, "c."),
        )

        # Subjects are checked with the map's other statements, where it has any; targets where the
        # parent makes its own.
        of_rows = (*predicates, *graphs) if _makes_more(entry) else (subject, *predicates, *graphs)
        if checks := distinct([check for term in of_rows for check in term.checks]):
            rows = Lookup(left, right, tuple(conditions), has_match=True)
            yield Select(
                name, rows.sql, record, subject, (), checks, item.origin, prefix, lookup=rows
            )
        yield self._without_parent(entry, item, join, scope)

    def without_parent(
        self,
        entry: TriplesMap,
        item: ReferencingMap,
        parent: TriplesMap,
        relation: Relation,
        scope: Scope,
    ) -> Select:
        """The check for rows of a relation that find no parent, where the keys are single values."""
        return self._without_parent(entry, item, self._keys(item, relation, parent, scope), scope)

    def _keys(
        self, item: ReferencingMap, relation: Relation, parent: TriplesMap, scope: Scope
    ) -> tuple[str, str, list[tuple[str, str]]]:
        """The relations and the keys of a join whose keys are single values."""
        other = self._relations.of(parent)
        child_scope = replace(scope, alias="c.")
        parent_scope = Scope(other, scope.rule, parent.base or self._mapping.base, alias="p.")
        keys = [
            (
                self._terms.text_of(join.child, child_scope),
                self._terms.text_of(join.parent, parent_scope),
            )
            for join in item.joins
        ]
        return relation.sql, other.sql, keys

    def _without_parent(
        self, entry: TriplesMap, item: ReferencingMap, join: tuple[str, str, list[tuple[str, str]]],
        scope: Scope,
    ) -> Select:  # fmt: skip
        """The check for rows of the child that a join finds no row of the parent for."""
        left, right, conditions = join
        rows = Lookup(left, right, tuple(conditions), has_match=False)
        values = " || ' ' || ".join(child for child, _ in conditions)
        check = self._broken_join(item, "true", values, scope.rule)
        return Select(
            f"{entry.name} ⋈ {item.parent}",
            rows.sql,
            record_column(scope.relation, "c."),
            Term("NULL"),
            (),
            (check,),
            item.origin,
            prefix_of(entry.subject, entry.base or self._mapping.base),
            lookup=rows,
        )

    def _broken_join(self, item: ReferencingMap, problem: str, value: str, rule: str) -> Check:
        """A record whose keys lead to no record of the parent."""
        references = [name for join in item.joins for name in join.child.references]
        return Check(
            "LP307",
            problem,
            value,
            references[0] if references else None,
            {"rule": rule, "parent": item.parent},
            origin=item.origin,
        )


class _SideTerms:
    """Collects what one side of a join has to give: keys and terms, each of which gets a column."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.keys: list[str] = []
        self.terms: dict[str, str] = {}
        self.columns: dict[str, None] = {}

    def key(self, sql: str, columns: Iterable[str]) -> None:
        """Adds a key to join by."""
        self.keys.append(sql)
        self.columns |= dict.fromkeys(columns)

    def term(self, term: Term) -> Term:
        """The same term, made of the column that holds it; a guarded one keeps its guard, for no
        check looks at the pairs.
        """
        if is_constant(term.sql):
            return term
        self.columns |= dict.fromkeys(term.columns)
        name = self.terms.setdefault(term.spelling.core, f'"t{len(self.terms)}"')
        joined = spelled(replace(term.spelling, core=f"{self.alias}.{name}"))
        return replace(joined, targets=term.targets)

    def side(self, source: str, record: str = "") -> Side:
        """The side over a relation."""
        keys = {f'"k{number}"': sql for number, sql in enumerate(self.keys)}
        columns = [
            f"{sql} AS {name}"
            for name, sql in (*keys.items(), *((name, sql) for sql, name in self.terms.items()))
        ]
        columns += [f'{record} AS "_record"'] if record else []
        sql = f"SELECT {', '.join(columns)} FROM {source} AS {self.alias}"
        return Side(self.alias, sql, tuple(keys), tuple(self.terms.values()), bool(record))


def _makes_more(entry: TriplesMap) -> bool:
    """Whether a triples map says something that needs no join."""
    return any(
        not (isinstance(item, ReferencingMap) and item.joins)
        for rule in entry.rules
        for item in rule.objects
    )
