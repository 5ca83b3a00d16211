"""A mapping as RML-Core has it: triples maps, term maps, joins. Frozen; whatever notation it was
written in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.functions.functions import FunctionTable
from lodpipe.mapping.logical_target import LogicalTarget
from lodpipe.sources.access import PLAIN, Access

TermType = Literal["iri", "uri", "unsafe-iri", "unsafe-uri", "blank", "literal"]
SourceKind = Literal[
    "table", "query", "csv", "json", "jsonl", "yaml", "parquet", "xml", "sql", "view"
]

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class Reference(Struct, frozen=True):
    """A reference to a value of the record: a column name, or a JSONPath."""

    name: str


class Call(Struct, frozen=True):
    """A function applied to values (RML-FNML, function executions): the IRI of the function, and
    each parameter with the expression of its value, in the order of the function's parameters.

    A parameter that takes a list can occur more than once.

    Example: grel:toUpperCase of a column is
    Call(".../grel.ttl#toUpperCase", ((".../grel.ttl#valueParam", Expression((Reference("name"),))),))
    """

    function: str
    arguments: tuple[tuple[str, Expression], ...] = ()


class Expression(Struct, frozen=True):
    """What makes a value for each record: text, references and function calls in turn
    (rml:template, rml:reference, rml:constant, rml:functionExecution).

    A constant has no reference and no call, a plain reference or call has one part and `template`
    false. Without any part it is the record itself, which only a blank node can represent.
    """

    parts: tuple[str | Reference | Call, ...]
    template: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        """The names of all references, those of function calls included."""
        names: list[str] = []
        for part in self.parts:
            if isinstance(part, Reference):
                names.append(part.name)
            elif isinstance(part, Call):
                names += (name for _, value in part.arguments for name in value.references)
        return tuple(names)

    @property
    def constant(self) -> str | None:
        """The text of an expression that is the same for every record."""
        texts = [part for part in self.parts if isinstance(part, str)]
        return "".join(texts) if len(texts) == len(self.parts) else None

    @property
    def call(self) -> Call | None:
        """The function call that the expression consists of, if it is one."""
        part = self.parts[0] if len(self.parts) == 1 else None
        return part if isinstance(part, Call) else None

    @property
    def calls(self) -> tuple[Call, ...]:
        """All function calls, inner ones included."""
        calls: list[Call] = []
        for part in self.parts:
            if isinstance(part, Call):
                calls += [part, *(inner for _, value in part.arguments for inner in value.calls)]
        return tuple(calls)


class Gather(Struct, frozen=True):
    """What a gather map puts into a list (rdf:List) or a container: the terms of other maps, in
    order (RML-CC, rml:GatherMap).

    With `product` each collection has one term of each member, else one collection has them all
    (rml:strategy). Collections without members are made where `allow_empty`. `number` differs for each
    gather map, because two that are alike make collections of their own.
    """

    kind: Literal["List", "Bag", "Seq", "Alt"]
    members: tuple[TermMap | ReferencingMap, ...]
    product: bool = False
    allow_empty: bool = False
    number: int = 0


class TermMap(Struct, frozen=True):
    """How a record makes one RDF term (RML-Core, term maps); where there is a `condition` and it is
    not true, it makes none (RML-FNML, conditions).

    With `gather` it is the head of a collection; without any part in its expression the collection
    has no name, and is one of its own for each record.

    Statements with the term go to its targets (RML-IO), which are also those of its language and
    its datatype.
    """

    expression: Expression
    term_type: TermType
    origin: Origin
    datatype: Expression | None = None
    language: Expression | None = None
    condition: Expression | None = None
    gather: Gather | None = None
    targets: tuple[LogicalTarget, ...] = ()

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """All that is evaluated for the term."""
        given = (self.expression, self.datatype, self.language, self.condition)
        return tuple(expression for expression in given if expression)

    @property
    def references(self) -> tuple[str, ...]:
        """The names of all references."""
        return tuple(name for expression in self.expressions for name in expression.references)

    @property
    def members(self) -> tuple[TermMap | ReferencingMap, ...]:
        """The maps whose terms it gathers."""
        return self.gather.members if self.gather else ()


class Join(Struct, frozen=True):
    """One join condition: the child's value equals the parent's (rml:childMap, rml:parentMap; any
    expression).
    """

    child: Expression
    parent: Expression


class ReferencingMap(Struct, frozen=True):
    """An object that is the subject of another triples map (rml:parentTriplesMap)."""

    parent: str
    joins: tuple[Join, ...]
    origin: Origin


class PredicateObject(Struct, frozen=True):
    """Predicates and objects that each record pairs with its subject, in the graphs named here."""

    predicates: tuple[TermMap, ...]
    objects: tuple[TermMap | ReferencingMap, ...]
    graphs: tuple[TermMap, ...]
    origin: Origin


class Field(Struct, frozen=True):
    """A field of a logical view by its absolute name, with the fields in its records (RML-LV, fields).

    An expression field has an `expression`. An iterable field has the `kind` of documents that its
    records are read from, and an `iterator` where these have one; of XML with its `namespaces`.
    """

    name: str
    origin: Origin
    expression: Expression | None = None
    kind: SourceKind | None = None
    iterator: str | None = None
    fields: tuple[Field, ...] = ()
    namespaces: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> Iterator[str]:
        """What references may name: values of expression fields, and positions of all fields."""
        if self.expression is not None:
            yield self.name
        yield f"{self.name}.#"
        for inner in self.fields:
            yield from inner.keys


class ViewJoin(Struct, frozen=True):
    """Fields that a view takes from the rows of another one (RML-LV, logical view joins).

    An inner join drops the rows without a match.
    """

    parent: LogicalSource
    conditions: tuple[Join, ...]
    fields: tuple[Field, ...]
    is_inner: bool
    origin: Origin


AnnotationKind = Literal[
    "primary key", "unique", "not null", "iri safe", "foreign key", "inclusion"
]


class Annotation(Struct, frozen=True):
    """What the author of a view knows of its fields (RML-LV, structural annotations).

    `target` is the name of the view whose `target_fields` have the values of these fields.
    """

    kind: AnnotationKind
    fields: tuple[str, ...]
    origin: Origin
    target: str | None = None
    target_fields: tuple[str, ...] = ()


class View(Struct, frozen=True):
    """Flat rows over another source, with a column for each key of its fields (RML-LV)."""

    on: LogicalSource
    fields: tuple[Field, ...]
    joins: tuple[ViewJoin, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    @property
    def own_keys(self) -> tuple[str, ...]:
        """What references to its own rows may name; `#` is the position of the record below."""
        return ("#", *(key for field in self.fields for key in field.keys))

    @property
    def keys(self) -> tuple[str, ...]:
        """What references may name, the fields of joins included."""
        joined = (key for join in self.joins for field in join.fields for key in field.keys)
        return (*self.own_keys, *joined)

    @property
    def iterables(self) -> tuple[str, ...]:
        """The names of records that have no value of their own."""
        return ("<it>", *(name for field in self.fields for name in _iterables(field)))


def _iterables(field: Field) -> Iterator[str]:
    if field.expression is None:
        yield field.name
    for inner in field.fields:
        yield from _iterables(inner)


class LogicalSource(Struct, frozen=True):
    """Where records come from: a record table, a SQL query over the record tables, a file with
    an iterator, or a view over another source.

    A named query can be used by the queries after it, as if it were a table. `text` is the table,
    the query or the path; of kind `sql` it is a query that `database` (a connection URL) answers.
    `nulls` are the texts that mean no value (rml:null); None where the source does not say which.
    `namespaces` are the prefixes of XPaths, `access` how a file is written. Of kind `view`, `text` is
    its name. Where `plain`, numbers and booleans of JSON are texts as they are written: the RML before
    the standard has no natural datatypes.
    """

    kind: SourceKind
    text: str
    origin: Origin
    iterator: str | None = None
    name: str | None = None
    database: str | None = None
    nulls: tuple[str, ...] | None = None
    namespaces: tuple[tuple[str, str], ...] = ()
    access: Access = PLAIN
    view: View | None = None
    plain: bool = False

    @property
    def below(self) -> tuple[LogicalSource, ...]:
        """The sources that are no views: those that a view is made over, or this one."""
        if self.view is None:
            return (self,)
        over = (self.view.on, *(join.parent for join in self.view.joins))
        return tuple(dict.fromkeys(base for source in over for base in source.below))


class TriplesMap(Struct, frozen=True):
    """A source, a subject, and the statements about the subject; `base` overrides the base IRI
    (rml:baseIRI).
    """

    name: str
    source: LogicalSource
    subject: TermMap
    graphs: tuple[TermMap, ...]
    rules: tuple[PredicateObject, ...]
    origin: Origin
    base: str | None = None


def with_members(item: TermMap | ReferencingMap) -> Iterator[TermMap | ReferencingMap]:
    """A map, and behind it those that it gathers, at any depth."""
    yield item
    if isinstance(item, TermMap):
        for member in item.members:
            yield from with_members(member)


def all_maps(triples_map: TriplesMap) -> Iterator[TermMap | ReferencingMap]:
    """Every term map of a triples map, and every reference to another triples map."""
    tops: list[TermMap | ReferencingMap] = [triples_map.subject, *triples_map.graphs]
    for rule in triples_map.rules:
        tops += [*rule.predicates, *rule.graphs, *rule.objects]
    for top in tops:
        yield from with_members(top)


def term_maps(triples_map: TriplesMap) -> Iterator[TermMap]:
    """Every term map of a triples map; those of its joins are the parents'."""
    return (item for item in all_maps(triples_map) if isinstance(item, TermMap))


