"""The W3C's cases for the SPARQL 1.1 Protocol and the Service Description, sent as their manifests
write them.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import rdflib
from rdflib.collection import Collection
from rdflib.namespace import RDF
from rdflib.query import Result

from serving import Answer, Served, serving
from support import COUNTED, ROOT, copy_project

SUITE = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared/suites")) / "sparql-protocol"
pytestmark = pytest.mark.skipif(
    not SUITE.is_dir(),
    reason="W3C protocol cases missing: set LODPIPE_SUITES to a folder with sparql-protocol/ (w3c/rdf-tests, sparql11)",
)
MF = rdflib.Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
HT, CNT = (
    rdflib.Namespace("http://www.w3.org/2011/http#"),
    rdflib.Namespace("http://www.w3.org/2011/content#"),
)
SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
GRAPHS = "http://kasei.us/2009/09/sparql/data/"
MEDIA_TYPES = {
    "tabular": {
        "application/sparql-results+json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values",
    },
    "boolean": {"application/sparql-results+json", "application/sparql-results+xml"},
    "RDF": {"text/turtle", "application/n-triples", "application/rdf+xml", "application/ld+json"},
}


@dataclass(frozen=True)
class Request:
    """One request of a case, and what must come of it."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    status: set[int]  # the first digit
    boolean: bool | None
    media_types: set[str]


def read(part: str) -> dict[str, list[Request]]:
    """The cases of a manifest in its order."""
    path = SUITE / part / "manifest.ttl"
    if not path.is_file():
        return {}
    graph = rdflib.Graph().parse(path, publicID="http://suite.invalid/manifest")
    entries = Collection(graph, next(graph.objects(predicate=MF.entries)))
    return {
        str(entry).rpartition("#")[2]: list(_requests(graph, graph.value(entry, MF.action)))
        for entry in entries
    }


def _requests(graph: rdflib.Graph, action: rdflib.term.Node | None) -> Iterator[Request]:
    for request in Collection(graph, graph.value(action, HT.requests)) if action else ():
        headers = graph.value(request, HT.headers)
        body, response = graph.value(request, HT.body), graph.value(request, HT.resp)
        boolean, form = (
            graph.value(response, MF.expectedBoolean),
            graph.value(response, MF.expectedFormat),
        )
        chars = graph.value(body, CNT.chars)
        yield Request(
            str(graph.value(request, HT.methodName)),
            str(graph.value(request, HT.absolutePath)),
            {
                str(graph.value(name, HT.fieldName)): str(graph.value(name, HT.fieldValue))
                for name in Collection(graph, headers)
            }
            if headers
            else {},
            None
            if chars is None
            else str(chars).encode(str(graph.value(body, CNT.characterEncoding))),
            {int(str(status)[-3]) for status in graph.objects(response, MF.expectedStatus)},
            None if boolean is None else boolean.toPython(),
            MEDIA_TYPES.get(str(form), set()),
        )


CASES, DESCRIPTIONS = read("protocol"), read("service-description")
QUERIES = {
    name: case
    for name, case in CASES.items()
    if name.startswith(("query_", "bad_query_")) or name == "bad_multiple_queries"
}
UPDATES = {name: case for name, case in CASES.items() if name not in QUERIES}


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Served]:
    """A server over the graphs that the cases name, each under its name."""
    counted = f"sparql-protocol: {len(QUERIES)} query cases, {len(UPDATES)} update cases (all refused), {len(DESCRIPTIONS)} of service description"
    pytestconfig.stash.setdefault(COUNTED, []).append(counted)
    folder = tmp_path_factory.mktemp("protocol")
    project = copy_project(folder / "project", ROOT / "tests/projects/libraries")
    dist = project / "dist"
    dist.mkdir()
    statements = {
        path.stem: path.read_text("utf-8") for path in sorted((SUITE / "protocol").glob("data*.nt"))
    }
    assert len(statements) == 3
    (dist / "libraries.nt").write_text("".join(statements.values()), "utf-8")
    (dist / "libraries.nq").write_text(
        "".join(
            text.replace(" .\n", f" <{GRAPHS}{name}.rdf> .\n") for name, text in statements.items()
        ),
        "utf-8",
    )
    (dist / "SHA256SUMS").write_text("", "utf-8")
    with serving(project, folder / "log") as server:
        yield server


def test_every_case_is_found() -> None:
    print(
        f"{len(QUERIES)} query, {len(UPDATES)} update, {len(DESCRIPTIONS)} service-description cases"
    )
    assert (len(QUERIES), len(UPDATES), len(DESCRIPTIONS)) == (20, 14, 3)
    assert all(CASES.values())


def sent(server: Served, request: Request) -> Answer:
    return server.request(
        request.path, method=request.method, headers=request.headers, body=request.body
    )


@pytest.mark.parametrize("name", QUERIES)
def test_queries(name: str, server: Served) -> None:
    for query in QUERIES[name]:
        answer = sent(server, query)
        assert answer.status // 100 in query.status, answer
        assert not query.media_types or answer.media_type in query.media_types
        assert (
            query.boolean is None
            or Result.parse(io.BytesIO(answer.body), content_type=answer.media_type).askAnswer
            is query.boolean
        )


@pytest.mark.parametrize("name", UPDATES)
def test_updates_are_refused(name: str, server: Served) -> None:
    """The endpoint is read only: a right update is refused (403), a wrong one is a client's error
    as the case wants it.
    """
    request = UPDATES[name][0]
    answer = sent(server, request)
    assert answer.status == 403 if request.status != {4} else answer.status // 100 == 4


@pytest.mark.parametrize(
    "accept",
    ["text/turtle", "application/rdf+xml", "application/n-triples", "application/ld+json", None],
)
def test_service_description(server: Served, accept: str | None) -> None:
    """The three cases: RDF comes, it names the endpoint that was asked, and it keeps to the schema
    of the vocabulary.
    """
    answer = server.request("/sparql", accept)
    assert answer.status == 200
    assert answer.media_type in MEDIA_TYPES["RDF"]
    assert accept is None or answer.media_type == accept
    graph = rdflib.Graph().parse(data=answer.body, format=answer.media_type)
    service = graph.value(predicate=SD.endpoint, object=rdflib.URIRef(server.url + "sparql"))
    assert (service, RDF.type, SD.Service) in graph
    known = {
        SD.endpoint,
        SD.supportedLanguage,
        SD.supportedVersion,  # since 1.2
        SD.resultFormat,
        SD.feature,
        SD.defaultDataset,
        SD.availableGraphs,
        SD.extensionFunction,
        RDF.type,
    }
    assert {
        predicate
        for predicate in graph.predicates(service)
        if predicate.startswith((str(SD), str(RDF)))
    } <= known
    assert set(graph.objects(service, SD.supportedLanguage)) == {
        SD.SPARQL11Query,
        SD.SPARQLQuery,
    }
    for dataset in graph.objects(service, SD.defaultDataset):
        assert (dataset, RDF.type, SD.Dataset) in graph
        assert all(
            (graph_node, RDF.type, SD.Graph) in graph
            for graph_node in graph.objects(dataset, SD.defaultGraph)
        )
    assert not any(isinstance(term, rdflib.BNode) for triple in graph for term in triple)
