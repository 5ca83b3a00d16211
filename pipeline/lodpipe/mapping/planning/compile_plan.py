"""A mapping becomes a plan: one SELECT for each triples map, and one for each join that finds many rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, set_of
from lodpipe.mapping.model import (
    Expression,
    Gather,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
    expressions,
)
from lodpipe.mapping.planning.gather_sql import Compiled, GatherCompiler, rule_name
from lodpipe.mapping.planning.gather_statements import (
    GatherStatements,
    in_graph,
    is_named_blank,
    uses,
)
from lodpipe.mapping.planning.join_sql import JoinCompiler
from lodpipe.mapping.planning.plan import (
    Check,
    ListUse,
    Parent,
    Part,
    Plan,
    Relation,
    Rule,
    Select,
    Sources,
    Term,
    distinct,
    quote,
)
from lodpipe.mapping.planning.scope import Scope
from lodpipe.mapping.planning.source_relations import SourceRelations, key_columns, record_column
from lodpipe.mapping.planning.term_sql import (
    TermCompiler,
    prefix_of,
    unnested,
)
from lodpipe.mapping.planning.views import located
from lodpipe.mapping.view_keys import place_of, slices
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
    if _has_calls(document):
        sources.define_functions()
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
        tuple(set_of([*document.findings, *compiler.relations.warnings])),
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
        self.document, self.base = document, base
        self.rules: list[Rule] = []
        self.findings: list[Finding] = []
        self._terms = TermCompiler(
            Namespaces(document.prefixes), patterns, self.findings, document.functions, light=light
        )
        self.relations = SourceRelations(
            document, base, sources, self._terms, self.wrong, light=light
        )
        known = Compiled(
            document.triples_maps, base, self.relations.whole, self.wrong, sources.whole_relations
        )
        self._gather = GatherCompiler(self._terms, known)
        self._collections = GatherStatements(known)
        self._joins = JoinCompiler(
            known, sources, self.relations, self._terms, self._gather, light=light
        )

    def wrong(self, origin: Origin, detail: str) -> None:
        self.findings.append(Finding("LP602", origin, {"detail": detail}))

    def triples_map(self, entry: TriplesMap) -> Iterator[Select]:
        """The SELECTs of a triples map; over a view, those of each set of fields that it needs."""
        for part in slices(entry, self.document.triples_maps):
            yield from self._triples_map(part)

    def _triples_map(self, entry: TriplesMap) -> Iterator[Select]:
        """One SELECT for all that needs no list and finds one row at most by a join, and one for
        each object that does not.
        """
        relation, parents = self._joins.widened(entry, self.relations.of(entry))
        relation = self._gather.widened(entry, relation)
        scope = Scope(relation, entry.name, entry.base or self.base)
        subject = self._terms.term(entry.subject, scope.at("s"))
        parts: dict[tuple[ListUse, ...], list[Part]] = {}
        checks = [
            *relation.checks,
            *subject.checks,
            *self._missing_key(entry, scope.at("s")),
        ]
        for rule in entry.rules:
            for item in rule.objects:
                number = self._rule(entry, rule, item)
                parent = parents.get(id(item))
                if isinstance(item, ReferencingMap) and item.joins and parent is None:
                    yield from self._joins.selects(
                        entry, rule, item, number, self.rules[number].name
                    )
                    continue
                for part, lists, part_checks in self._parts(
                    entry, rule, item, number, scope, parent
                ):
                    parts.setdefault(tuple(dict.fromkeys([*subject.lists, *lists])), []).append(
                        part
                    )
                    checks += part_checks
        checked: set[tuple[str, str]] = set()
        for lists, statements in sorted(parts.items(), key=lambda item: len(item[0])):
            source = unnested(relation, lists)
            # A value is checked once, in the rows that are multiplied least.
            triples = distinct(
                [
                    located(check, entry.source)
                    for check in checks
                    if set(check.lists) <= set(lists) and (check.code, check.problem) not in checked
                ]
            )
            checked.update((check.code, check.problem) for check in triples)
            key = key_columns(entry, relation, lists)
            yield Select(
                entry.name,
                source,
                record_column(relation),
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
        lists: tuple[ListUse, ...],
        checks: list[Check],
    ) -> Select:
        """A SELECT for checks on values that make no statement of their own."""
        return Select(
            entry.name,
            unnested(relation, lists),
            record_column(relation),
            Term("NULL"),
            (),
            distinct(checks),
            entry.origin,
            self._prefix(entry),
        )

    def _gathering(self, entry: TriplesMap, relation: Relation, scope: Scope) -> Iterator[Select]:
        """The SELECTs of a triples map's lists and containers, and of the checks on their members."""
        nowhere = PredicateObject((), (), (), entry.origin)

        def graphs_of(rule: PredicateObject | None) -> list[Term]:
            return self._terms.graphs(entry, rule or nowhere, scope)

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
        checks: dict[tuple[ListUse, ...], list[Check]] = {}
        for item in (replace(gathering, gather=None), *gathering.members):
            if isinstance(item, ReferencingMap):
                if item.joins and (parent := self.document.triples_maps.get(item.parent)):
                    yield self._joins.without_parent(entry, item, parent, relation, scope)
            elif item.gather is None:
                for check in self._terms.term(item, scope.at("m")).checks:
                    checks.setdefault(check.lists, []).append(check)
        for lists, on_lists in checks.items():
            yield self._checked(entry, relation, lists, on_lists)

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
    ) -> Iterator[tuple[Part, tuple[ListUse, ...], tuple[Check, ...]]]:
        """The statements that an object takes part in, with the lists that they read and the checks
        on them.
        """
        own = replace(scope, rule=self.rules[number].name)
        term = (
            self._joins.parent_subject(item, own, parent)
            if isinstance(item, ReferencingMap)
            else self._terms.term(item, own)
        )
        for predicate_map in rule.predicates:
            predicate = self._terms.term(predicate_map, own.at("p"))
            for graph in self._terms.graphs(entry, rule, own):
                lists = (*predicate.lists, *term.lists, *graph.lists)
                value = in_graph(term, graph) if is_named_blank(item) else term
                yield (
                    (predicate, value, graph, number),
                    lists,
                    (*predicate.checks, *term.checks, *graph.checks),
                )

    def _rule(
        self, entry: TriplesMap, rule: PredicateObject, item: TermMap | ReferencingMap
    ) -> int:
        predicate = rule.predicates[0].expression.constant if rule.predicates else None
        name = f"{entry.name}: {self._terms.short(predicate or '?')}"
        places = (place_of(entry.source, name) for name in _references_of(item))
        columns = tuple(place for place in places if place is not None)
        self.rules.append(Rule(len(self.rules), name, columns, item.origin))
        return len(self.rules) - 1

    def _missing_key(self, item: TriplesMap, scope: Scope) -> Iterator[Check]:
        """A record without a key that its subject is named by would vanish in silence; one for
        which a condition on the subject does not hold is meant to.
        """
        relation, condition = scope.relation, item.subject.condition
        wanted = ""
        if condition is not None:
            wanted = f"{self._terms.functions.condition(condition, scope)} AND "
        names = [part.name for part in item.subject.expression.parts if isinstance(part, Reference)]
        for name in names:
            if name not in relation.many and relation.expected.get(name) != "false":
                guard = f"{relation.expected[name]} AND " if name in relation.expected else ""
                yield Check(
                    "LP304",
                    f"{guard}{wanted}{quote(relation.column(name))} IS NULL",
                    "''",
                    None,
                    {"key": name, "rule": item.name},
                    origin=item.subject.origin,
                )

    def _prefix(self, item: TriplesMap) -> str:
        """What the spelling of every subject of a triples map begins with."""
        return prefix_of(item.subject, item.base or self.base)


def _has_calls(document: MappingDocument) -> bool:
    return any(
        expression.calls
        for item in document.triples_maps.values()
        for expression in (*expressions(item), *_parent_keys(item))
    )


def _parent_keys(item: TriplesMap) -> Iterator[Expression]:
    """The parents' sides of the joins of a triples map."""
    for rule in item.rules:
        for target in rule.objects:
            if isinstance(target, ReferencingMap):
                yield from (join.parent for join in target.joins)


def _references_of(item: TermMap | ReferencingMap) -> tuple[str, ...]:
    """The references whose values a map makes its terms of."""
    if isinstance(item, TermMap):
        return item.expression.references
    return tuple(name for join in item.joins for name in join.child.references)
