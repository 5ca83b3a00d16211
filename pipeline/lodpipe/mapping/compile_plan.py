"""A mapping becomes a plan: one SELECT for each triples map, and one for each join that finds many rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Literal

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, Severity, set_of
from lodpipe.mapping.gather_sql import Compiled, GatherCompiler, rule_name
from lodpipe.mapping.gather_statements import GatherStatements, in_graph, is_named_blank, uses
from lodpipe.mapping.model import (
    Expression,
    Gather,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    ReferencingMap,
    TermMap,
    TriplesMap,
    all_maps,
    with_members,
)
from lodpipe.mapping.plan import (
    DEFAULT_GRAPH,
    Check,
    Join,
    Lookup,
    Parent,
    Part,
    Plan,
    Relation,
    Rule,
    Select,
    Side,
    Sources,
    Term,
    is_constant,
    numbered,
    quote,
    text,
)
from lodpipe.mapping.term_sql import (
    Scope,
    TermCompiler,
    prefix_of,
    spelled,
    unnested,
    unproven,
)
from lodpipe.rdf.datatypes import PATTERNS
from lodpipe.rdf.namespaces import Namespaces


def compile_mapping(
    document: MappingDocument,
    base: str,
    sources: Sources,
    patterns: Mapping[str, str],
    *,
    light: bool = False,
) -> Plan:
    """The plan of a mapping; a `light` one is quicker to plan and slower to run, for few records.

    `patterns` maps the IRIs of own datatypes to the pattern of their texts. Raises
    InvalidDeclaration (LP602) with all that is wrong: references to missing columns,
    constants that are not IRIs, datatypes that do not exist.
    """
    compiler = _Compiler(document, document.base or base, sources, {**PATTERNS, **patterns}, light)
    selects = [
        select for item in document.triples_maps.values() for select in compiler.triples_map(item)
    ]
    selects += compiler.collections()
    if compiler.findings:
        raise InvalidDeclaration(set_of(compiler.findings))
    return Plan(
        tuple(selects),
        tuple(compiler.rules),
        tuple(set_of([*document.findings, *compiler.warnings])),
    )


class _Compiler:
    def __init__(
        self,
        document: MappingDocument,
        base: str,
        sources: Sources,
        patterns: Mapping[str, str],
        light: bool,
    ) -> None:
        self.document, self.base, self.sources, self.light = document, base, sources, light
        self.rules: list[Rule] = []
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []
        self._terms = TermCompiler(
            Namespaces(document.prefixes), patterns, self.findings, light=light
        )
        known = Compiled(
            document.triples_maps, base, self._relation, self.wrong, sources.whole_relations
        )
        self._gather = GatherCompiler(self._terms, known)
        self._collections = GatherStatements(known)

    def wrong(self, origin: Origin, detail: str) -> None:
        self.findings.append(Finding("LP602", origin, {"detail": detail}))

    def triples_map(self, entry: TriplesMap) -> Iterator[Select]:
        """One SELECT for all that needs no list and finds one row at most by a join, and one for
        each object that does not.
        """
        relation, parents = self._widened(entry, self._relation(entry))
        relation = self._gather.widened(entry, relation)
        scope = Scope(relation, entry.name, entry.base or self.base)
        subject = self._terms.term(entry.subject, scope.at("s"))
        parts: dict[tuple[tuple[str, str], ...], list[Part]] = {}
        checks = [*subject.checks, *self._missing_key(entry, relation)]
        for rule in entry.rules:
            for item in rule.objects:
                number = self._rule(entry, rule, item)
                parent = parents.get(id(item))
                if isinstance(item, ReferencingMap) and item.joins and parent is None:
                    yield from self._join(entry, rule, item, number)
                    continue
                for part, lists, part_checks in self._parts(
                    entry, rule, item, number, scope, parent
                ):
                    parts.setdefault(tuple(dict.fromkeys([*subject.lists, *lists])), []).append(
                        part
                    )
                    checks += part_checks
        for lists, statements in parts.items():
            source = unnested(relation, lists)
            triples = _distinct(
                [
                    check
                    for check in checks
                    if (set(check.lists) <= set(lists) if lists else not check.lists)
                ]
            )
            key = _key(entry, relation, lists)
            yield Select(
                entry.name,
                source,
                _record(relation),
                subject,
                tuple(statements),
                triples,
                entry.origin,
                self._prefix(entry),
                key,
            )

        if not parts and entry.subject.gather:
            yield self._checked(entry, relation, (), checks)
        yield from self._gathering(entry, relation, scope)

    def _checked(
        self,
        entry: TriplesMap,
        relation: Relation,
        lists: tuple[tuple[str, str], ...],
        checks: list[Check],
    ) -> Select:
        """A SELECT for checks on values that make no statement of their own."""
        return Select(
            entry.name,
            unnested(relation, lists),
            _record(relation),
            Term("NULL"),
            (),
            _distinct(checks),
            entry.origin,
            self._prefix(entry),
        )

    def _gathering(self, entry: TriplesMap, relation: Relation, scope: Scope) -> Iterator[Select]:
        """The SELECTs of a triples map's lists and containers, and of the checks on their members."""
        nowhere = PredicateObject((), (), (), entry.origin)

        def graphs_of(rule: PredicateObject | None) -> list[Term]:
            return self._graphs(entry, rule or nowhere, scope)

        def rule_of(term: TermMap, gather: Gather) -> int:
            columns = tuple(name for item in gather.members for name in _references_of(item))
            self.rules.append(Rule(len(self.rules), rule_name(entry, gather), columns, term.origin))
            return len(self.rules) - 1

        used = uses(entry, graphs_of, rule_of)
        yield from self._collections.selects(entry, relation, used)
        for use in used:
            yield from self._member_checks(entry, relation, use.term, scope)

    def _member_checks(
        self, entry: TriplesMap, relation: Relation, gathering: TermMap, scope: Scope
    ) -> Iterator[Select]:
        """The checks on the values that make the head and the members of a gather map; members that
        are collections are checked for themselves.
        """
        scope = (
            replace(scope, rule=rule_name(entry, gathering.gather)) if gathering.gather else scope
        )
        checks: dict[tuple[tuple[str, str], ...], list[Check]] = {}
        for item in (replace(gathering, gather=None), *gathering.members):
            if isinstance(item, ReferencingMap):
                if item.joins and (parent := self.document.triples_maps.get(item.parent)):
                    yield self._without_parent(
                        entry, item, self._keys(item, relation, parent, scope), scope
                    )
            elif item.gather is None:
                for check in self._terms.term(item, scope.at("m")).checks:
                    checks.setdefault(check.lists, []).append(check)
        for lists, on_lists in checks.items():
            yield self._checked(entry, relation, lists, on_lists)

    def _keys(
        self, item: ReferencingMap, relation: Relation, parent: TriplesMap, scope: Scope
    ) -> tuple[str, str, list[tuple[str, str]]]:
        """The relations and the keys of a join whose keys are single values."""
        other = self._relation(parent)
        child_scope = replace(scope, alias="c.")
        parent_scope = Scope(other, scope.rule, parent.base or self.base, alias="p.")
        keys = [
            (
                self._terms.text_of(join.child, child_scope),
                self._terms.text_of(join.parent, parent_scope),
            )
            for join in item.joins
        ]
        return relation.sql, other.sql, keys

    def collections(self) -> Iterator[Select]:
        """The SELECTs of lists and containers that all triples maps may add to."""
        return self._collections.named()

    def _parts(
        self,
        entry: TriplesMap,
        rule: PredicateObject,
        item: TermMap | ReferencingMap,
        number: int,
        scope: Scope,
        parent: Parent | None,
    ) -> Iterator[tuple[Part, tuple[tuple[str, str], ...], tuple[Check, ...]]]:
        """The statements that an object takes part in, with the lists that they read and the checks
        on them.
        """
        own = replace(scope, rule=self.rules[number].name)
        term = (
            self._parent_subject(item, own, parent)
            if isinstance(item, ReferencingMap)
            else self._terms.term(item, own)
        )
        for predicate_map in rule.predicates:
            predicate = self._terms.term(predicate_map, own.at("p"))
            for graph in self._graphs(entry, rule, own):
                lists = (*predicate.lists, *term.lists, *graph.lists)
                value = in_graph(term, graph) if is_named_blank(item) else term
                yield (
                    (predicate, value, graph, number),
                    lists,
                    (*predicate.checks, *term.checks, *graph.checks),
                )

    def _widened(self, entry: TriplesMap, relation: Relation) -> tuple[Relation, dict[int, Parent]]:
        """The relation with the parents' columns of every join that finds one row at most; then no
        join is left to do for each statement.

        For few records the look whether keys are unique would cost more than it saves.
        """
        parents: dict[int, Parent] = {}
        if self.light:
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
            self.sources.join_parents(relation, list(parents.values())) if parents else relation
        ), parents

    def _only_parent(self, item: ReferencingMap, child: Relation, number: int) -> Parent | None:
        """The one row that a join finds, where both sides are plain columns and the parent's rows
        of a key are alike; else None.

        A subject without references would be there for a row without parent, too.
        """
        parent = self.document.triples_maps.get(item.parent)
        if parent is None or parent.subject.gather or not parent.subject.expression.references:
            return None
        relation = self._relation(parent)
        plain = all(
            len(side.parts) == 1 and side.references
            for join in item.joins
            for side in (join.child, join.parent)
        )
        wanted = parent.subject.expression.references
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
        reduced = self.sources.distinct_by_key(relation, [key for _, key in on], columns)
        return Parent(reduced, on, columns, f"parent {number + 1} ") if reduced else None

    def _relation(self, entry: TriplesMap) -> Relation:
        """The relation of a triples map's source with all columns that its terms and joins refer
        to.
        """
        relation = self.sources.relate(
            entry.source, self._references(entry.source), self._order(entry)
        )
        self.warnings += relation.findings
        for expression, origin in self._expressions(entry):
            for name in expression.references:
                self._check_column(name, relation, origin)
        for item in all_maps(entry):
            if (
                isinstance(item, ReferencingMap)
                and item.joins
                and item.parent in self.document.triples_maps
            ):
                self._check_keys(item, self.document.triples_maps[item.parent])
        return relation if relation.has_record else self._numbered(entry, relation)

    def _numbered(self, entry: TriplesMap, relation: Relation) -> Relation:
        """A relation without records, with numbers of its rows where blank nodes or lists need them."""
        parents = (
            self.document.triples_maps[item.parent].subject
            for item in all_maps(entry)
            if isinstance(item, ReferencingMap) and item.parent in self.document.triples_maps
        )
        terms = (term for item in (*all_maps(entry), *parents) for term in with_members(item))
        if not any(
            isinstance(term, TermMap) and (term.gather or not term.expression.parts)
            for term in terms
        ):
            return relation
        numbered = f"(SELECT *, row_number() OVER () AS {quote('_record')} FROM {relation.sql})"
        return replace(relation, sql=numbered)

    def _gathered(self, entry: TriplesMap) -> Relation:
        """The relation of a triples map with the collections that its terms name."""
        return self._gather.widened(entry, self._relation(entry))

    def _check_keys(self, item: ReferencingMap, parent: TriplesMap) -> None:
        """The parent's columns of a join."""
        relation = self.sources.relate(
            parent.source, self._references(parent.source), self._order(parent)
        )
        for name in (name for join in item.joins for name in join.parent.references):
            self._check_column(name, relation, item.origin)

    def _order(self, item: TriplesMap) -> str:
        """The order of a map's subjects as SQL over the columns of its file, where rows of one
        order are rows of the other.
        """
        relation = Relation("", None, names=numbered(self._references(item.source)))
        scope = Scope(relation, item.name, item.base or self.base, "s")
        return (
            self._terms.after_start(item.subject, scope, "iri_safe").sql
            if _key(item, relation, ())
            else ""
        )

    def _references(self, source: LogicalSource) -> tuple[str, ...]:
        """Every reference that any triples map makes to a source: in its own terms, or as the
        parent of a join.
        """
        return tuple(self._wanted.get(source, ()))

    @cached_property
    def _wanted(self) -> dict[LogicalSource, dict[str, None]]:
        """The references to each source, in the order of the mapping."""
        wanted: dict[LogicalSource, dict[str, None]] = {}
        maps = self.document.triples_maps
        for map_ in maps.values():
            own = wanted.setdefault(map_.source, {})
            own |= dict.fromkeys(
                name for expression, _ in self._expressions(map_) for name in expression.references
            )
            for item in all_maps(map_):
                if isinstance(item, ReferencingMap) and (parent := maps.get(item.parent)):
                    keys = wanted.setdefault(parent.source, {})
                    keys |= dict.fromkeys(
                        name for join in item.joins for name in join.parent.references
                    )
        return wanted

    def _expressions(self, entry: TriplesMap) -> Iterator[tuple[Expression, Origin]]:
        """Every expression that a triples map makes on its own source."""
        for item in all_maps(entry):
            if isinstance(item, TermMap):
                yield from _of_term(item)
                continue
            yield from ((join.child, item.origin) for join in item.joins)
            parent = self.document.triples_maps.get(item.parent)
            for term in with_members(parent.subject) if parent and not item.joins else ():
                if isinstance(term, TermMap):
                    yield from _of_term(term)

    def _join(
        self, entry: TriplesMap, rule: PredicateObject, item: ReferencingMap, number: int
    ) -> Iterator[Select]:
        parent = self.document.triples_maps.get(item.parent)
        if parent is None:
            self.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return
        child_relation, parent_relation = self._gathered(entry), self._gathered(parent)
        child = Scope(child_relation, self.rules[number].name, entry.base or self.base, alias="c.")
        other = Scope(parent_relation, parent.name, parent.base or self.base, alias="p.")
        subject, target = (
            self._terms.term(entry.subject, child.at("s")),
            self._terms.term(parent.subject, other.at("o")),
        )
        graphs = self._graphs(entry, rule, child)
        predicates = [self._terms.term(predicate, child.at("p")) for predicate in rule.predicates]
        child_lists = [
            *subject.lists,
            *(item_list for term in (*predicates, *graphs) for item_list in term.lists),
            *_lists(child.at("j"), item, "child"),
        ]
        parent_lists = [*target.lists, *_lists(other.at("j"), item, "parent")]
        left, right = (
            unnested(child_relation, tuple(dict.fromkeys(child_lists))),
            unnested(parent_relation, tuple(dict.fromkeys(parent_lists))),
        )
        conditions = [
            (
                self._terms.text_of(join.child, child.at("j")),
                self._terms.text_of(join.parent, other.at("j")),
            )
            for join in item.joins
        ]
        name, prefix, record = (
            f"{entry.name} ⋈ {parent.name}",
            self._prefix(entry),
            _record(child_relation, "c."),
        )
        children, parents = _SideTerms("c"), _SideTerms("p")
        for join, (a, b) in zip(item.joins, conditions, strict=True):
            children.key(a, child.at("j").columns(join.child.references))
            parents.key(b, other.at("j").columns(join.parent.references))
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

    def _repeats(self, source: str, side: _SideTerms) -> bool:
        """Whether equal rows of a side should become one before it is joined; for few records the
        look would cost more than it saves.
        """
        return self.light or self.sources.has_repeats(
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
            self._prefix(entry),
            _record(scope.relation, "c."),
        )

        # Subjects are checked with the map's other statements, where it has any; targets where the
        # parent makes its own.
        of_rows = (*predicates, *graphs) if _makes_more(entry) else (subject, *predicates, *graphs)
        if checks := _distinct([check for term in of_rows for check in term.checks]):
            rows = Lookup(left, right, tuple(conditions), has_match=True)
            yield Select(
                name, rows.sql, record, subject, (), checks, item.origin, prefix, lookup=rows
            )
        yield self._without_parent(entry, item, join, scope)

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
            _record(scope.relation, "c."),
            Term("NULL"),
            (),
            (check,),
            item.origin,
            self._prefix(entry),
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
        )

    def _parent_subject(self, item: ReferencingMap, scope: Scope, joined: Parent | None) -> Term:
        """A referencing map takes the parent's subject from the row that its join found, or without
        conditions from the same row (RML-Core).
        """
        parent = self.document.triples_maps.get(item.parent)
        if parent is None:
            self.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return Term("NULL")
        base = parent.base or self.base
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

    def _graphs(self, item: TriplesMap, rule: PredicateObject, scope: Scope) -> list[Term]:
        graphs = [
            self._terms.term(graph, scope.at("g"))
            for graph in dict.fromkeys((*item.graphs, *rule.graphs))
        ]
        default = text(f"<{DEFAULT_GRAPH}>")
        return [
            Term("''", targets=graph.targets) if graph.sql == default else graph for graph in graphs
        ] or [Term("''")]

    def _rule(
        self, entry: TriplesMap, rule: PredicateObject, item: TermMap | ReferencingMap
    ) -> int:
        predicate = rule.predicates[0].expression.constant if rule.predicates else None
        name = f"{entry.name}: {self._terms.short(predicate or '?')}"
        self.rules.append(Rule(len(self.rules), name, _references_of(item), item.origin))
        return len(self.rules) - 1

    def _missing_key(self, item: TriplesMap, relation: Relation) -> Iterator[Check]:
        """A record without a key that its subject is named by would vanish in silence."""
        for name in item.subject.expression.references:
            if name not in relation.many:
                yield Check(
                    "LP304",
                    f"{quote(relation.column(name))} IS NULL",
                    "''",
                    None,
                    {"key": name, "rule": item.name},
                )

    def _prefix(self, item: TriplesMap) -> str:
        """What the spelling of every subject of a triples map begins with."""
        return prefix_of(item.subject, item.base or self.base)

    def _check_column(self, name: str, relation: Relation, origin: Origin) -> None:
        if relation.columns is not None and name not in relation.columns:
            known = ", ".join(column for column in relation.columns if not column.startswith("_"))
            self.wrong(origin, f"the source has no column `{name}`; it has {known}")
        elif name in relation.absent:
            self.warnings.append(
                Finding(
                    "LP308",
                    origin,
                    {"key": name, "suggestion": relation.absent[name]},
                    Severity.WARNING,
                )
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


def _key(
    item: TriplesMap, relation: Relation, lists: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    """The column that alone decides the subject: one reference in an IRI template, for encoding it
    loses nothing.
    """
    references = item.subject.expression.references
    safe = (
        item.subject.term_type == "iri"
        and item.subject.gather is None
        and item.subject.expression.template
        and isinstance(item.subject.expression.parts[0], str)
    )
    return (
        (quote(relation.column(references[0])),)
        if safe and len(references) == 1 and not lists
        else ()
    )


def _references_of(item: TermMap | ReferencingMap) -> tuple[str, ...]:
    """The references whose values a map makes its terms of."""
    if isinstance(item, TermMap):
        return item.expression.references
    return tuple(name for join in item.joins for name in join.child.references)


def _of_term(term: TermMap) -> Iterator[tuple[Expression, Origin]]:
    """The expressions of a term map."""
    yield from (
        (expression, term.origin)
        for expression in (term.expression, term.datatype, term.language)
        if expression
    )


def _lists(
    scope: Scope, item: ReferencingMap, side: Literal["child", "parent"]
) -> list[tuple[str, str]]:
    """The lists that the join conditions of one side read."""
    expressions = [join.child if side == "child" else join.parent for join in item.joins]
    return [
        (name, scope.slot)
        for expression in expressions
        for name in expression.references
        if name in scope.relation.many
    ]


def _makes_more(entry: TriplesMap) -> bool:
    """Whether a triples map says something that needs no join."""
    return any(
        not (isinstance(item, ReferencingMap) and item.joins)
        for rule in entry.rules
        for item in rule.objects
    )


def _record(relation: Relation, alias: str = "") -> str:
    return f"{alias}{quote('_record')}" if relation.has_record else "CAST(NULL AS BIGINT)"


def _distinct(checks: list[Check]) -> tuple[Check, ...]:
    return tuple({(check.code, check.problem): check for check in reversed(checks)}.values())[::-1]
