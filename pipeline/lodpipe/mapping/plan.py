"""A mapping becomes a relational plan: one fused SELECT for each triples map, all of the same
shape.

Each SELECT yields s, p, o, g (terms in N-Triples spelling, g empty for the default graph), record
and rule. The SQL keeps to what DuckDB and Spark share, plus scalar functions that the engine
defines: iri_safe, uri_safe, uri_encoded, nt_quote, is_iri, is_day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, InvalidDeclaration, Origin, Severity, set_of
from lodpipe.mapping.model import (
    Expression,
    LogicalSource,
    MappingDocument,
    PredicateObject,
    Reference,
    ReferencingMap,
    TermMap,
    TriplesMap,
)
from lodpipe.rdf.datatypes import DAYS, IRI, LANGUAGE_TAG, LAX, PATTERNS, SCHEME
from lodpipe.rdf.namespaces import XSD, Namespaces

STRING = XSD + "string"
ENCODE = "iri_safe("  # the call that makes a value part of an IRI


class Rule(Struct, frozen=True):
    """Where a statement came from in the mapping, and which columns made its object."""

    number: int
    name: str
    columns: tuple[str, ...]
    origin: Origin


class Form(NamedTuple):
    """A condition that texts of many columns have to meet: the SQL of a text, and the condition as
    SQL over a column `v` with such texts and `d` with their datatypes, where these differ.

    Example: Form('"c3"', "regexp_matches(v, '^(true|false|1|0)$')")
    """

    text: str
    valid: str
    datatype: str = "NULL"


class Check(Struct, frozen=True):
    """A condition on a source's rows that makes a value unusable, with the finding it leads to.

    `form` is the same condition in a form that checks of different columns share, where there is
    one: texts that are NULL pass it.
    """

    code: str
    problem: str
    value: str
    column: str | None
    params: Mapping[str, str]
    lists: tuple[tuple[str, str], ...] = ()
    form: Form | None = None


class Spelling(Struct, frozen=True):
    """What all terms of a term map begin and end with, and between them the SQL of what differs
    (NULL where there is no term).
    """

    start: str
    core: str
    end: str = ""

    @property
    def sql(self) -> str:
        """The whole as SQL."""
        return " || ".join(
            [
                *([text(self.start)] if self.start else []),
                self.core,
                *([text(self.end)] if self.end else []),
            ]
        )

    @property
    def tail(self) -> str:
        """SQL with the same order as the whole, and shorter."""
        return replace(self, start="").sql


class Term(Struct, frozen=True):
    """A term map as SQL: the term's spelling (NULL where there is none), and what else is known of
    it.

    `checks` select the values of which no term can be made, and `sound` is the spelling that does
    without them, for data that passed; `lists` are the lists that it reads, `columns` all the
    columns.
    """

    sql: str
    checks: tuple[Check, ...] = ()
    lists: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    sound: Spelling | None = None

    @property
    def spelling(self) -> Spelling:
        """The term in its parts; a guarded one is all core."""
        return self.sound if self.sound and self.sound.sql == self.sql else Spelling("", self.sql)


Part = tuple[Term, Term, Term, int]
"""Predicate, object and graph of a statement, and the number of the rule that makes it."""


class Side(Struct, frozen=True):
    """One side of a join as SQL: a relation with the columns `keys`, and a column for each term
    that it gives, as often as its rows make it.

    Example: the points of a shape, found by `shape_id`, whose subject is made of two columns:

        SELECT p."shape_id" AS "k0", iri_safe(p."shape_id") || '-' ||
        iri_safe(p."shape_pt_sequence") AS "t0" FROM "file 1" AS p
    """

    alias: str
    sql: str
    keys: tuple[str, ...]
    terms: tuple[str, ...]
    record: bool = False

    @property
    def needed(self) -> str:
        """A row without one of these columns makes no statement."""
        return " AND ".join(f"{name} IS NOT NULL" for name in self.keys)

    @property
    def plain(self) -> str:
        """The rows that can be joined, as they are."""
        return f"(SELECT * FROM ({self.sql}) WHERE {self.needed})"

    @property
    def distinct(self) -> str:
        """The rows that can be joined, each once, with the first of their records."""
        names = ", ".join((*self.keys, *self.terms))
        first = ', min("_record") AS "_record"' if self.record else ""
        return f"(SELECT {names}{first} FROM ({self.sql}) WHERE {self.needed} GROUP BY {names})"


class Join(Struct, frozen=True):
    """The child (`c`) and the parent (`p`) of a join, each reduced to the keys and to the terms
    that it gives.

    Keys that many rows of both sides have would make a pair of rows for each two of them, however
    few statements these are: a file that is joined with itself by a key of 2,000 rows makes 2,000
    pairs for each of its rows. Sides without equal rows make each pair of terms once for a key.
    Terms are made before the join, once for a row and not once for a pair.
    """

    child: Side
    parent: Side
    distinct_child: bool
    distinct_parent: bool

    @property
    def sql(self) -> str:
        """The pairs."""
        child = self.child.distinct if self.distinct_child else self.child.plain
        parent = self.parent.distinct if self.distinct_parent else self.parent.plain
        return f"{child} AS c JOIN {parent} AS p ON {self._matches}"

    @property
    def _matches(self) -> str:
        return " AND ".join(f"c.{key} = p.{key}" for key in self.child.keys)

    def counts_sql(self, parts: Sequence[Part]) -> str:
        """How many pairs of distinct terms make a statement of each part: for each key the terms of
        one side times those of the other.
        """
        keys = ", ".join(self.child.keys)
        conditions = [
            " AND ".join(["true", *(f"({term.sql}) IS NOT NULL" for term in (p, g))])
            for p, _, g, _ in parts
        ]
        counts = "".join(
            f", count(*) FILTER ({item}) AS n{number}" for number, item in enumerate(conditions)
        )
        child = f"(SELECT {keys}{counts} FROM {self.child.distinct} AS c GROUP BY {keys})"
        parent = f"(SELECT {keys}, count(*) AS n FROM {self.parent.distinct} AS p GROUP BY {keys})"
        sums = ", ".join(f"coalesce(sum(c.n{number} * p.n), 0)" for number in range(len(parts)))
        return f"SELECT {sums} FROM {child} AS c JOIN {parent} AS p ON {self._matches}"


class Lookup(Struct, frozen=True):
    """The rows of one relation (`c`) that have a row in another (`p`), or those that have none;
    `on` are pairs of SQL, the keys of both. Rows without a key are neither.
    """

    left: str
    right: str
    on: tuple[tuple[str, str], ...]
    has_match: bool

    @property
    def keyed(self) -> str:
        """The condition that a row has all its keys."""
        return " AND ".join(f"{child} IS NOT NULL" for child, _ in self.on)

    @property
    def sql(self) -> str:
        """The rows."""
        matches = " AND ".join(f"{child} = {parent}" for child, parent in self.on)
        exists = f"EXISTS (SELECT 1 FROM {self.right} AS p WHERE {matches})"
        negation = "" if self.has_match else "NOT "
        return f"(SELECT * FROM {self.left} AS c WHERE {self.keyed} AND {negation}{exists}) AS c"


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
        return _spelled(replace(term.spelling, core=f"{self.alias}.{name}"))

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


class Select(Struct, frozen=True):
    """The statements of one triples map (or one join of it): its source as SQL, the terms of a row,
    and the checks on its rows.

    Every subject begins with `prefix`, so that two SELECTs of which no prefix begins the other
    cannot make the same statement. Rows that differ in `key` differ in their subject; empty where
    that is not known. Without `parts` it is there for its checks alone. Where there is a `join` or
    a `lookup`, it is the source.
    """

    name: str
    source: str
    record: str
    subject: Term
    parts: tuple[Part, ...]
    checks: tuple[Check, ...]
    origin: Origin
    prefix: str
    key: tuple[str, ...] = ()
    join: Join | None = None
    lookup: Lookup | None = None

    @property
    def sql(self) -> str:
        """The SELECT that makes all statements of a row in one scan."""
        return _fused(self.source, self.subject.sql, self.record, self.parts)

    @property
    def counts_sql(self) -> str:
        """The SELECT that counts the statements of each part; a join counts each pair of a subject
        and an object once, and makes no pairs for it.
        """
        conditions = [
            " AND ".join(f"({term.sql}) IS NOT NULL" for term in (p, o, g))
            for p, o, g, _ in self.parts
        ]
        if self.join is None:
            counts = ", ".join(f"count(*) FILTER ({item})" for item in conditions)
            return f"SELECT {counts} FROM {self.source} WHERE ({self.subject.sql}) IS NOT NULL"
        return self.join.counts_sql(self.parts)

    def sound(self) -> Select:
        """The same for data that is known to pass the checks."""
        parts = tuple((_sound(p), _sound(o), _sound(g), rule) for p, o, g, rule in self.parts)
        return replace(self, subject=_sound(self.subject), parts=parts)


class Plan(Struct, frozen=True):
    """Every SELECT of a mapping, the rules that their `rule` column numbers, and what was found
    that does not stop it.
    """

    selects: tuple[Select, ...]
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def encoded(self) -> list[tuple[str, tuple[str, ...]]] | None:
        """The sources with the columns that become parts of IRIs; None where a join takes part,
        whose sides have columns of their own.
        """
        used: dict[str, dict[str, None]] = {}
        for select in self.selects:
            terms = [
                term
                for term in (select.subject, *(term for part in select.parts for term in part[:3]))
                if ENCODE in term.sql
            ]
            if select.join and ENCODE in select.source:
                return None
            used.setdefault(select.source, {}).update(
                dict.fromkeys(column for term in terms for column in term.columns if select.parts)
            )
        return [(source, tuple(columns)) for source, columns in used.items() if columns]

    def sound(self) -> Plan:
        """The same plan without the guards of its terms, for data that is known to pass the checks."""
        return replace(self, selects=tuple(select.sound() for select in self.selects))


def quote(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A SQL text literal.

    >>> text("l'été")
    "'l''été'"
    """
    return "'" + value.replace("'", "''") + "'"


