"""Queries over large sets that are written as joins of sets have the answers of the store."""

from __future__ import annotations

from collections import Counter

import pyoxigraph as ox
import pytest

from lodpipe.queries import large_joins
from lodpipe.queries.large_joins import by_sets

PREFIXES = """PREFIX org: <http://www.w3.org/ns/org#> PREFIX schema: <https://schema.org/>
PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> """
IN_SETS = [
    "SELECT ?c (COUNT(?s) AS ?n) { ?s a ?c ; schema:name ?name } GROUP BY ?c",
    "SELECT (COUNT(*) AS ?n) WHERE { ?s schema:name ?a , ?b . ?s a ?c . }",
    "SELECT (COUNT(DISTINCT *) AS ?n) { ?m org:organization ?o ; a org:Membership . ?o schema:name ?name # } {\n }",
    "SELECT ?name (COUNT(*) AS ?n) { $m org:organization ?o . ?o schema:name ?name } GROUP BY ?name "
    'HAVING (COUNT(*) >= "2"^^xsd:integer && true) ORDER BY DESC(?n) ?name LIMIT 5',
    "SELECT (SAMPLE(?c) AS ?x) (MAX(STR(?name)) AS ?y) { ?s schema:name ?name . ?o a ?c . ?m org:organization ?o ; a ?c2 . ?s a ?c }",
]
AS_THEY_ARE = {
    "a pattern with few triples": "SELECT (COUNT(*) AS ?n) { ?s a schema:Dataset ; schema:name ?name }",
    "one pattern": "SELECT ?c (COUNT(*) AS ?n) { ?s a ?c } GROUP BY ?c",
    "a product": "SELECT (COUNT(*) AS ?n) { ?s a org:Membership . ?x schema:name ?name }",
    "no aggregate": "SELECT ?s ?name { ?s a ?c ; schema:name ?name } LIMIT 3",
    "a filter": 'SELECT (COUNT(*) AS ?n) { ?s a ?c ; schema:name ?name FILTER(LANG(?name) = "de") }',
    "a group in the group": "SELECT (COUNT(*) AS ?n) { ?s a ?c { ?s schema:name ?name } }",
    "a path": "SELECT (COUNT(*) AS ?n) { ?s a ?c ; org:organization/schema:name ?name }",
    "a blank node": "SELECT (COUNT(*) AS ?n) { [] a ?c ; schema:name ?name }",
    "any predicate": "SELECT (COUNT(*) AS ?n) { ?s a ?c ; ?p ?o }",
    "one small of four": "SELECT (COUNT(*) AS ?n) { ?s a ?c ; schema:name ?name . <https://w3id.org/rogl/lab/brandis> a ?c }",
    "a literal": 'SELECT (COUNT(*) AS ?n) { ?s a ?c ; schema:name "Bonn"@de }',
}


@pytest.fixture(autouse=True)
def _large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large is what the data of the tests has."""
    monkeypatch.setattr(large_joins, "LARGE", 50)


def rows(committed: ox.Store, query: str) -> list[tuple[str, ...]]:
    result = committed.query(query)
    assert isinstance(result, ox.QuerySolutions)
    return [tuple(str(term) for term in row) for row in result]


@pytest.mark.parametrize("text", IN_SETS)
def test_the_answer_is_that_of_the_store(
    text: str, committed: ox.Store, predicates: dict[str, int]
) -> None:
    in_sets = by_sets(PREFIXES + text, None, committed, predicates)
    assert in_sets is not None
    assert in_sets.count("{ SELECT ") >= 2
    expected, answer = rows(committed, PREFIXES + text), rows(committed, in_sets)
    assert expected
    if "SAMPLE" in text:
        assert [row[1:] for row in answer] == [row[1:] for row in expected]
    elif "ORDER" in text:
        assert answer == expected
    else:
        assert Counter(answer) == Counter(expected)


@pytest.mark.parametrize("text", AS_THEY_ARE.values(), ids=AS_THEY_ARE)
def test_other_queries_are_run_as_they_are(
    text: str, committed: ox.Store, predicates: dict[str, int]
) -> None:
    committed.query(PREFIXES + text)
    assert by_sets(PREFIXES + text, None, committed, predicates) is None


def test_patterns_beyond_the_memory_of_a_worker_are_looked_up(
    committed: ox.Store, predicates: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_joins, "_MOST", 60)
    assert by_sets(PREFIXES + IN_SETS[0], None, committed, predicates) is None
