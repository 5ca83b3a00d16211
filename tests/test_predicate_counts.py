"""Counts from the numbers of triples of each predicate have the answers of the store."""

from __future__ import annotations

from collections import Counter

import pyoxigraph as ox
import pytest

from lodpipe.queries.predicate_counts import by_predicate

COUNTED = [
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o }",
    "select (count(?x) as ?n) where { ?x ?y ?z . }",
    "SELECT (COUNT(*) AS ?n) (COUNT(?o) * 2 + 1 AS ?m) WHERE {\n ?s ?p ?o\n}",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
    "SELECT ?p (COUNT(?s) AS ?n) WHERE { ?s ?p ?o } GROUP BY ?p ORDER BY DESC(?n) STR(?p) LIMIT 10",
    "SELECT (COUNT(?p) AS ?n) ?p { ?s ?p ?o . } GROUP BY ?p HAVING (COUNT(*) > 100) ORDER BY ?p OFFSET 2",
    "# how many?\nSELECT (COUNT(*) AS ?n) # all\r{ ?s ?p # each } {\n ?o } # 7",
    "SELECT (STRLEN(STR(?p)) AS ?length) (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p",
]
NOT_COUNTED = [
    "SELECT (COUNT(DISTINCT ?s) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?s }",
    "SELECT (COUNT(*) AS ?n) { ?s a ?o }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o FILTER(isIRI(?o)) }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o . ?o ?q ?r }",
    "SELECT ?s (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?s",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ?s",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY ?p ORDER BY ?o",
    "SELECT (COUNT(?x) AS ?n) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) (SAMPLE(?s) AS ?one) { ?s ?p ?o }",
    "SELECT (COUNT(*) AS ?n) { GRAPH ?g { ?s ?p ?o } }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } VALUES ?p { <x:p> }",
    "SELECT (MAX(?p) AS ?m) (COUNT(*) AS ?n) { ?s ?p ?o }",
    "SELECT ?p (COUNT(*) AS ?n) { ?s ?p ?o } GROUP BY (STR(?p) AS ?p2)",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o # }\n FILTER(isIRI(?o)) }",
    "SELECT (COUNT(*) AS ?n) { ?s ?p ?o } # all\n LIMIT 0 # <none>",
    "SELECT * { ?s ?p ?o }",
    "ASK { ?s ?p ?o }",
]


@pytest.mark.parametrize("text", COUNTED)
def test_the_answer_is_that_of_the_store(
    text: str, committed: ox.Store, predicates: dict[str, int]
) -> None:
    rewritten = by_predicate(text, predicates)
    assert rewritten is not None
    expected, answer = (
        [[str(term) for term in row] for row in committed.query(query)]
        for query in (text, rewritten)
    )
    assert len(expected) >= 1
    if "ORDER" in text:
        assert answer == expected
    else:
        assert Counter(map(tuple, answer)) == Counter(map(tuple, expected))


def test_an_empty_store_has_no_triples() -> None:
    query = by_predicate(COUNTED[0], {})
    assert query is not None
    assert [str(row[0].value) for row in ox.Store().query(query)] == ["0"]


@pytest.mark.parametrize("text", NOT_COUNTED)
def test_other_queries_are_run_as_they_are(text: str, predicates: dict[str, int]) -> None:
    assert by_predicate(text, predicates) is None
