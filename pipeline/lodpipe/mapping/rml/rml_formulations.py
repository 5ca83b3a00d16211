"""Reads the reference formulations of a mapping: what the references of a source are written in."""

from __future__ import annotations

import pyoxigraph as ox
from msgspec import Struct

from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, rendered
from lodpipe.mapping.rml.rml_vocabulary import FORMULATIONS, NAMESPACE, XPATH, Kind, split_iri
from lodpipe.sources import jsonpath, xpath
from lodpipe.sources.xpath import Namespaces


class Formulation(Struct, frozen=True):
    """A reference formulation: the kind of source, and the namespaces of its XPaths."""

    kind: Kind
    namespaces: Namespaces = ()


def read_formulation(graph: GraphReader, value: Value) -> Formulation:
    """The formulation that a value names, or describes as one of XPath with namespaces."""
    node = graph.nodes.get(value.term)
    if node is not None and ("namespace" in node.items or _is_xpath(node)):
        graph.only(node, "a reference formulation", XPATH)
        pairs = graph.each(node.all("namespace"), lambda item: _namespace(graph, item))
        return Formulation("xml", tuple(pairs))
    word = split_iri(value.text)[1]
    if not isinstance(value.term, ox.NamedNode) or word not in FORMULATIONS:
        known = ", ".join(FORMULATIONS)
        raise graph.wrong(
            value.line,
            f"reference formulation {rendered(value.term)} is not supported; {known} are",
        )
    return Formulation(FORMULATIONS[word])


def _is_xpath(node: Node) -> bool:
    return any(
        split_iri(value.text)[1] == "XPathReferenceFormulation" for value in node.all("rdf:type")
    )


def _namespace(graph: GraphReader, value: Value) -> tuple[str, str]:
    node = graph.node(value, "a namespace")
    graph.only(node, "a namespace", NAMESPACE)
    prefix = graph.optional_text(node, "a namespace", "namespacePrefix")
    address = graph.optional_text(node, "a namespace", "namespaceURL")
    if not prefix or not address:
        raise graph.wrong(
            node.line, "a namespace needs `rml:namespacePrefix` and `rml:namespaceURL`"
        )
    return prefix, address


def check_path(
    graph: GraphReader, kind: Kind, path: str, line: int, namespaces: Namespaces = ()
) -> None:
    """Notes a JSONPath or XPath that cannot be followed."""
    try:
        if kind == "xml":
            xpath.check(path, namespaces)
        elif kind in ("json", "jsonl", "yaml"):
            jsonpath.parse(path)
    except jsonpath.PathError as error:
        graph.wrong(line, str(error))
