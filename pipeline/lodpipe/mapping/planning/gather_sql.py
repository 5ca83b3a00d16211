"""Lists and containers of each record as SQL (RML-CC, https://w3id.org/rml/cc/spec).

A relation gets columns for each gather map: its collections of a record, and their heads, which are
then terms like any other. What the collections state is made of these columns by
gather_statements.py.

Example: a list of the values under `$.tags.*`, which the relation has in c0:

    SELECT *, "g0"[1].head AS "g0 head" FROM (
        SELECT *, list_transform("g0 lists", lambda m, i:
            {'head': '_:l' || md5('map/0 ' || CAST("_record" AS VARCHAR)), 'members': m}) AS "g0"
        FROM (SELECT *, [[…nt_quote("c0#e") for each value of c0…]] AS "g0 lists" FROM …))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from lodpipe.diagnostics.finding import Origin
from lodpipe.mapping.model import (
    Gather,
    ReferencingMap,
    TermMap,
    TriplesMap,
    all_maps,
)
from lodpipe.mapping.planning.plan import Relation, quote, text
from lodpipe.mapping.planning.scope import Scope
from lodpipe.mapping.planning.term_sql import TermCompiler

NIL = text("<http://www.w3.org/1999/02/22-rdf-syntax-ns#nil>")
_TEXTS = "VARCHAR[]"


class ElementScope(Scope, frozen=True):
    """A scope in which a reference that gives a list means one element of it: a variable of the
    lambda that runs over the list.
    """

    def column(self, name: str) -> str:
        """The column of a reference, or the variable with the element."""
        if name not in self.relation.many:
            return super().column(name)
        return quote(f"{self.relation.column(name)}#e")

    def type_column(self, name: str) -> str:
        """The same for its type."""
        if name not in self.relation.many:
            return super().type_column(name)
        column = self.relation.column(name)
        return f"{quote(f'{column} type')}[{quote(f'{column}#i')}]"


class Gathered(NamedTuple):
    """A gather map that a relation has columns for; its blank nodes are those of the triples map
    `owner`.
    """

    owner: TriplesMap
    term: TermMap


class Compiled(NamedTuple):
    """What is known of the mapping: its triples maps, the base IRI, the relation of a triples map,
    a way to note what is wrong, and whether SQL sees whole relations (plan.Sources).
    """

    maps: Mapping[str, TriplesMap]
    base: str
    relate: Callable[[TriplesMap], Relation]
    wrong: Callable[[Origin, str], None]
    whole_relations: bool


class GatherCompiler:
    """Makes the columns of gather maps."""

    def __init__(self, terms: TermCompiler, mapping: Compiled) -> None:
        self._terms, self._mapping = terms, mapping
        self._running: list[str] = []

    def widened(self, entry: TriplesMap, relation: Relation) -> Relation:
        """The relation of a triples map with the heads of all collections that its terms name."""
        return self._with_all(relation, self._gathered(entry, all_maps(entry)))

    def _with_subject(self, entry: TriplesMap) -> Relation:
        """The relation of a triples map with the heads of its subject alone, for joins."""
        relation = self._mapping.relate(entry)
        gathered = self._gathered(entry, [entry.subject])
        if not gathered:
            return relation
        if entry.name in self._running:
            self._mapping.wrong(entry.subject.origin, "a list cannot contain itself")
            names = {**relation.names, "": "_record"}
            return replace(relation, names=names, heads={item.term: "" for item in gathered})
        self._running.append(entry.name)
        relation = self._with_all(relation, gathered)
        self._running.pop()
        return relation

    def _with_all(self, relation: Relation, gathered: Sequence[Gathered]) -> Relation:
        for number, item in enumerate(gathered):
            relation = self._with_heads(relation, item, f"g{number}")
        return relation

    def _gathered(
        self, entry: TriplesMap, items: Iterable[TermMap | ReferencingMap]
    ) -> list[Gathered]:
        """The gather maps that some maps of a triples map need, each behind those of its members."""
        gathered: dict[TermMap, Gathered] = {}

        def visit(
            owner: TriplesMap, item: TermMap | ReferencingMap, above: tuple[str, ...]
        ) -> None:
            if isinstance(item, ReferencingMap):
                parent = self._mapping.maps.get(item.parent)
                if parent is None or item.joins or parent.name in above:
                    return
                owner, item, above = parent, parent.subject, (*above, parent.name)
            if item.gather is not None and item not in gathered:
                for member in item.members:
                    visit(owner, member, above)
                gathered[item] = Gathered(owner, item)

        for item in items:
            visit(entry, item, ())
        return list(gathered.values())

    def _with_heads(self, relation: Relation, item: Gathered, column: str) -> Relation:
        """A relation with the columns of one gather map: "g0 lists", the members of each of its
        collections, "g0", the collections with their heads, and "g0 head".
        """
        gather, term = item.term.gather, item.term
        assert gather is not None
        rule = rule_name(item.owner, gather)
        scope = ElementScope(relation, rule, item.owner.base or self._mapping.base)
        sql, members = relation.sql, []
        for number, member in enumerate(gather.members):
            if isinstance(member, ReferencingMap) and member.joins:
                name = quote(f"{column} member {number}")
                sql = self._joined(sql, name, member, scope)
                members.append(f"coalesce({name}, CAST([] AS {_TEXTS}))")
            else:
                members.append(self._values(member, scope))
        lists = _product(members) if gather.product else f"[{_append(members)}]"
        may_be_nil = gather.allow_empty and gather.kind == "List"
        if gather.allow_empty and gather.product:
            lists = f"CASE WHEN len({lists}) > 0 THEN {lists} ELSE [CAST([] AS {_TEXTS})] END"
        if term.expression.parts and gather.product:
            lists = f"[flatten({lists})]"
        sql = f"(SELECT *, {lists} AS {quote(f'{column} lists')} FROM {sql})"
        if term.expression.parts:
            named = self._terms.term(replace(term, gather=None), scope)
            many = bool(named.lists)
            if may_be_nil and not many:
                sql = _with_count(sql, column, named.sql)
            collections = self._named_collections(term, gather, scope, column, many=many)
        else:
            label = f"{item.owner.name}/{_number(item)} "
            collections = _unnamed_collections(gather, label, quote(f"{column} lists"))
            many = gather.product
        head = (
            f"list_transform({quote(column)}, lambda c: c.head)"
            if many
            else f"{quote(column)}[1].head"
        )
        sql = f"(SELECT *, {collections} AS {quote(column)} FROM {sql})"
        name = f"{column} head"
        kinds = f", CAST(NULL AS {_TEXTS}) AS {quote(f'{name} type')}" if many else ""
        sql = f"(SELECT *, {head} AS {quote(name)}{kinds} FROM {sql})"
        reference = f"⟨{name}⟩"
        return replace(
            relation,
            sql=sql,
            names={**relation.names, reference: name},
            heads={**relation.heads, term: reference},
            many=relation.many | ({reference} if many else set()),
        )

    def _named_collections(
        self, term: TermMap, gather: Gather, scope: ElementScope, column: str, *, many: bool
    ) -> str:
        """The collection of each head that a record names, all with the same members."""
        heads = f"list_distinct({self._values(replace(term, gather=None), scope)})"
        members = f"{quote(f'{column} lists')}[1]"
        head = "h"
        if gather.kind == "List" and gather.allow_empty:
            count = f"len({members})" if many else quote(f"{column} count")
            head = f"CASE WHEN {count} > 0 THEN h ELSE {NIL} END"
        collections = f"list_transform({heads}, lambda h: {{'head': {head}, 'members': {members}}})"
        return (
            collections
            if gather.allow_empty
            else f"CASE WHEN len({members}) > 0 THEN {collections} END"
        )

    def _values(self, item: TermMap | ReferencingMap, scope: Scope) -> str:
        """The terms that a map makes of a record, as a list; NULL is among them where it makes none."""
        if isinstance(item, ReferencingMap):
            parent = self._mapping.maps.get(item.parent)
            if parent is None:
                self._mapping.wrong(item.origin, f"there is no triples map `{item.parent}`")
                return f"CAST([] AS {_TEXTS})"
            scope = replace(scope, base=parent.base or self._mapping.base)
            return self._values(parent.subject, scope)
        if item.gather is not None and item not in scope.relation.heads:
            self._mapping.wrong(item.origin, "a list cannot contain itself")
            return f"CAST([] AS {_TEXTS})"
        term = self._terms.term(item, scope)
        if not term.lists:
            return f"CAST([{term.sql}] AS {_TEXTS})"
        sql = term.sql
        for depth, (name, slot, given) in enumerate(reversed(term.lists)):
            if given:  # what a function gives
                element, place, values = quote(f"{name}#{slot}"), quote(f"{name}#i"), given
            else:
                column = scope.relation.column(name)
                element, place, values = quote(f"{column}#e"), quote(f"{column}#i"), quote(column)
            values = f"coalesce({values}, CAST([] AS {_TEXTS}))"
            sql = f"list_transform({values}, lambda {element}, {place}: {sql})"
            sql = f"flatten({sql})" if depth else sql
        return sql

    # -- members that are found by joins -----------------------------------------------------------

    def _joined(self, sql: str, name: str, item: ReferencingMap, scope: Scope) -> str:
        """A relation with a column for the subjects that a join finds, in the order of their
        records.
        """
        parent = self._mapping.maps.get(item.parent)
        if parent is None:
            self._mapping.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return sql
        if not self._mapping.whole_relations:
            self._mapping.wrong(
                item.origin, "Spark cannot gather what a join finds; run without Spark"
            )
        relation = self._with_subject(parent)
        child = Scope(scope.relation, scope.rule, scope.base, alias="c.")
        other = Scope(relation, scope.rule, parent.base or self._mapping.base, alias="p.")
        target = self._terms.term(parent.subject, other)
        references = [
            *(name for join in item.joins for name in join.child.references if name in child.relation.many),
            *(name for join in item.joins for name in join.parent.references if name in relation.many),
        ]  # fmt: skip
        if references or target.lists:
            self._mapping.wrong(
                item.origin, "a join that is gathered needs single values on both sides"
            )
            return sql
        keys = [self._terms.text_of(join.parent, other) for join in item.joins]
        named = ", ".join(f"{key} AS k{number}" for number, key in enumerate(keys))
        listed = ", ".join(f"k{number}" for number in range(len(keys)))
        has_record = relation.has_record or relation.heads
        order = 'p."_record"' if has_record else "row_number() OVER ()"
        rows = f"SELECT {named}, {target.sql} AS term, {order} AS place FROM {relation.sql} AS p"
        lists = f"SELECT {listed}, list(term ORDER BY place) AS terms FROM ({rows}) WHERE term IS NOT NULL GROUP BY {listed}"
        on = " AND ".join(
            f"{self._terms.text_of(join.child, child)} = j.k{number}"
            for number, join in enumerate(item.joins)
        )
        return f"(SELECT c.*, j.terms AS {name} FROM {sql} AS c LEFT JOIN ({lists}) AS j ON {on})"


def collections_column(relation: Relation, term_map: TermMap) -> str:
    """The column with the collections of a gather map: structures of a head and its members."""
    return quote(relation.names[relation.heads[term_map]].removesuffix(" head"))


def rule_name(entry: TriplesMap, gather: Gather) -> str:
    """How messages call what a gather map states."""
    return f"{entry.name}: rdf:{gather.kind}"


def _number(item: Gathered) -> int:
    """The place of a gather map among those of its triples map."""
    own = dict.fromkeys(
        term for term in all_maps(item.owner) if isinstance(term, TermMap) and term.gather
    )
    return list(own).index(item.term)


def _unnamed_collections(gather: Gather, label: str, lists: str) -> str:
    """The collections of a record, with blank nodes of its own as heads."""
    head = f"'_:l' || md5({text(label)} || CAST({quote('_record')} AS VARCHAR))"
    if gather.product:
        head += " || 'c' || i"
    if gather.allow_empty and gather.kind == "List":
        head = f"CASE WHEN len(m) > 0 THEN {head} ELSE {NIL} END"
    if not gather.allow_empty:
        lists = f"list_filter({lists}, lambda m: len(m) > 0)"
    return f"list_transform({lists}, lambda m, i: {{'head': {head}, 'members': m}})"


def _with_count(sql: str, column: str, head: str) -> str:
    """A relation with the most members that a record has for the same head: 0 for an empty list, to
    which no other record adds any.
    """
    members = f"{quote(f'{column} lists')}[1]"
    count = f"max(len({members})) OVER (PARTITION BY {head}) AS {quote(f'{column} count')}"
    return f"(SELECT *, {count} FROM {sql})"


def _present(terms: str) -> str:
    """The terms of a list that are not NULL."""
    return f"list_filter({terms}, lambda t: t IS NOT NULL)"


def _append(members: Sequence[str]) -> str:
    """One list with the terms of all members (rml:append)."""
    return _present(f"flatten([{', '.join(members)}])" if len(members) > 1 else members[0])


def _product(members: Sequence[str]) -> str:
    """A list for each combination of the members' terms (rml:cartesianProduct); the last member's
    terms change first.
    """
    lists = f"[CAST([] AS {_TEXTS})]"
    for number, terms in enumerate(members):
        longer = f"lambda x{number}: list_append(a{number}, x{number})"
        each = f"lambda a{number}: list_transform({_present(terms)}, {longer})"
        lists = f"flatten(list_transform({lists}, {each}))"
    return lists
