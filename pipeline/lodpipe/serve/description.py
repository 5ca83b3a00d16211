"""The SPARQL 1.1 Service Description of the endpoint; without blank nodes, like everything that is
published.
"""

from __future__ import annotations

import pyoxigraph as ox

from lodpipe.rdf.file_formats import PARSERS
from lodpipe.rdf.namespaces import RDF

SD, VOID, FORMATS = (
    "http://www.w3.org/ns/sparql-service-description#",
    "http://rdfs.org/ns/void#",
    "http://www.w3.org/ns/formats/",
)
_RESULTS = (
    "SPARQL_Results_JSON",
    "SPARQL_Results_XML",
    "SPARQL_Results_CSV",
    "SPARQL_Results_TSV",
    "Turtle",
    "N-Triples",
    "JSON-LD",
    "RDF_XML",
)


def description(endpoint: str, format_: str, triples: int) -> bytes:
    """What the endpoint at an address can do, in a format of GRAPHS; `triples` are those of the
    default graph, the union of all.
    """
    service, dataset, graph = (
        f"{endpoint}#{name}" for name in ("service", "dataset", "default-graph")
    )
    properties: list[tuple[str, str, str | int]] = [
        (service, RDF + "type", SD + "Service"),
        (service, SD + "endpoint", endpoint),
        (service, SD + "supportedLanguage", SD + "SPARQL11Query"),
        *((service, SD + "resultFormat", FORMATS + name) for name in _RESULTS),
        (service, SD + "defaultDataset", dataset),
        (dataset, RDF + "type", SD + "Dataset"),
        (dataset, SD + "defaultGraph", graph),
        (graph, RDF + "type", SD + "Graph"),
        (graph, VOID + "triples", triples),
        (dataset, VOID + "triples", triples),
    ]
    described = [
        ox.Triple(
            ox.NamedNode(s),
            ox.NamedNode(p),
            ox.Literal(o) if isinstance(o, int) else ox.NamedNode(o),
        )
        for s, p, o in properties
    ]
    data = ox.serialize(
        described, format=PARSERS[format_], prefixes={"sd": SD, "void": VOID, "format": FORMATS}
    )
    assert data is not None
    return data
