"""The description of a publication as graphs: catalogue, VoID, prefixes and sample queries, so that
an endpoint that loads `metadata.nq` can be asked about itself.

Each graph is named like the resource that its file describes, and has the statements of the file:

    <https://example.org/dataset> <…#type> <…/void#Dataset> <https://example.org/void> .

What an earlier graph states is not repeated in a later one, so a union of them has each statement
once. The blank nodes that portals want in the catalogue are IRIs here (RDF 1.1, 3.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyoxigraph as ox

from lodpipe.publish.catalogue.graph import Graph, literal, name
from lodpipe.rdf.terms import iri

METADATA = "metadata.nq"
PREFIXES = "prefixes.ttl"
GRAPHS = ("catalog", "void", "prefixes", "queries")
"""Local names of the graphs; each is NAME.ttl in dist/."""


def write_prefixes(base: str, prefixes: Mapping[str, str], folder: Path) -> None:
    """prefixes.ttl: the prefixes that the data use, declared as in SHACL 5.2.1."""
    graph = Graph()
    graph.describe(
        iri(f"{base}prefixes"),
        {
            "rdf:type": name("owl:Ontology"),
            "sh:declare": [
                graph.describe(
                    iri(f"{base}prefixes#{prefix}"),
                    {
                        "rdf:type": name("sh:PrefixDeclaration"),
                        "sh:prefix": literal(prefix),
                        "sh:namespace": literal(namespace, "xsd:anyURI"),
                    },
                )
                for prefix, namespace in prefixes.items()
                if prefix
            ],
        },
    )
    (folder / PREFIXES).write_text(graph.turtle(base), "utf-8")


def write_metadata(base: str, folder: Path) -> None:
    """metadata.nq, of the files that are in the folder; sorted by statement."""
    graphs: dict[str, str] = {}
    for local in GRAPHS:
        path = folder / f"{local}.ttl"
        if path.is_file():
            for quad in ox.parse(path=str(path), format=ox.RdfFormat.TURTLE, base_iri=base):
                triple = f"{_term(quad.subject, base)} {quad.predicate} {_term(quad.object, base)}"
                graphs.setdefault(triple, iri(base + local))
    lines = sorted(f"{triple} {graph} .\n" for triple, graph in graphs.items())
    (folder / METADATA).write_text("".join(lines), "utf-8", newline="\n")


def _term(term: ox.Triple | ox.NamedNode | ox.BlankNode | ox.Literal, base: str) -> str:
    return (
        iri(f"{base}.well-known/genid/{term.value}")
        if isinstance(term, ox.BlankNode)
        else str(term)
    )


def graphs_of(base: str) -> tuple[str, ...]:
    """The IRIs of the graphs of a publication."""
    return tuple(base + local for local in GRAPHS)