class Relation(Struct, frozen=True):
    """A logical source as SQL: a column for each reference, holding its text.

    The columns are numbered (c0, c1 …), whatever the names in the source; `names` has the column of
    each reference. `columns` are the names that a reference may have (None: any). `many` are the
    references that give a list of texts. Where `typed`, each column has a second one, "c0 type",
    that says what the value is in its source (integer, double, boolean, string, array, object …),
    for the natural datatype and for the check of single values. `absent` are the references that no
    record follows, each with a suggestion, and `findings` what else is odd about the source.
    """

    sql: str
    columns: tuple[str, ...] | None
    has_record: bool = True
    typed: bool = False
    many: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def column(self, reference: str) -> str:
        """The column that holds a reference's values."""
        return self.names[reference]


def numbered(references: Iterable[str]) -> dict[str, str]:
    """A column for each reference; no name of a source, in any case, spelling or language, is a
    name to the engine.

    >>> numbered(["name", "Name", "rowid"])
    {'name': 'c0', 'Name': 'c1', 'rowid': 'c2'}
    """
    return {reference: f"c{number}" for number, reference in enumerate(references)}


def relation_columns(relation: Relation) -> list[str]:
    """The columns of a relation's references, with their types beside them where it has any."""
    suffixes = ("", " type") if relation.typed else ("",)
    return [quote(name + suffix) for name in relation.names.values() for suffix in suffixes]


