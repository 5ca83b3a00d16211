"""Reads gather maps: what goes into a list or container, and how (RML-CC, https://w3id.org/rml/cc/spec)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, get_args

import pyoxigraph as ox

from lodpipe.diagnostics.suggestions import did_you_mean
from lodpipe.mapping.model import Gather, ReferencingMap, TermMap
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, Wrong, rendered
from lodpipe.mapping.rml.rml_vocabulary import GATHER, WORDS, split_iri
from lodpipe.rdf.namespaces import XSD

Kind = Literal["List", "Bag", "Seq", "Alt"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_STRATEGIES = ("append", "cartesianProduct")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
_NIL = "http://www.w3.org/1999/02/22-rdf-syntax-ns#nil"


def read_gather(
    reader: GraphReader, node: Node, member: Callable[[Value], TermMap | ReferencingMap]
) -> Gather:
    """What a term map gathers; `member` reads each of its members.

    Raises Wrong where that cannot be read; the findings (LP602) are noted.
    """
    kind = _kind(reader, node)
    given = _required(reader, node, "gather", "the term maps that make the members, as a list")
    values = list(_list(reader, given))
    members = reader.each(values, member)
    if kind is None or len(members) < len(values):
        raise Wrong
    number = list(reader.nodes).index(node.term)
    return Gather(kind, members, _is_product(reader, node), _allows_empty(reader, node), number)


def _required(reader: GraphReader, node: Node, name: str, meaning: str) -> Value:
    value = reader.single(node, "a gather map", name)
    if value is None and node.term in reader.misspelt:
        raise Wrong
    if value is None:
        (given, *_) = node.all(*GATHER)
        raise reader.wrong(given.line, f"a gather map needs `rml:{name}`: {meaning}")
    return value


def _kind(reader: GraphReader, node: Node) -> Kind | None:
    value = _required(reader, node, "gatherAs", "rdf:List, rdf:Bag, rdf:Seq or rdf:Alt")
    prefix, word = split_iri(value.text)
    if prefix == "rdf" and isinstance(value.term, ox.NamedNode):
        for kind in _KINDS:
            if kind == word:
                return kind
    reader.wrong(
        value.line,
        f"`{value.written}` is rdf:List, rdf:Bag, rdf:Seq or rdf:Alt, found {rendered(value.term)}",
    )
    return None


def _is_product(reader: GraphReader, node: Node) -> bool:
    """Whether the strategy is rml:cartesianProduct; the default is rml:append."""
    value = reader.single(node, "a gather map", "strategy")
    if value is None:
        return False
    prefix, word = split_iri(value.text)
    if not isinstance(value.term, ox.NamedNode) or prefix not in WORDS or word not in _STRATEGIES:
        raise reader.wrong(
            value.line,
            f"there is no strategy {rendered(value.term)}{did_you_mean(word, _STRATEGIES)}; "
            "it is rml:append or rml:cartesianProduct",
        )
    return word == "cartesianProduct"


def _allows_empty(reader: GraphReader, node: Node) -> bool:
    value = reader.single(node, "a gather map", "allowEmptyListAndContainer")
    if value is None:
        return False
    is_boolean = isinstance(value.term, ox.Literal) and value.term.datatype.value == XSD + "boolean"
    if not is_boolean or value.text not in _BOOLEANS:
        raise reader.wrong(value.line, f"`{value.written}` is true or false")
    return _BOOLEANS[value.text]


def _list(reader: GraphReader, value: Value) -> Iterator[Value]:
    """The members of an RDF list in order."""
    seen: set[object] = set()
    cell = value
    if cell.text == _NIL:
        raise reader.wrong(value.line, f"`{value.written}` names no term map; list at least one")
    while cell.text != _NIL:
        node = reader.node(cell, "a list of term maps")
        first, rest = (reader.single(node, "a list", f"rdf:{name}") for name in ("first", "rest"))
        if first is None or rest is None or node.term in seen:
            raise reader.wrong(
                cell.line,
                f"`{value.written}` is a list of term maps, in round brackets: ( […] […] )",
            )
        seen.add(node.term)
        yield Value(value.written, first.term, first.line)
        cell = rest
