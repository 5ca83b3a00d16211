"""Reads RML in Turtle into the model: RML-Core (https://w3id.org/rml/core/spec), the RML before it,
and R2RML (https://www.w3.org/TR/r2rml/).

The three vocabularies are read as one; all that has no counterpart in the model is reported, never
passed over.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph as ox
from msgspec.structs import replace

from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.mapping.functions.function_table import BUILT_IN
from lodpipe.mapping.functions.functions import FunctionTable
from lodpipe.mapping.model import LogicalSource, MappingDocument, TriplesMap
from lodpipe.mapping.rml.rml_graph import GraphReader, Node, Value, Wrong, parse
from lodpipe.mapping.rml.rml_sources import SourceReader
from lodpipe.mapping.rml.rml_targets import TargetReader
from lodpipe.mapping.rml.rml_terms import TermReader
from lodpipe.mapping.rml.rml_views import ViewReader
from lodpipe.mapping.rml.rml_vocabulary import TRIPLES_MAP, WORDS, split_iri
from lodpipe.mapping.rml.rml_words import WordCheck
from lodpipe.mapping.view_keys import JSON


def read_rml(
    path: Path, name: str, base: str, functions: FunctionTable | None = None
) -> MappingDocument:
    """The mapping in a Turtle file; `base` resolves its relative IRIs, `functions` are those that
    it can call (the built-in ones where none are given).

    Raises InvalidDeclaration with every problem found (LP602), or with the syntax error (LP603).
    """
    return read_rml_text(path.read_bytes(), name, base, functions)


def read_rml_text(
    turtle: str | bytes, name: str, base: str, functions: FunctionTable | None = None
) -> MappingDocument:
    """The mapping in a Turtle text; see read_rml."""
    data = turtle.encode() if isinstance(turtle, str) else turtle
    nodes, prefixes = parse(data, name, base)
    graph = GraphReader(name, nodes, prefixes)
    WordCheck(graph, data.decode("utf-8", "replace").split("\n")).check_all()
    document = _DocumentReader(graph, functions or BUILT_IN).document(prefixes, functions)
    if graph.findings:
        raise InvalidDeclaration(graph.findings)
    return document


class _DocumentReader:
    """Reads the triples maps of a graph."""

    def __init__(self, graph: GraphReader, functions: FunctionTable) -> None:
        self.graph, self.functions = graph, functions
        executions = {
            value.term for node in graph.nodes.values() for value in node.all("functionValue")
        }
        self.names = _names(
            node
            for node in graph.nodes.values()
            if _is_triples_map(node) and node.term not in executions
        )
        self._sources: dict[object, LogicalSource | None] = {}
        self._view_reader = ViewReader(graph, SourceReader(graph))
        self.targets = TargetReader(graph)

    def document(
        self, prefixes: dict[str, str], functions: FunctionTable | None
    ) -> MappingDocument:
        """All triples maps that are right."""
        maps: dict[str, TriplesMap] = {}
        views = self._view_reader.all_views()
        for term, name in self.names.items():
            try:
                maps[name] = self.triples_map(self.graph.nodes[term], name)
            except Wrong:
                continue
        if not self.names:
            self.graph.wrong(0, "the file contains no triples map")
        warnings = tuple(self.graph.warnings)
        return MappingDocument(
            maps, prefixes=prefixes, findings=warnings, views=views, functions=functions
        )

    def triples_map(self, node: Node, name: str) -> TriplesMap:
        self.graph.only(node, f"triples map `{name}`", TRIPLES_MAP)
        source = self.source_of(node, name)
        terms = TermReader(self.graph, self, source)
        subjects = self.graph.each(self.subject_of(node, name), terms.subject)
        rules = self.graph.each(node.all("predicateObjectMap"), terms.rule)
        base = self.graph.single(node, f"triples map `{name}`", "baseIRI")
        terms.check_columns()
        if source is None or not subjects:
            raise Wrong
        (subject, graphs, classes) = subjects[0]
        base_iri = None if base is None else self.graph.iri(base)
        return TriplesMap(
            name,
            source,
            subject,
            graphs,
            (*classes, *rules),
            self.graph.origin(node.line),
            base_iri,
        )

    def subject_of(self, node: Node, name: str) -> list[Value]:
        values = node.all("subject", "subjectMap")
        if len(values) != 1 and (values or node.term not in self.graph.misspelt):
            line = values[1].line if values else node.line
            self.graph.wrong(
                line,
                f"triples map `{name}` has {_count(values, 'subject map')}; it needs exactly one",
            )
        return values[:1]

    def source_of(self, node: Node, name: str) -> LogicalSource | None:
        """The logical source of a triples map, read once; None where it is wrong."""
        if node.term not in self._sources:
            values = node.all("logicalSource")
            if len(values) != 1 and (values or node.term not in self.graph.misspelt):
                line = values[1].line if values else node.line
                self.graph.wrong(
                    line,
                    f"triples map `{name}` has {_count(values, 'logical source')}; it needs exactly one",
                )
            self._sources[node.term] = next(
                iter(self.graph.each(values[:1], self._read_source)), None
            )
        return self._sources[node.term]

    def _read_source(self, value: Value) -> LogicalSource:
        """A logical source; one in the words of the RML before the standard (`ql:JSONPath`) has
        plain texts.
        """
        source = self._view_reader.source(value)
        formulations = self.graph.node(value, "a logical source").all("referenceFormulation")
        older = any(split_iri(item.text)[0] == "ql" for item in formulations)
        return replace(source, plain=older and source.kind in JSON)


def _is_triples_map(node: Node) -> bool:
    typed = any(
        split_iri(value.text)[1] == "TriplesMap" and split_iri(value.text)[0] in WORDS
        for value in node.all("rdf:type")
    )
    return typed or bool(node.all("logicalSource", "subjectMap", "subject", "predicateObjectMap"))


def _names(nodes: Iterable[Node]) -> dict[object, str]:
    """A name for each triples map, in the order of the file: the last part of its IRI, or map1,
    map2, … where it has none.
    """
    names: dict[object, str] = {node.term: "" for node in nodes}
    for term in sorted(
        names, key=lambda item: isinstance(item, ox.BlankNode)
    ):  # a given name is kept before one is made up
        parts = (
            re.split(r"[/#:]+", term.value.rstrip("/#:")) if isinstance(term, ox.NamedNode) else []
        )
        invented = (
            f"{parts[-1] if parts else 'map'}{number}"
            for number in itertools.count(2 if parts else 1)
        )
        names[term] = next(
            name for name in itertools.chain(parts[-1:], invented) if name not in names.values()
        )
    return names


def _count(values: list[Value], what: str) -> str:
    return f"{len(values)} {what}s" if values else f"no {what}"