def expressions(triples_map: TriplesMap) -> Iterator[Expression]:
    """Every expression of a triples map: those of its terms, their datatypes and languages, and its
    side of joins.
    """
    for item in all_maps(triples_map):
        if isinstance(item, ReferencingMap):
            yield from (join.child for join in item.joins)
        else:
            yield from item.expressions


class MappingDocument(Struct, frozen=True):
    """Every triples map of a mapping, by name, the named sources in their order, and the base IRI
    where the mapping states one.

    `functions` are those that it can call, where these are more than the ones that every mapping
    has; `findings` are those that do not stop it.
    """

    triples_maps: dict[str, TriplesMap]
    named_sources: tuple[LogicalSource, ...] = ()
    base: str | None = None
    prefixes: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    views: tuple[LogicalSource, ...] = ()
    functions: FunctionTable | None = None

    @property
    def sources(self) -> tuple[LogicalSource, ...]:
        """Every logical source that is no view once, the named ones first and in their order."""
        used = (
            source
            for triples_map in self.triples_maps.values()
            for source in triples_map.source.below
        )
        return tuple(dict.fromkeys([*self.named_sources, *used]))

    @property
    def targets(self) -> tuple[LogicalTarget, ...]:
        """Every logical target once, in the order of the mapping."""
        return tuple(
            dict.fromkeys(
                target
                for triples_map in self.triples_maps.values()
                for term in term_maps(triples_map)
                for target in term.targets
            )
        )