class Parent(Struct, frozen=True):
    """The row that a join finds in another relation: `on` are pairs of columns (child, parent),
    `columns` those that are taken over.

    All are columns, not references; each is called by its name behind `prefix`, and has its type
    beside it where the relation is typed.
    """

    relation: Relation
    on: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    prefix: str


class Sources(Protocol):
    """What a plan is made over: an engine that holds the logical sources."""

    def relate(
        self, source: LogicalSource, references: tuple[str, ...], order: str = ""
    ) -> Relation:
        """The relation of a logical source for the references that are made to it; `order` is one
        that its rows would best be in.
        """

    def distinct_by_key(
        self, relation: Relation, keys: Sequence[str], columns: Sequence[str]
    ) -> Relation | None:
        """A relation with these columns in which no two rows have the same texts as keys; None
        where equal keys have different rows.
        """

    def has_repeats(self, relation: str, columns: Sequence[str]) -> bool:
        """Whether most rows of a relation are equal to others in these columns."""

    def join_parents(self, relation: Relation, parents: Sequence[Parent]) -> Relation:
        """A relation with the columns of its rows' parents, NULL where there is none."""


DEFAULT_GRAPH = "http://w3id.org/rml/defaultGraph"
NATURAL = {"integer": XSD + "integer", "double": XSD + "double", "boolean": XSD + "boolean", "date": XSD + "date",
           "time": XSD + "time", "dateTime": XSD + "dateTime", "hexBinary": XSD + "hexBinary", "decimal": XSD + "decimal"}  # fmt: skip


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
    selects = tuple(
        select for item in document.triples_maps.values() for select in compiler.triples_map(item)
    )
    if compiler.findings:
        raise InvalidDeclaration(compiler.findings)
    return Plan(
        selects, tuple(compiler.rules), tuple(set_of([*document.findings, *compiler.warnings]))
    )


class _Scope(Struct, frozen=True):
    """Where a term map's references are found: a relation, the alias it has in a join, and the
    term's place in the statement.
    """

    relation: Relation
    rule: str
    base: str
    slot: str = "o"
    alias: str = ""
    prefix: str = ""

    def column(self, name: str) -> str:
        """The column with a reference's text; a list is read from the column that unnests it for
        this place.
        """
        column = self.prefix + self.relation.column(name)
        return self.alias + quote(f"{column}#{self.slot}" if name in self.relation.many else column)

    def type_column(self, name: str) -> str:
        column = f"{self.prefix}{self.relation.column(name)} type"
        return self.alias + quote(f"{column}#{self.slot}" if name in self.relation.many else column)

    def columns(self, names: Iterable[str]) -> tuple[str, ...]:
        """The columns of several references, with their types where the relation has them."""
        columns = [self.column(name) for name in names]
        return tuple(
            dict.fromkeys(
                [*columns, *(self.type_column(name) for name in names)]
                if self.relation.typed
                else columns
            )
        )

    def at(self, slot: str) -> _Scope:
        return replace(self, slot=slot)


