"""A mapping as RML-Core has it: triples maps, term maps, joins. Frozen; whatever notation it was
written in.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct, field

from lodpipe.diagnostics.finding import Finding, Origin
from lodpipe.mapping.logical_target import LogicalTarget
from lodpipe.sources.access import PLAIN, Access

TermType = Literal["iri", "uri", "unsafe-iri", "unsafe-uri", "blank", "literal"]

RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"


class Reference(Struct, frozen=True):
    """A reference to a value of the record: a column name, or a JSONPath."""

    name: str


class Expression(Struct, frozen=True):
    """What makes a value for each record: text and references in turn (rml:template, rml:reference,
    rml:constant).

    A constant has no reference, a plain reference has one part and `template` false. Without any
    part it is the record itself, which only a blank node can represent.
    """

    parts: tuple[str | Reference, ...]
    template: bool = False

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(part.name for part in self.parts if isinstance(part, Reference))

    @property
    def constant(self) -> str | None:
        """The text of an expression without references."""
        return None if self.references else "".join(str(part) for part in self.parts)


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
    """How a record makes one RDF term (RML-Core, term maps).

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
    gather: Gather | None = None
    targets: tuple[LogicalTarget, ...] = ()

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


class LogicalSource(Struct, frozen=True):
    """Where records come from: a record table, a SQL query over the record tables, or a file with
    an iterator.

    A named query can be used by the queries after it, as if it were a table. `text` is the table,
    the query or the path; of kind `sql` it is a query that `database` (a connection URL) answers.
    `nulls` are the texts that mean no value (rml:null); None where the source does not say which.
    `namespaces` are the prefixes of XPaths, `access` how a file is written.
    """

    kind: Literal["table", "query", "csv", "json", "jsonl", "yaml", "parquet", "xml", "sql"]
    text: str
    origin: Origin
    iterator: str | None = None
    name: str | None = None
    database: str | None = None
    nulls: tuple[str, ...] | None = None
    namespaces: tuple[tuple[str, str], ...] = ()
    access: Access = PLAIN


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
            continue
        yield from (
            expression
            for expression in (item.expression, item.datatype, item.language)
            if expression
        )


class MappingDocument(Struct, frozen=True):
    """Every triples map of a mapping, by name, the named sources in their order, and the base IRI
    where the mapping states one.

    `findings` are those that do not stop it.
    """

    triples_maps: dict[str, TriplesMap]
    named_sources: tuple[LogicalSource, ...] = ()
    base: str | None = None
    prefixes: dict[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def sources(self) -> tuple[LogicalSource, ...]:
        """Every logical source once, the named ones first and in their order."""
        return tuple(
            dict.fromkeys(
                [
                    *self.named_sources,
                    *(triples_map.source for triples_map in self.triples_maps.values()),
                ]
            )
        )

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
