"""A check loads only the statements that its queries read: the answers are those over all of them."""

from __future__ import annotations

import pyoxigraph as ox
import pytest

from lodpipe.queries.samples import read_query
from lodpipe.workflow.read_predicates import read_predicates

HEAD = "#+ title: {en: Title}\n#+ description: {en: 'Words.'}\nPREFIX s: <https://schema.org/>\n"
S = "https://schema.org/"
DATA = f"""
<urn:ann> a <{S}Person> ; <{S}name> "Ann" ; <{S}knows> <urn:bo> ; <{S}email> "ann@a.example" .
<urn:bo> a <{S}Person> ; <{S}name> "Bo" ; <{S}knows> <urn:cy> .
<urn:cy> <{S}name> "Cy" ; <{S}parent> <urn:ann> ; <https://b.example/name> "other" .
"""
# What a query reads, and the last parts of the predicates that are enough for it; None: all statements.
CASES = {
    "SELECT ?n { ?p a s:Person ; s:name ?n }": {"type", "name"},
    "SELECT ?n { ?p s:knows/s:name ?n }": {"knows", "name"},
    "SELECT ?n { ?p s:knows+/^s:parent ?n }": {"knows", "parent"},
    "SELECT * { ?p s:name ?n OPTIONAL { ?p s:email ?e } }": {"name", "email"},
    "SELECT (COUNT(*) AS ?n) { ?p s:name ?x FILTER NOT EXISTS { ?p s:email ?e } }": {"name", "email"},
    "SELECT ?n { { ?p s:name ?n } UNION { ?p s:email ?n } }": {"name", "email"},
    "SELECT ?n { ?p <https://b.example/name> ?n }": {"name"},
    "ASK { <urn:ann> s:knows <urn:bo> }": {"knows"},
    "CONSTRUCT { ?q s:name ?p } { ?p s:knows ?q }": {"knows", "name"},
    "SELECT ?p { ?p ?any 'Bo' }": None,
    "SELECT ?q { ?p s:knows* ?q }": None,
    "SELECT ?q { ?p s:knows? ?q }": None,
    "SELECT ?q { ?p !s:knows ?q }": None,
    "SELECT ?q { GRAPH ?g { ?p s:knows ?q } }": None,
    "SELECT ?q FROM <urn:g> { ?p s:knows ?q }": None,
    "SELECT ?q { { SELECT ?q { ?p s:knows ?q } } }": None,
    "DESCRIBE ?p { ?p s:name 'Ann' }": None,
    "SELECT ?n { ?p <https://schema.org/./name> ?n }": None,
    "SELECT ?n { ?p <https://schema.org/\\u006eame> ?n }": None,
}  # fmt: skip


def rows(store: ox.Store, text: str) -> object:
    """The answer of a query, in any order."""
    answer = store.query(text)
    if isinstance(answer, ox.QueryBoolean):
        return bool(answer)
    return sorted(str(item) for item in answer)


@pytest.mark.parametrize("text", CASES)
def test_what_is_read_is_enough(text: str) -> None:
    read = read_predicates([read_query(HEAD + text, "queries/q.rq", ("en",))])
    if CASES[text] is None:
        assert read is None
        return
    assert read is not None
    assert {item.rstrip(">").replace("#", "/").rpartition("/")[2] for item in read} == CASES[text]
    whole, part = ox.Store(), ox.Store()
    whole.load(DATA, format=ox.RdfFormat.TURTLE)
    part.extend(quad for quad in whole if str(quad.predicate) in read)
    assert len(part) < len(whole)
    assert rows(part, HEAD + text) == rows(whole, HEAD + text)


def test_one_query_that_reads_all_needs_all() -> None:
    texts = ("SELECT ?n { ?p s:name ?n }", "SELECT ?p { ?s ?p ?o }")
    queries = [read_query(HEAD + text, "queries/q.rq", ("en",)) for text in texts]
    assert read_predicates(queries) is None
    assert read_predicates(queries[:1]) == {f"<{S}name>"}
    assert read_predicates([]) == frozenset()
