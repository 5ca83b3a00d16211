"""The endpoint and the files over HTTP: what is refused, caching, ranges, other sites' scripts,
graphs, and a client library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import rdflib
from SPARQLWrapper import CSV, POST, POSTDIRECTLY, RDFXML, TURTLE, URLENCODED, XML, SPARQLWrapper
from SPARQLWrapper import JSON as WRAPPED_JSON

from serving import JSON, Served, cases, filled

CASES = cases("requests.yaml")
SD = rdflib.Namespace("http://www.w3.org/ns/sparql-service-description#")
COUNT = "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }"


@pytest.fixture(scope="module")
def graphs(publication: Path) -> list[tuple[str, set[ox.Triple]]]:
    """The named graphs of the dump with their statements, the largest first."""
    by_graph: dict[str, set[ox.Triple]] = {}
    for quad in ox.parse(path=publication / "dist/rogl.nq", format=ox.RdfFormat.N_QUADS):
        by_graph.setdefault(quad.graph_name.value, set()).add(quad.triple)
    return sorted(by_graph.items(), key=lambda entry: (-len(entry[1]), entry[0]))


def sent(server: Served, case: dict[str, Any]) -> tuple[int, str]:
    if "query" in case:
        answer = server.query(case["query"], None)
    else:
        more = filled(case.get("fill", ()))
        body = (
            bytes.fromhex(case["hex"])
            if "hex" in case
            else case["body"].encode()
            if "body" in case
            else None
        )
        path = case.get("path", "/sparql") + ("" if body is not None else more)
        headers = {"Content-Type": case["type"]} if "type" in case else {}
        answer = server.request(
            path,
            method=case.get("method", "GET"),
            headers=headers,
            body=None if body is None else body + more.encode(),
        )
    return answer.status, answer.body.decode("utf-8", "replace")


def test_requests(server: Served) -> None:
    print(f"{len(CASES)} cases")
    assert len(CASES) >= 75
    wrong = []
    for case in CASES:
        status, body = sent(server, case)
        expected = case["status"] if isinstance(case["status"], list) else [case["status"]]
        if (
            status not in expected
            or case.get("message", "") not in body
            or (status >= 400 and not body.strip())
        ):
            wrong.append((case["case"], status, body[:200]))
    assert not wrong, "\n".join(map(str, wrong))


# -- caching ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/sparql?query=ASK%7B%7D",
        "/lab/brandis.ttl",
        "/lab/brandis.html",
        "/rogl.nt",
        "/sparql",
        "/",
        "/catalog.ttl",
    ],
)
def test_an_answer_is_sent_again_only_when_it_has_changed(server: Served, path: str) -> None:
    first = server.request(path)
    tag = first.headers["etag"]
    assert (first.status, bool(first.body)) == (200, True)
    assert "max-age" in first.headers["cache-control"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = server.request(path, headers={"If-None-Match": known})
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag), known
    assert server.request(path, headers={"If-None-Match": '"other"'}).status == 200


def test_each_format_has_its_own_tag(server: Served) -> None:
    tags = {
        server.query(COUNT, media_type).headers["etag"]
        for media_type in (
            JSON,
            "application/sparql-results+xml",
            "text/csv",
            "text/tab-separated-values",
        )
    }
    assert len(tags) == 4


@pytest.mark.parametrize("function", ["NOW()", "RAND()", "UUID()", "STRUUID()", "now()"])
def test_what_differs_each_time_is_not_kept(server: Served, function: str) -> None:
    first, second = (server.query(f"SELECT ({function} AS ?x) {{}}") for _ in range(2))
    assert first.headers["cache-control"] == second.headers["cache-control"] == "no-store"
    assert "etag" not in first.headers
    assert first.rows() != second.rows()


def test_errors_are_not_kept(server: Served) -> None:
    for path in (
        "/sparql?query=nonsense",
        "/lab/nowhere",
        "/sparql?query=ASK%7B%7D&query=ASK%7B%7D",
    ):
        answer = server.request(path)
        assert answer.status >= 400
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/sparql?query=ASK%7B%7D",
        "/sparql",
        "/lab/brandis",
        "/lab/brandis.ttl",
        "/rogl.nt",
        "/lab/nowhere",
        "/health",
        "/metrics",
        "/",
    ],
)
def test_head_says_what_get_says_without_a_body(server: Served, path: str) -> None:
    got, head = server.request(path), server.request(path, method="HEAD")
    assert (head.status, head.body) == (got.status, b"")
    names = {"content-type", "etag", "location", "vary", "content-length"} - (
        {"content-length"} if path in ("/metrics", "/health") else set()
    )
    assert {name: head.headers.get(name) for name in names} == {
        name: got.headers.get(name) for name in names
    }


# -- ranges ----------------------------------------------------------------------------------------


def test_a_dump_comes_in_parts(server: Served, publication: Path) -> None:
    data = (publication / "dist/rogl.nt").read_bytes()
    size = len(data)
    parts = [
        ("0-0", 0, 1),
        ("0-99", 0, 100),
        (f"{size - 5}-", size - 5, size),
        ("-7", size - 7, size),
        (f"100-{size * 2}", 100, size),
    ]
    for given, begin, end in parts:
        part = server.request("/rogl.nt", headers={"Range": f"bytes={given}"})
        assert (part.status, part.body) == (206, data[begin:end]), given
        assert part.headers["content-range"] == f"bytes {begin}-{end - 1}/{size}"
    outside = server.request("/rogl.nt", headers={"Range": f"bytes={size}-"})
    assert (outside.status, outside.headers["content-range"]) == (416, f"bytes */{size}")
    assert server.request("/rogl.nt").headers["accept-ranges"] == "bytes"


def test_a_download_goes_on_only_where_the_file_is_the_same(
    server: Served, publication: Path
) -> None:
    whole = server.request("/rogl.nt")
    same = server.request(
        "/rogl.nt", headers={"Range": "bytes=10-19", "If-Range": whole.headers["etag"]}
    )
    assert (same.status, same.body) == (206, whole.body[10:20])
    other = server.request("/rogl.nt", headers={"Range": "bytes=10-19", "If-Range": '"another"'})
    assert (other.status, other.body) == (200, whole.body)


@pytest.mark.parametrize(
    "given",
    ["bytes=x-y", "bytes=5-1", "bytes=", "lines=0-1", "bytes=-", "bytes=" + "0-1," * 400, "0-1"],
)
def test_a_range_that_is_none_is_ignored(server: Served, given: str) -> None:
    """RFC 9110, 14.2: an unknown unit, an invalid range, and many small ones."""
    answer = server.request("/rogl.nt", headers={"Range": given})
    assert (answer.status, "content-range" in answer.headers) == (200, False)
    assert int(answer.headers["content-length"]) == len(answer.body) > 10_000


def test_a_range_is_of_get_alone(server: Served) -> None:
    head = server.request("/rogl.nt", method="HEAD", headers={"Range": "bytes=0-4"})
    assert (head.status, "content-range" in head.headers) == (200, False)


# -- other sites' scripts --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sparql", "/lab/brandis", "/lab/brandis.ttl", "/rogl.nt"])
def test_scripts_of_other_sites_may_ask(server: Served, path: str) -> None:
    headers = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    before = server.request(path, method="OPTIONS", headers=headers)
    assert before.status == 204
    assert before.headers["access-control-allow-origin"] == "*"
    assert "GET" in before.headers["access-control-allow-methods"]
    assert "content-type" in before.headers["access-control-allow-headers"].lower()
    got = server.request(path, headers={"Origin": "https://example.org"})
    assert got.headers["access-control-allow-origin"] == "*"
    assert "etag" in got.headers["access-control-expose-headers"].lower()
    assert "access-control-allow-credentials" not in got.headers


def test_errors_can_be_read_by_them_too(server: Served) -> None:
    for path in (
        "/sparql?query=nonsense",
        "/lab/nowhere",
        "/sparql?query=SELECT*%7BSERVICE%20%3Fx%7B%7D%7D",
    ):
        answer = server.request(path)
        assert answer.status >= 400
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["x-content-type-options"] == "nosniff"


# -- graphs ----------------------------------------------------------------------------------------


def test_the_default_graph_is_the_union_without_doubles(
    server: Served, graphs: list[tuple[str, set[ox.Triple]]], publication: Path
) -> None:
    union = set().union(*(triples for _, triples in graphs))
    assert sum(len(triples) for _, triples in graphs) > len(union), (
        "no statement is in two graphs: the test shows nothing"
    )
    assert server.query(COUNT).rows() == [(str(len(union)),)]
    named = "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }"
    described = (publication / "dist/metadata.nq").read_bytes().count(b"\n")
    in_graphs = sum(len(triples) for _, triples in graphs) + described
    assert server.query(named).rows() == [(str(in_graphs),)]


def doubled(graphs: list[tuple[str, set[ox.Triple]]]) -> list[str]:
    """Graphs that share a statement."""
    for name, triples in graphs:
        for other, another in graphs:
            if name != other and triples & another:
                return [name, other]
    raise AssertionError


def test_several_default_graphs_are_merged(
    server: Served, graphs: list[tuple[str, set[ox.Triple]]]
) -> None:
    names = doubled(graphs)
    sizes = dict(graphs)
    union = str(len(sizes[names[0]] | sizes[names[1]]))
    assert len(sizes[names[0]] | sizes[names[1]]) < len(sizes[names[0]]) + len(sizes[names[1]])
    assert server.query(COUNT, default_graph_uri=names[:1]).rows() == [(str(len(sizes[names[0]])),)]
    assert server.query(COUNT, default_graph_uri=names).rows() == [(union,)]
    assert server.query(COUNT, post=True, default_graph_uri=names).rows() == [(union,)]
    text = "SELECT (COUNT(*) AS ?n) FROM <{}> FROM <{}> {{ ?s ?p ?o }}"
    assert server.query(text.format(*names)).rows() == [(union,)]
    prefixed = f"PREFIX a: <{names[0]}> BASE <{names[1]}> SELECT (COUNT(*) AS ?n) # FROM <urn:x>\nfrom a: From <> WHERE {{ ?s ?p ?o }}"
    assert server.query(prefixed).rows() == [(union,)]
    both = "SELECT (COUNT(*) AS ?n) FROM <{0}> FROM <{1}> FROM NAMED <{0}> {{ {{ ?s ?p ?o }} UNION {{ GRAPH ?g {{ ?s ?p ?o }} }} }}"
    assert server.query(both.format(*names)).rows() == [(str(int(union) + len(sizes[names[0]])),)]
    of_the_request = server.query(text.format(*names), default_graph_uri=names[:1])
    assert of_the_request.rows() == [(str(len(sizes[names[0]])),)]


def test_construct_and_describe_have_no_doubles(
    server: Served, graphs: list[tuple[str, set[ox.Triple]]]
) -> None:
    names = doubled(graphs)
    lines = server.query(
        f"CONSTRUCT {{ ?s ?p ?o }} FROM <{names[0]}> FROM <{names[1]}> WHERE {{ ?s ?p ?o }}",
        "application/n-triples",
    ).body.splitlines()
    assert len(lines) == len(set(lines)) == len(dict(graphs)[names[0]] | dict(graphs)[names[1]])


# -- a client library ------------------------------------------------------------------------------


def wrapped(server: Served, text: str, form: str) -> SPARQLWrapper:
    wrapper = SPARQLWrapper(server.url + "sparql")
    wrapper.setQuery(text)
    wrapper.setReturnFormat(form)
    return wrapper


def test_sparqlwrapper_gets_rows(server: Served) -> None:
    expected = server.query(COUNT).rows()[0][0]
    assert (
        wrapped(server, COUNT, WRAPPED_JSON)
        .query()
        .convert()["results"]["bindings"][0]["n"]["value"]
        == expected
    )
    document = wrapped(server, COUNT, XML).query().convert()
    assert document.getElementsByTagName("literal")[0].firstChild.data == expected
    assert wrapped(server, COUNT, CSV).query().convert().decode().split() == ["n", expected]
    assert wrapped(server, "ASK {}", WRAPPED_JSON).query().convert()["boolean"] is True


def test_sparqlwrapper_gets_graphs(server: Served) -> None:
    text = "CONSTRUCT { ?s ?p ?o } WHERE { ?s a <http://www.w3.org/ns/org#Organization> ; ?p ?o }"
    graph = wrapped(server, text, RDFXML).query().convert()
    assert isinstance(graph, rdflib.Graph)
    assert len(graph) > 100
    assert set(
        rdflib.Graph().parse(data=wrapped(server, text, TURTLE).query().convert(), format="turtle")
    ) == set(graph)


@pytest.mark.parametrize("encoding", [URLENCODED, POSTDIRECTLY])
def test_sparqlwrapper_posts(server: Served, encoding: str) -> None:
    wrapper = wrapped(server, COUNT + " # " + "x" * 100_000, WRAPPED_JSON)
    wrapper.setMethod(POST)
    wrapper.setRequestMethod(encoding)
    assert int(wrapper.query().convert()["results"]["bindings"][0]["n"]["value"]) > 1000


def test_the_service_description_counts_what_a_query_counts(
    server: Served, publication: Path
) -> None:
    graph = rdflib.Graph().parse(
        data=server.request("/sparql", "text/turtle").body, format="turtle"
    )
    default = graph.value(predicate=rdflib.RDF.type, object=SD.Dataset) or rdflib.URIRef("")
    (stated,) = [
        int(count)
        for content in graph.objects(default, SD.defaultGraph)
        for count in graph.objects(content, rdflib.VOID.triples)
    ]
    counted = server.query(COUNT, "text/csv").body.decode().split()
    lines = (publication / "dist" / "rogl.nt").read_bytes().count(b"\n")
    assert stated == int(counted[1]) == lines
    sizes = {
        (
            str(graph.value(named, SD.name)),
            int(graph.value(graph.value(named, SD.graph), rdflib.VOID.triples)),
        )
        for named in graph.objects(default, SD.namedGraph)
    }
    of_graphs = "SELECT ?g (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } } GROUP BY ?g"
    assert sizes == {(name, int(number)) for name, number in server.query(of_graphs).rows()}
    assert len(sizes) > 100
