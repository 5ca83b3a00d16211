"""The plan of a mapping: one fused SELECT for each triples map, all of the same shape, over the
relations of its sources.

Each SELECT yields s, p, o, g (terms in N-Triples spelling, g empty for the default graph), record
and rule. The SQL keeps to what DuckDB and Spark share, plus scalar functions that the engine
defines: iri_safe, uri_safe, uri_encoded, nt_quote, is_iri, is_day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field
from msgspec.structs import replace

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.logical_target import LogicalTarget
from lodpipe.mapping.model import LogicalSource, TermMap
from lodpipe.rdf.namespaces import XSD

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


class ListUse(NamedTuple):
    """A list of which each row has one element: of the values of a reference, for the place in the
    statement that reads it, or of those that SQL gives (a function).
    """

    name: str
    slot: str
    sql: str = ""


class Check(Struct, frozen=True):
    """A condition on a source's rows that makes a value unusable, with the finding it leads to.

    `form` is the same condition in a form that checks of different columns share, where there is
    one: texts that are NULL pass it. `origin` is the place of the term map or join in the mapping.
    """

    code: str
    problem: str
    value: str
    column: str | None
    params: Mapping[str, str]
    lists: tuple[ListUse, ...] = ()
    form: Form | None = None
    origin: Origin | None = None


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
    columns. Its statements go to the `targets`.
    """

    sql: str
    checks: tuple[Check, ...] = ()
    lists: tuple[ListUse, ...] = ()
    columns: tuple[str, ...] = ()
    sound: Spelling | None = None
    targets: tuple[LogicalTarget, ...] = ()

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

    def targets(self, part: Part) -> tuple[LogicalTarget, ...]:
        """The targets of the statements that a part makes: those of all their terms (RML-IO)."""
        terms = (self.subject, *part[:3])
        return tuple(dict.fromkeys(target for term in terms for target in term.targets))

    def sound(self, failed: Collection[Check] = ()) -> Select:
        """The same for data that is known to pass the checks, but for those that failed."""
        problems = {(check.code, check.problem) for check in failed}

        def proven(term: Term) -> Term:
            passed = problems.isdisjoint((check.code, check.problem) for check in term.checks)
            return replace(term, sql=term.sound.sql) if term.sound and passed else term

        parts = tuple((proven(p), proven(o), proven(g), rule) for p, o, g, rule in self.parts)
        return replace(self, subject=proven(self.subject), parts=parts)


class Plan(Struct, frozen=True):
    """Every SELECT of a mapping, the rules that their `rule` column numbers, and what was found
    that does not stop it.
    """

    selects: tuple[Select, ...]
    rules: tuple[Rule, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def encoded(self) -> list[tuple[str, tuple[str, ...]]] | None:
        """The sources with the columns that become parts of IRIs; None where a source makes such
        parts itself, as joins and lists do.
        """
        used: dict[str, dict[str, None]] = {}
        for select in self.selects:
            terms = [
                term
                for term in (select.subject, *(term for part in select.parts for term in part[:3]))
                if ENCODE in term.sql
            ]
            if ENCODE in select.source:
                return None
            used.setdefault(select.source, {}).update(
                dict.fromkeys(column for term in terms for column in term.columns if select.parts)
            )
        return [(source, tuple(columns)) for source, columns in used.items() if columns]

    def only(self, wanted: Callable[[tuple[LogicalTarget, ...]], bool]) -> Plan:
        """The plan of the statements whose targets are wanted; those without any have none."""
        return replace(
            self,
            selects=tuple(
                replace(select, parts=parts)
                for select in self.selects
                if (parts := tuple(part for part in select.parts if wanted(select.targets(part))))
            ),
        )

    def sound(self, failed: Collection[Check] = ()) -> Plan:
        """The same plan without the guards of its terms, for data that is known to pass the checks,
        but for those that failed.
        """
        return replace(self, selects=tuple(select.sound(failed) for select in self.selects))


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
    `heads` has the reference by which the heads of a term map's collections are found.

    Of views: `checks` are those on its rows as such; `expected` is where rows have a value for a
    reference, as SQL, for those that not every row has to have. `mark` is what texts inside of JSON
    documents begin with that stand for exact numbers.
    """

    sql: str
    columns: tuple[str, ...] | None
    has_record: bool = True
    typed: bool = False
    many: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    heads: Mapping[TermMap, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    expected: Mapping[str, str] = field(default_factory=dict)
    mark: str = ""

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


class ViewSources(Protocol):
    """What the rows of views are made on: an engine of one machine that holds the sources below."""

    def relate(
        self, source: LogicalSource, references: tuple[str, ...], order: str = ""
    ) -> Relation:
        """As `Sources.relate`."""

    def has_repeats(self, relation: str, columns: Sequence[str]) -> bool:
        """As `Sources.has_repeats`."""

    def make_rows(self, sql: str) -> str:
        """The name of a new table with the rows of a query."""

    def number_rows(self, sql: str) -> str:
        """A new table with the rows of a query, each of which has a number of its own as `_record`;
        it is located where the record is that it had.
        """

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The few rows of a query."""

    def locate(self, record: int) -> Origin:
        """The place of a record."""


class Sources(Protocol):
    """What a plan is made over: an engine that holds the logical sources.

    With `whole_relations` the SQL of a plan sees all rows of a relation at once, and may read
    several relations; else it sees the rows of one in parts.
    """

    whole_relations: bool

    @property
    def for_views(self) -> ViewSources:
        """What the rows of views are made on."""

    def adopt(self, relation: Relation) -> Relation:
        """A relation of `for_views` as one of these sources."""

    def define_functions(self) -> None:
        """Defines what functions call (function_table.py); before a plan with calls is made."""

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


_CONSTANT = re.compile(r"'(?:[^']|'')*'")


def is_constant(sql: str) -> bool:
    """Whether a term is the same for every row."""
    return bool(_CONSTANT.fullmatch(sql))


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


def distinct(checks: list[Check]) -> tuple[Check, ...]:
    """The checks, each problem once."""
    return tuple({(check.code, check.problem): check for check in reversed(checks)}.values())[::-1]