class _Compiler:
    def __init__(
        self,
        document: MappingDocument,
        base: str,
        sources: Sources,
        patterns: Mapping[str, str],
        light: bool,
    ) -> None:
        self.document, self.base, self.sources, self.patterns, self.light = (
            document,
            base,
            sources,
            patterns,
            light,
        )
        self._namespaces = Namespaces(document.prefixes)
        self.rules: list[Rule] = []
        self.findings: list[Finding] = []
        self.warnings: list[Finding] = []

    def wrong(self, origin: Origin, detail: str) -> None:
        self.findings.append(Finding("LP602", origin, {"detail": detail}))

    # -- statements --------------------------------------------------------------------------------

    def triples_map(self, entry: TriplesMap) -> Iterator[Select]:
        """One SELECT for all that needs no list and finds one row at most by a join, and one for
        each object that does not.
        """
        relation, parents = self._widened(entry, self._relation(entry))
        scope = _Scope(relation, entry.name, entry.base or self.base)
        subject = self.term(entry.subject, scope.at("s"))
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
            source = _unnested(relation, lists)
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

    def _parts(
        self,
        entry: TriplesMap,
        rule: PredicateObject,
        item: TermMap | ReferencingMap,
        number: int,
        scope: _Scope,
        parent: Parent | None,
    ) -> Iterator[tuple[Part, tuple[tuple[str, str], ...], tuple[Check, ...]]]:
        """The statements that an object takes part in, with the lists that they read and the checks
        on them.
        """
        own = replace(scope, rule=self.rules[number].name)
        term = (
            self._parent_subject(item, own, parent)
            if isinstance(item, ReferencingMap)
            else self.term(item, own)
        )
        for predicate_map in rule.predicates:
            predicate = self.term(predicate_map, own.at("p"))
            for graph in self._graphs(entry, rule, own):
                lists = (*predicate.lists, *term.lists, *graph.lists)
                yield (
                    (predicate, term, graph, number),
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
        if parent is None or not parent.subject.expression.references:
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
        for rule in entry.rules:
            for item in rule.objects:
                if (
                    isinstance(item, ReferencingMap)
                    and item.joins
                    and item.parent in self.document.triples_maps
                ):
                    self._check_keys(item, self.document.triples_maps[item.parent])
        return relation

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
        scope = _Scope(relation, item.name, item.base or self.base, "s")
        return (
            self._after_start(item.subject, scope, "iri_safe").sql
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
            for rule in map_.rules:
                for item in rule.objects:
                    if isinstance(item, ReferencingMap) and (parent := maps.get(item.parent)):
                        keys = wanted.setdefault(parent.source, {})
                        keys |= dict.fromkeys(
                            name for join in item.joins for name in join.parent.references
                        )
        return wanted

    def _expressions(self, entry: TriplesMap) -> Iterator[tuple[Expression, Origin]]:
        """Every expression that a triples map makes on its own source."""
        terms: list[TermMap] = [entry.subject, *entry.graphs]
        for rule in entry.rules:
            terms += [*rule.predicates, *rule.graphs]
            for item in rule.objects:
                if isinstance(item, TermMap):
                    terms.append(item)
                else:
                    yield from ((join.child, item.origin) for join in item.joins)
                    parent = self.document.triples_maps.get(item.parent)
                    if not item.joins and parent is not None:
                        yield parent.subject.expression, item.origin
        for term in terms:
            yield from (
                (expression, term.origin)
                for expression in (term.expression, term.datatype, term.language)
                if expression
            )

    def _join(
        self, entry: TriplesMap, rule: PredicateObject, item: ReferencingMap, number: int
    ) -> Iterator[Select]:
        parent = self.document.triples_maps.get(item.parent)
        if parent is None:
            self.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return
        child_relation, parent_relation = self._relation(entry), self._relation(parent)
        child = _Scope(child_relation, self.rules[number].name, entry.base or self.base, alias="c.")
        other = _Scope(parent_relation, parent.name, parent.base or self.base, alias="p.")
        subject, target = (
            self.term(entry.subject, child.at("s")),
            self.term(parent.subject, other.at("o")),
        )
        graphs = self._graphs(entry, rule, child)
        predicates = [self.term(predicate, child.at("p")) for predicate in rule.predicates]
        child_lists = [
            *subject.lists,
            *(item_list for term in (*predicates, *graphs) for item_list in term.lists),
            *_lists(child.at("j"), item, "child"),
        ]
        parent_lists = [*target.lists, *_lists(other.at("j"), item, "parent")]
        left, right = (
            _unnested(child_relation, tuple(dict.fromkeys(child_lists))),
            _unnested(parent_relation, tuple(dict.fromkeys(parent_lists))),
        )
        conditions = [
            (self._text(join.child, child.at("j")), self._text(join.parent, other.at("j")))
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
        scope: _Scope,
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

        def checked(has_match: bool, checks: tuple[Check, ...]) -> Select:
            rows = Lookup(left, right, tuple(conditions), has_match)
            return Select(
                name, rows.sql, record, subject, (), checks, item.origin, prefix, lookup=rows
            )

        # Subjects are checked with the map's other statements, where it has any; targets where the
        # parent makes its own.
        of_rows = (*predicates, *graphs) if _makes_more(entry) else (subject, *predicates, *graphs)
        if checks := _distinct([check for term in of_rows for check in term.checks]):
            yield checked(True, checks)
        broken = self._broken_join(
            item, "true", " || ' ' || ".join(a for a, _ in conditions), scope.rule
        )
        yield checked(False, (broken,))

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

    def _parent_subject(self, item: ReferencingMap, scope: _Scope, joined: Parent | None) -> Term:
        """A referencing map takes the parent's subject from the row that its join found, or without
        conditions from the same row (RML-Core).
        """
        parent = self.document.triples_maps.get(item.parent)
        if parent is None:
            self.wrong(item.origin, f"there is no triples map `{item.parent}`")
            return Term("NULL")
        base = parent.base or self.base
        if joined is None:
            return self.term(parent.subject, replace(scope, base=base))
        # The parent's own values are checked where it makes its statements; here they would be
        # reported once for each child.
        term = replace(
            _unproven(
                self.term(
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

    def _graphs(self, item: TriplesMap, rule: PredicateObject, scope: _Scope) -> list[Term]:
        graphs = [
            self.term(graph, scope.at("g")) for graph in dict.fromkeys((*item.graphs, *rule.graphs))
        ]
        default = text(f"<{DEFAULT_GRAPH}>")
        return [Term("''") if graph.sql == default else graph for graph in graphs] or [Term("''")]

    def _rule(
        self, entry: TriplesMap, rule: PredicateObject, item: TermMap | ReferencingMap
    ) -> int:
        predicate = rule.predicates[0].expression.constant if rule.predicates else None
        name = f"{entry.name}: {self._short(predicate or '?')}"
        columns = (
            item.expression.references
            if isinstance(item, TermMap)
            else tuple(name for join in item.joins for name in join.child.references)
        )
        self.rules.append(Rule(len(self.rules), name, columns, item.origin))
        return len(self.rules) - 1

    def _short(self, iri: str) -> str:
        return self._namespaces.curie(iri, is_local=lambda _: True) or iri

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
        expression = item.subject.expression
        if item.subject.term_type == "blank":
            return "_:"
        first = expression.parts[0] if expression.parts else ""
        if not isinstance(first, str):
            return "<"
        base = item.base or self.base
        end = ">" if expression.constant is not None else ""
        return "<" + (first if re.match(SCHEME, first) else base + first) + end

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

    # -- terms -------------------------------------------------------------------------------------

    def term(self, term_map: TermMap, scope: _Scope) -> Term:
        """The SQL that spells a term map's term in N-Triples."""
        if term_map.term_type == "literal":
            term = self._literal(term_map, scope)
        elif term_map.term_type == "blank":
            term = self._blank(term_map, scope)
        else:
            term = self._iri(term_map, scope)
        references = [
            name
            for part in (term_map.expression, term_map.datatype, term_map.language)
            if part
            for name in part.references
        ]
        lists = tuple(
            dict.fromkeys((name, scope.slot) for name in references if name in scope.relation.many)
        )
        checks = tuple(
            replace(check, lists=lists)
            for check in (*term.checks, *self._single_values(references, scope))
        )
        columns = scope.columns(references) or (
            (f"{scope.alias}{quote('_record')}",) if "_record" in term.sql else ()
        )
        return replace(term, checks=checks, lists=lists, columns=columns)

    def _single_values(self, references: list[str], scope: _Scope) -> Iterator[Check]:
        """A reference that gives an array or an object makes no term (RML-Core, reference
        formulations).
        """
        if scope.relation.typed:
            for name in dict.fromkeys(references):
                kind = scope.type_column(name)
                params = {"rule": scope.rule, "key": name}
                yield Check(
                    "LP305",
                    f"{kind} IN ('array', 'object')",
                    f"coalesce({scope.column(name)}, {kind})",
                    name,
                    params,
                )

    def _text(self, expression: Expression, scope: _Scope, encode: str | None = None) -> str:
        """Text and columns joined; NULL where a column is NULL, as RML has it for templates with a
        missing value.
        """
        parts = []
        for part in expression.parts:
            if isinstance(part, Reference):
                column = scope.column(part.name)
                parts.append(f"{encode}({column})" if encode else column)
            else:
                parts.append(text(part))
        return (parts[0] if len(parts) == 1 else "(" + " || ".join(parts) + ")") if parts else "''"

    def _blank(self, term_map: TermMap, scope: _Scope) -> Term:
        """A blank node's label is a hash of its text, so equal texts are the same node; without a
        text, of the record.
        """
        if not term_map.expression.parts:
            record = f"{scope.alias}{quote('_record')}"
            return Term(
                f"'_:r' || md5({text(scope.rule.split(':')[0])} || CAST({record} AS VARCHAR))"
            )
        return Term(f"'_:b' || md5({self._text(term_map.expression, scope)})")

    def _iri(self, term_map: TermMap, scope: _Scope) -> Term:
        constant = term_map.expression.constant
        if constant is not None:
            return Term(text(f"<{self._absolute(constant, term_map.origin, scope.base)}>"))
        if term_map.term_type in ("unsafe-iri", "unsafe-uri"):
            return _spelled(
                Spelling(
                    "<",
                    f"iri_escaped({self._resolved(self._text(term_map.expression, scope), scope)})",
                    ">",
                )
            )
        if term_map.expression.template:
            return self._template_iri(term_map, scope)
        value = self._text(term_map.expression, scope)
        if term_map.term_type == "uri":
            value = f"uri_encoded({value})"
        return self._checked_iri(self._resolved(value, scope), value, term_map, scope)

    def _checked_iri(self, whole: str, value: str, term_map: TermMap, scope: _Scope) -> Term:
        """An IRI where it is valid as a whole: a value may be wrong only behind its base, as a
        second fragment is.
        """
        check = Check(
            "LP301",
            f"NOT is_iri({whole})",
            value,
            term_map.expression.references[0],
            {"rule": scope.rule},
            form=Form(whole, "is_iri(v)"),
        )
        return _guarded(f"is_iri({whole})", Spelling("<", whole, ">"), check)

    def _resolved(self, value: str, scope: _Scope) -> str:
        """A text with a scheme as it is, any other behind the base IRI (RML-Core, relative IRIs are
        appended); the most usual one is seen at once.
        """
        absolute = f"starts_with({value}, 'https://') OR regexp_matches({value}, {text(SCHEME)})"
        return f"CASE WHEN {absolute} THEN {value} ELSE {text(scope.base)} || {value} END"

    def _template_iri(self, term_map: TermMap, scope: _Scope) -> Term:
        """References are percent-encoded (RML-Core, IRI-safe values), so only the constant parts
        can be wrong, and a port.
        """
        encode = "uri_safe" if term_map.term_type == "uri" else "iri_safe"
        first = term_map.expression.parts[0]
        if isinstance(first, Reference):
            whole = self._resolved(self._text(term_map.expression, scope, encode), scope)
            rest = [scope.base, *term_map.expression.parts]
            has_colon = any(
                isinstance(part, str) and ":" in part for part in term_map.expression.parts
            )
            if has_colon or not all(self._is_iri_with(rest, value) for value in ("1", "x")):
                return self._checked_iri(whole, whole, term_map, scope)
            return _spelled(Spelling("<", whole, ">"))
        start = first if re.match(SCHEME, first) else scope.base + first
        parts = (start, *term_map.expression.parts[1:])
        if not self._is_iri_with(parts, "1"):
            wrong = next(
                (
                    part
                    for part in parts
                    if isinstance(part, str) and not re.fullmatch(IRI, f"x:{part}")
                ),
                start,
            )
            self.wrong(term_map.origin, f"`{wrong}` cannot be part of an IRI")
        elif not self._is_iri_with(parts, "x"):
            whole = self._text(Expression(parts, True), scope, encode)
            return self._checked_iri(whole, whole, term_map, scope)
        return _spelled(replace(self._after_start(term_map, scope, encode), start=f"<{start}"))

    @staticmethod
    def _is_iri_with(parts: Sequence[str | Reference], value: str) -> bool:
        """Whether a template makes a valid IRI of a value that needs no encoding."""
        return bool(
            re.fullmatch(IRI, "".join(part if isinstance(part, str) else value for part in parts))
        )

    def _after_start(self, term_map: TermMap, scope: _Scope, encode: str) -> Spelling:
        """What follows the constant text that a template of IRIs begins with."""
        parts = term_map.expression.parts
        last = parts[-1] if len(parts) > 1 and isinstance(parts[-1], str) else ""
        return Spelling(
            "",
            self._text(Expression(parts[1 : -1 if last else None], True), scope, encode),
            f"{last}>",
        )

    def _absolute(self, iri: str, origin: Origin, base: str) -> str:
        full = iri if re.match(SCHEME, iri) else base + iri
        if not re.fullmatch(IRI, full):
            self.wrong(origin, f"`{iri}` is not a valid IRI")
        return full

    def _literal(self, term_map: TermMap, scope: _Scope) -> Term:
        value = self._text(term_map.expression, scope)
        quoted = f"nt_quote({value})"
        if term_map.language is not None:
            return self._tagged(term_map, term_map.language, quoted, value, scope)
        if term_map.datatype is not None:
            return self._typed(term_map, term_map.datatype, quoted, value, scope)
        if (
            scope.relation.typed
            and term_map.expression.references
            and not term_map.expression.template
        ):
            return Term(self._natural(term_map.expression.references[0], quoted, value, scope))
        return Term(quoted)

    def _natural(self, reference: str, quoted: str, value: str, scope: _Scope) -> str:
        """The datatype that the source's own type has in RDF (RML-Core and R2RML, natural mapping)."""
        cases = " ".join(
            f"WHEN '{kind}' THEN '\"' || {value} || {text(chr(34) + '^^<' + iri + '>')}"
            for kind, iri in NATURAL.items()
        )
        return f"CASE {scope.type_column(reference)} {cases} WHEN 'array' THEN NULL WHEN 'object' THEN NULL ELSE {quoted} END"

    def _tagged(
        self, term_map: TermMap, language: Expression, quoted: str, value: str, scope: _Scope
    ) -> Term:
        tag = language.constant
        if tag is not None:
            if not re.fullmatch(LANGUAGE_TAG, tag):
                self.wrong(term_map.origin, f"`{tag}` is not a language tag")
            return _spelled(Spelling("", quoted, "@" + tag))
        tag_sql = self._text(language, scope)
        valid = f"regexp_matches({tag_sql}, {text(LANGUAGE_TAG)})"
        check = Check(
            "LP303",
            f"{value} IS NOT NULL AND NOT {valid}",
            tag_sql,
            language.references[0],
            {"rule": scope.rule},
            form=Form(
                f"CASE WHEN {value} IS NOT NULL THEN {tag_sql} END",
                f"regexp_matches(v, {text(LANGUAGE_TAG)})",
            ),
        )
        return _guarded(valid, Spelling("", f"{quoted} || '@' || {tag_sql}"), check)

    def _typed(
        self, term_map: TermMap, datatype: Expression, quoted: str, value: str, scope: _Scope
    ) -> Term:
        constant = datatype.constant
        if constant is None:
            return self._typed_by_record(term_map, datatype, quoted, value, scope)
        full = self._absolute(constant, term_map.origin, scope.base)
        if full == STRING:
            return Term(quoted)
        # What an XSD pattern lets through has nothing to escape.
        typed = (
            Spelling('"', value, f'"^^<{full}>')
            if full in PATTERNS
            else Spelling("", quoted, f"^^<{full}>")
        )
        pattern = self.patterns.get(full)
        if pattern is None:
            if full.startswith(XSD) and full not in LAX:
                self.wrong(term_map.origin, f"there is no datatype {full}")
            return _spelled(typed)
        valid, valid_of_form = (
            f"regexp_matches({name}, {text(pattern)})"
            + (f" AND is_day({name})" if full in DAYS else "")
            for name in (value, "v")
        )
        column = term_map.expression.references[0] if term_map.expression.references else None
        check = Check(
            "LP302",
            f"{value} IS NOT NULL AND NOT ({valid})",
            value,
            column,
            {"rule": scope.rule, "datatype": self._short(full)},
            form=Form(value, valid_of_form),
        )
        return _guarded(valid, typed, check)

    def _typed_by_record(
        self, term_map: TermMap, datatype: Expression, quoted: str, value: str, scope: _Scope
    ) -> Term:
        """A datatype that the record names; what is checked is every datatype whose IRI can begin
        like this one's.
        """
        iri = self._iri(TermMap(datatype, "iri", term_map.origin), scope)
        valid = (
            self._lexical_looked_up(iri.sql, value)
            if self.light
            else self._lexical_by_case(datatype, iri.sql, value)
        )
        params = {"rule": scope.rule, "datatype": "datatype of its record"}
        problem = f"{value} IS NOT NULL AND {iri.sql} IS NOT NULL AND NOT ({valid})"
        check = Check(
            "LP302",
            problem,
            value,
            term_map.expression.references[0] if term_map.expression.references else None,
            params,
            form=Form(value, self._lexical_looked_up("d", "v"), iri.sql) if self.light else None,
        )
        end = f"CASE WHEN {iri.sql} <> {text(f'<{STRING}>')} THEN '^^' || {iri.sql} ELSE '' END"
        return _guarded(valid, Spelling("", f"{quoted} || {end}"), *iri.checks, check)

    def _lexical_looked_up(self, iri: str, value: str) -> str:
        """Whether a text is valid, by a pattern that is looked up for each row in the engine's
        variable `patterns`.
        """
        days = ", ".join(text(f"<{name}>") for name in sorted(DAYS))
        pattern = f"coalesce(getvariable('patterns')[{iri}], CASE WHEN starts_with({iri}, {text('<' + XSD)}) THEN 'a^' ELSE '' END)"
        return f"regexp_matches({value}, {pattern}) AND ({iri} NOT IN ({days}) OR is_day({value}))"

    def _lexical_by_case(self, datatype: Expression, iri: str, value: str) -> str:
        """Whether a text is valid, with a case for each datatype, so that every pattern is compiled
        once.
        """
        start = str(datatype.parts[0]) if datatype.template else ""
        arms = "".join(
            f" WHEN {text('<' + name + '>')} THEN regexp_matches({value}, {text(pattern)})"
            + (f" AND is_day({value})" if name in DAYS else "")
            for name, pattern in self.patterns.items()
            if name.startswith(start)
        )
        lax = ", ".join(text(f"<{name}>") for name in sorted(LAX))
        unknown = f"NOT starts_with({iri}, {text('<' + XSD)}) OR {iri} IN ({lax})"
        return f"CASE {iri}{arms} ELSE {unknown} END" if arms else unknown


def _key(
    item: TriplesMap, relation: Relation, lists: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    """The column that alone decides the subject: one reference in an IRI template, for encoding it
    loses nothing.
    """
    references = item.subject.expression.references
    safe = (
        item.subject.term_type == "iri"
        and item.subject.expression.template
        and isinstance(item.subject.expression.parts[0], str)
    )
    return (
        (quote(relation.column(references[0])),)
        if safe and len(references) == 1 and not lists
        else ()
    )


_CONSTANT = re.compile(r"'(?:[^']|'')*'")


def _lists(
    scope: _Scope, item: ReferencingMap, side: Literal["child", "parent"]
) -> list[tuple[str, str]]:
    """The lists that the join conditions of one side read."""
    expressions = [join.child if side == "child" else join.parent for join in item.joins]
    return [
        (name, scope.slot)
        for expression in expressions
        for name in expression.references
        if name in scope.relation.many
    ]


def _unnested(relation: Relation, lists: tuple[tuple[str, str], ...]) -> str:
    """The relation with a row for each combination of the values in its lists."""
    sql = relation.sql
    for name, slot in lists:
        column = relation.column(name)
        types = (
            f", unnest({quote(column + ' type')}) AS {quote(f'{column} type#{slot}')}"
            if relation.typed
            else ""
        )
        sql = (
            f"(SELECT *, unnest({quote(column)}) AS {quote(f'{column}#{slot}')}{types} FROM {sql})"
        )
    return sql


def is_constant(sql: str) -> bool:
    """Whether a term is the same for every row."""
    return bool(_CONSTANT.fullmatch(sql))


def _makes_more(entry: TriplesMap) -> bool:
    """Whether a triples map says something that needs no join."""
    return any(
        not (isinstance(item, ReferencingMap) and item.joins)
        for rule in entry.rules
        for item in rule.objects
    )


def _spelled(spelling: Spelling) -> Term:
    return Term(spelling.sql, sound=spelling)


def _guarded(valid: str, spelling: Spelling, *checks: Check) -> Term:
    """A term that exists where its value is valid."""
    return Term(f"CASE WHEN {valid} THEN {spelling.sql} END", checks, sound=spelling)


def _unproven(term: Term) -> Term:
    """A term of values that no check of this SELECT looks at: it keeps its guard."""
    return term if term.spelling is term.sound else replace(term, sound=None)


def _sound(term: Term) -> Term:
    return replace(term, sql=term.sound.sql) if term.sound else term


def _record(relation: Relation, alias: str = "") -> str:
    return f"{alias}{quote('_record')}" if relation.has_record else "CAST(NULL AS BIGINT)"


def _fused(source: str, subject: str, record: str, parts: Sequence[Part]) -> str:
    """One scan of the source that makes all statements of a row at once; each distinct term is made
    once a row.
    """
    names: dict[str, str] = {}

    def column(sql: str) -> str:
        """A constant as it is, any other term as the column that holds it."""
        return sql if is_constant(sql) else names.setdefault(sql, f"t{len(names)}")

    def listed(values: Iterable[str]) -> str:
        """A value for each statement; one that all have is written once, which the planner thanks
        for.
        """
        values = list(values)
        return (
            values[0]
            if len(set(values)) == 1 and len(values) > 1
            else f"unnest([{', '.join(values)}])"
        )

    predicates = listed(column(predicate.sql) for predicate, _, _, _ in parts)
    objects = listed(column(value.sql) for _, value, _, _ in parts)
    graphs = listed(column(graph.sql) for _, _, graph, _ in parts)
    rules = f"unnest([{', '.join(str(part[3]) for part in parts)}])"
    terms = "".join(f",\n    {sql} AS {name}" for sql, name in names.items())
    return (
        f"SELECT s, p, o, g, record, rule FROM (\n"
        f"  SELECT s, record, {predicates} AS p, {objects} AS o,\n"
        f"         {graphs} AS g, {rules} AS rule\n"
        f"  FROM (SELECT {subject} AS s, {record} AS record{terms}\n  FROM {source})\n"
        f") WHERE s IS NOT NULL AND p IS NOT NULL AND o IS NOT NULL AND g IS NOT NULL"
    )


def _distinct(checks: list[Check]) -> tuple[Check, ...]:
    return tuple({(check.code, check.problem): check for check in reversed(checks)}.values())[::-1]
