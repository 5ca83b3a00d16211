"""A publication that describes itself: catalogue, VoID, prefixes and sample queries as graphs of
metadata.nq and of the endpoint, where editors and language models find them, and the counts of the
data stay those of the data.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest

from lodpipe.queries.client import answer_remotely
from lodpipe.queries.samples import Query, read_queries, result_text
from lodpipe.rdf.sparql import parse
from query_engines import on_oxigraph
from serving import Served, cases
from support import ROOT

BASE = "https://w3id.org/rogl/"
CASES = cases("self_description.yaml")
QUERIES = [query for query in read_queries(ROOT, ("de", "en")) if not query.federated]
GRAPHS = ("catalog", "void", "prefixes", "queries")


@pytest.fixture(scope="module")
def described(dist: Path) -> list[ox.Quad]:
    """The statements of metadata.nq."""
    return list(ox.parse(path=dist / "metadata.nq", format=ox.RdfFormat.N_QUADS))


def without_blank_nodes(triple: ox.Triple) -> ox.Triple:
    """The same with IRIs in place of blank nodes (RDF 1.1, 3.5)."""
    subject, object_ = (
        ox.NamedNode(f"{BASE}.well-known/genid/{term.value}")
        if isinstance(term, ox.BlankNode)
        else term
        for term in (triple.subject, triple.object)
    )
    return ox.Triple(subject, triple.predicate, object_)


def test_each_graph_has_the_statements_of_its_file_and_none_is_repeated(
    dist: Path, described: list[ox.Quad]
) -> None:
    assert not [triple for triple, n in Counter(quad.triple for quad in described).items() if n > 1]
    earlier: set[ox.Triple] = set()
    for name in GRAPHS:
        of_file = {
            without_blank_nodes(quad.triple)
            for quad in ox.parse(
                path=dist / f"{name}.ttl", format=ox.RdfFormat.TURTLE, base_iri=BASE
            )
        }
        of_graph = {quad.triple for quad in described if quad.graph_name.value == BASE + name}
        assert len(of_graph) > 20, name
        assert of_graph == of_file - earlier, name
        earlier |= of_file


def test_the_file_is_sorted_and_without_blank_nodes(dist: Path, described: list[ox.Quad]) -> None:
    lines = (dist / "metadata.nq").read_bytes().splitlines()
    assert lines == sorted(lines)
    terms = {term for quad in described for term in (quad.subject, quad.object)}
    assert not any(isinstance(term, ox.BlankNode) for term in terms)


def test_the_file_is_where_it_is_looked_for(dist: Path) -> None:
    assert f"{'metadata.nq'}" in (dist / "README.md").read_text("utf-8")
    assert "metadata.nq" in (dist / "SHA256SUMS").read_text("utf-8")
    for name in ("catalog.ttl", "void.ttl"):
        assert "metadata.nq>" in (dist / name).read_text("utf-8"), name


# -- VoID: the figures of each class, counted by another engine ------------------------------------

_VOID = "PREFIX void: <http://rdfs.org/ns/void#> PREFIX more: <http://ldf.fi/void-ext#> "
_STATED = (
    _VOID
    + "SELECT ?class ?property ?triples { ?c void:class ?class ; void:propertyPartition ?p . ?p void:property ?property ; void:triples ?triples }"
)
_COUNTED = "SELECT ?class ?property (COUNT(*) AS ?triples) { ?s a ?class ; ?property ?o } GROUP BY ?class ?property"
_VALUES = (
    _VOID
    + "SELECT ?class ?property ?kind { ?c void:class ?class ; void:propertyPartition ?p . ?p void:property ?property . "
    "{ ?p void:classPartition/void:class ?kind } UNION { ?p more:datatypePartition/more:datatype ?kind } }"
)
_FOUND = (
    "SELECT DISTINCT ?class ?property ?kind { "
    "{ ?s a ?class ; ?property ?o . ?o a ?kind } UNION "
    "{ ?s a ?class ; ?property ?o BIND(DATATYPE(?o) AS ?kind) FILTER(BOUND(?kind)) } }"
)


@pytest.mark.parametrize(("stated", "counted"), [(_STATED, _COUNTED), (_VALUES, _FOUND)])
def test_void_states_what_a_query_counts(dist: Path, stated: str, counted: str) -> None:
    data, void = ox.Store(), ox.Store()
    data.bulk_load(path=dist / "rogl.nt", format=ox.RdfFormat.N_TRIPLES)
    void.load(path=dist / "void.ttl", format=ox.RdfFormat.TURTLE, base_iri=BASE)
    rows: Any = void.query(stated)
    expected: Any = data.query(counted)
    in_void = Counter(tuple(str(value) for value in row) for row in rows)
    assert len(in_void) > 500
    assert in_void == Counter(tuple(str(value) for value in row) for row in expected)


# -- the endpoint ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_an_endpoint_answers_about_itself(
    case: dict[str, Any], server: Served, publication: Path
) -> None:
    if case["query"].startswith("DESCRIBE"):
        body = server.query(case["query"], "application/n-triples").body
        assert body.count(b"\n") >= case["rows"]
        return
    rows = server.query(case["query"]).rows()
    assert len(rows) >= case.get("rows", 1)
    assert "has" not in case or tuple(case["has"]) in rows
    if "equal" in case:
        first, second = case["equal"]
        assert [row for row in rows if row[first] != row[second]] == []
    if case.get("data"):
        store = ox.Store()
        store.bulk_load(path=publication / "dist/rogl.nt", format=ox.RdfFormat.N_TRIPLES)
        expected: Any = store.query(case["query"], base_iri=BASE)
        assert rows == [tuple(value.value for value in row) for row in expected]


@pytest.fixture(scope="module")
def data(publication: Path) -> ox.Store:
    """The data of the server, without its description."""
    store = ox.Store()
    store.bulk_load(path=publication / "dist/rogl.nq", format=ox.RdfFormat.N_QUADS)
    return store


@pytest.mark.slow
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_sample_queries_have_the_answers_of_the_data_there(
    query: Query, server: Served, data: ox.Store
) -> None:
    expected = on_oxigraph(data, query.bound(), query.form)
    answer = answer_remotely(query, {}, server.url + "sparql")
    assert result_text(query, answer) == result_text(query, expected)


# -- which IRIs a query names ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("PREFIX a: <urn:a:> SELECT * { ?s a:b\\.c ?o }", ["urn:a:b.c"]),
        ("BASE <http://example.org/a/> ASK { <b> <../c> <?d> }", ["http://example.org/a/b", "http://example.org/c", "http://example.org/a/?d"]),
        ("PREFIX unused: <urn:u:> ASK { ?s ?p 'urn:text' } # <urn:comment>", []),
        ("ASK { GRAPH <urn:g> { <urn:a> ?p ?o OPTIONAL { <urn:b> ?p ?o } } <urn:c> ?p ?o }", ["urn:c"]),
        ("ASK { GRAPH ?g { { <urn:a> ?p ?o } } FILTER(?g = <urn:h>) }", ["urn:h"]),
        ("ASK { <\\u0075rn:escaped> ?p ?o }", ["urn:escaped"]),
        ("SELECT * FROM <urn:from> { VALUES ?x { <urn:v> } }", ["urn:from", "urn:v"]),
    ],
)  # fmt: skip
def test_names_of_a_query(text: str, names: list[str]) -> None:
    assert list(parse(text, "http://example.org/").names) == names
