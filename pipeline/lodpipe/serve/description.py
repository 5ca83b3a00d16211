"""The SPARQL Service Description of the endpoint, by the vocabulary of 1.1 and 1.2; without blank
nodes, like everything that is published.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import pyoxigraph as ox
from msgspec import Struct

from lodpipe.rdf.file_formats import PARSERS
from lodpipe.rdf.namespaces import RDF, RDFS
from lodpipe.serve.protocol import Refused

SD, VOID, FORMATS, SPARQL = (
    "http://www.w3.org/ns/sparql-service-description#",
    "http://rdfs.org/ns/void#",
    "http://www.w3.org/ns/formats/",
    "http://www.w3.org/ns/sparql#",
)
MOST_GRAPHS = 1_000
"""Named graphs that a description lists; clients read it before their first query."""
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
_LANGUAGES = ("SPARQL11Query", "SPARQLQuery")  # the second has its version beside it, since 1.2
_VERSIONS = ("version-1.2-basic", "version-1.2")
_Statement = tuple[str, str, str | int | ox.Literal]


class NamedGraph(Struct, frozen=True):
    """A named graph with the number of its triples, None where it is not known; whether it describes
    the data instead of being a part of them.
    """

    name: str
    triples: int | None = None
    describes: bool = False


class Dataset(Struct, frozen=True):
    """What the endpoint is asked over: the triples of the default graph, and the named graphs, of
    which `graphs` are listed; `is_union`: the default graph has all of them.
    """

    triples: int
    graphs: Sequence[NamedGraph] = ()
    all_graphs: int = 0
    is_union: bool = True
    about: str = ""
    """The IRI of the VoID description, where there is one."""


Answering = Callable[[Mapping[str, object]], Awaitable[tuple[Mapping[str, object], bytes]]]
_COUNT = "SELECT (COUNT(*) AS ?n) { GRAPH ?g {} }"
_SIZES = "SELECT ?g (COUNT(*) AS ?n) { %s GRAPH ?g { ?s ?p ?o } } GROUP BY ?g ORDER BY STR(?g)"
_NAMES = "SELECT DISTINCT ?g { %s GRAPH ?g {} } ORDER BY STR(?g)"


async def read_dataset(answer: Answering, triples: int, metadata: Sequence[str]) -> Dataset:
    """What is loaded, as the workers answer. Of many graphs those that describe the data are listed;
    sizes that cannot be counted in time are left out.
    """
    ((number,),) = await _rows(answer, _COUNT)
    only = "" if int(number) <= MOST_GRAPHS else _values(metadata)
    try:
        rows = await _rows(answer, _SIZES % only)
        graphs = [NamedGraph(name, int(size), name in metadata) for name, size in rows]
    except Refused:
        names = await _rows(answer, _NAMES % only)
        graphs = [NamedGraph(name, None, name in metadata) for (name,) in names]
    described = [graph.name for graph in graphs if graph.describes]
    in_graphs = sum(graph.triples or 0 for graph in graphs)
    return Dataset(
        triples,
        graphs,
        int(number),
        is_union=not described and 0 < triples <= in_graphs,
        about=next((name for name in described if name.endswith("void")), ""),
    )


async def _rows(answer: Answering, query: str) -> list[list[str]]:
    """The rows of a SELECT, each value as text. Raises Refused."""
    task = {"query": query, "default_graph": (), "named_graphs": (), "results": "json", "graphs": None}  # fmt: skip
    _, body = await answer(task)
    results = json.loads(body)
    names = results["head"]["vars"]
    return [[row[name]["value"] for name in names] for row in results["results"]["bindings"]]


def _values(graphs: Sequence[str]) -> str:
    return f"VALUES ?g {{ {' '.join(f'<{graph}>' for graph in graphs)} }}"


def description(endpoint: str, format_: str, dataset: Dataset) -> bytes:
    """What the endpoint at an address can do, in a format of GRAPHS."""
    described = (
        ox.Triple(
            ox.NamedNode(s),
            ox.NamedNode(p),
            o
            if isinstance(o, ox.Literal)
            else ox.NamedNode(o)
            if isinstance(o, str)
            else ox.Literal(o),
        )
        for s, p, o in (*_service(endpoint, dataset), *_dataset(endpoint, dataset))
    )
    data = ox.serialize(
        described,
        format=PARSERS[format_],
        prefixes={"sd": SD, "void": VOID, "format": FORMATS, "sparql": SPARQL, "rdfs": RDFS},
    )
    assert data is not None
    return data


def _service(endpoint: str, dataset: Dataset) -> Iterator[_Statement]:
    service = f"{endpoint}#service"
    yield service, RDF + "type", SD + "Service"
    yield service, SD + "endpoint", endpoint
    for language in _LANGUAGES:
        yield service, SD + "supportedLanguage", SD + language
    for version in _VERSIONS:
        yield service, SD + "supportedVersion", SPARQL + version
    if dataset.is_union:
        yield service, SD + "feature", SD + "UnionDefaultGraph"
    for name in _RESULTS:
        yield service, SD + "resultFormat", FORMATS + name
    yield service, SD + "defaultDataset", f"{endpoint}#dataset"


def _dataset(endpoint: str, dataset: Dataset) -> Iterator[_Statement]:
    node, graph = f"{endpoint}#dataset", f"{endpoint}#default-graph"
    yield node, RDF + "type", SD + "Dataset"
    if dataset.about:
        yield node, RDFS + "seeAlso", dataset.about
    yield node, SD + "defaultGraph", graph
    yield graph, RDF + "type", SD + "Graph"
    yield graph, VOID + "triples", dataset.triples
    for number, item in enumerate(dataset.graphs, 1):
        named, content = f"{endpoint}#named-graph-{number}", f"{endpoint}#graph-{number}"
        yield node, SD + "namedGraph", named
        yield named, RDF + "type", SD + "NamedGraph"
        yield named, SD + "name", item.name
        yield named, SD + "graph", content
        yield content, RDF + "type", SD + "Graph"
        if item.describes:
            yield content, RDF + "type", VOID + "DatasetDescription"
        if item.triples is not None:
            yield content, VOID + "triples", item.triples
    if dataset.all_graphs > len(dataset.graphs):
        left = (
            f"{dataset.all_graphs} named graphs, too many to list; SELECT DISTINCT ?g {{ GRAPH ?g {{}} }} "
            "returns them."
        )
        yield node, RDFS + "comment", ox.Literal(left, language="en")
