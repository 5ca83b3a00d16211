"""SPARQL text is read as the store reads it, or refused: form, dataset, SERVICE."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyoxigraph as ox
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe.rdf.sparql import ReadDifferently, check_syntax, parse
from support import ROOT, TESTS

CASES = yaml.safe_load((TESTS / "sparql/spellings.yaml").read_text("utf-8"))
W3C = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared/suites")) / "rdf-tests/sparql"
BASE = "https://example.org/"


def test_there_are_enough_spellings() -> None:
    reads = [case["reads"] for case in CASES]
    print(
        f"{len(CASES)} spellings: {', '.join(f'{reads.count(url)} {url}' for url in sorted(set(reads)))}"
    )
    assert (
        reads.count("service") >= 20 and reads.count("refused") >= 10 and reads.count("plain") >= 10
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_spelling_is_read_or_refused(case: dict[str, Any]) -> None:
    text = case["text"].replace("ADDRESS", "http://127.0.0.1:9/")
    if case["reads"] == "refused":
        with pytest.raises(SyntaxError):
            parse(text)
    else:
        assert parse(text).uses_service is (case["reads"] == "service")


def test_parsing_runs_nothing() -> None:
    """This query would run for ever, and the store would ask the network."""
    check_syntax("SELECT * { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c } VALUES ?x { 1 2 } }")
    with pytest.raises(SyntaxError):
        check_syntax("SELECT * { SERVICE <http://127.0.0.1:9/> { ?a ?b ?c }")


def test_dataset_and_graphs_are_those_of_the_store() -> None:
    text = """BASE <http://a.example/> PREFIX p: <b/> SELECT * FROM <x#y> FROM p:c\\.d FROM NAMED <\\u007A>
    { GRAPH p:g { ?s ?p ?o } GRAPH ?g { ?s ?p 'FROM <q>' } } # FROM <no>"""
    parsed = parse(text)
    assert parsed.form == "select"
    assert parsed.dataset == (
        ("http://a.example/x#y", "http://a.example/b/c.d"),
        ("http://a.example/z",),
    )
    assert parsed.graphs == ("http://a.example/b/g",)


@given(st.text(alphabet=st.sampled_from("'\"\\un0027<>#{}?a:. \nSé\t"), max_size=30))
def test_a_string_is_the_same_in_the_spelling_that_is_run(value: str) -> None:
    text = f"SELECT ({ox.Literal(value)} AS ?x) {{}} #'\""
    (before,), (after,) = ox.Store().query(text), ox.Store().query(parse(text).text)  # type: ignore[misc]
    assert before[0] == after[0] == ox.Literal(value)


@given(st.text(alphabet=st.sampled_from("'\"\\u0027<>#{}?a:.(),;@ \n1=SERVIC"), max_size=30))
def test_what_is_read_is_what_runs(noise: str) -> None:
    """Where noise in a query parses, the spelling that is run gives the same rows on an empty
    store.
    """
    text = f"PREFIX : <x:> SELECT * {{ VALUES ?a {{ 1 }} {noise} }}"
    try:
        parsed = parse(text)
    except SyntaxError:
        return
    if not parsed.uses_service:
        before, after = (
            [tuple(row) for row in ox.Store().query(query)] for query in (text, parsed.text)
        )  # type: ignore[union-attr]
        assert before == after


@pytest.mark.skipif(not W3C.is_dir(), reason=f"no {W3C}")
def test_the_queries_of_the_w3c_are_read_as_the_store_reads_them() -> None:
    """Every query file of SPARQL 1.0, 1.1 and 1.2: the verdict of the store; syn-bad-26 alone is
    read by the store although it is wrong.
    """
    counted, different = 0, []
    for path in sorted(W3C.rglob("*.rq")):
        text = path.read_text("utf-8")
        counted += 1
        try:
            check_syntax(text, BASE)
        except SyntaxError:
            with pytest.raises(SyntaxError):
                parse(text, BASE)
            continue
        try:
            assert parse(text, BASE).form in ("select", "ask", "construct", "describe")
        except ReadDifferently:
            different.append(path.name)
    print(f"{counted} query files")
    assert counted > 300 and set(different) <= {"syn-bad-26.rq"}


TERMS = (
    "UNDEF", "_:b", "<x:b>", "<x:a>", '"x"', '"9"', '"5"', "10", "9", "5", "1.5", "2e0", '"NaN"^^xsd:double', '"INF"^^xsd:double', "true",
    '"2020-01-01"^^xsd:date', '"2019-12-31Z"^^xsd:date', '"2020-01-01T00:00:00"^^xsd:dateTime', '"2020-01-02T00:00:00Z"^^xsd:dateTime',
    '"2020"^^xsd:gYear', '"no"^^xsd:date', '"a"@en', '"a"@de',
)  # fmt: skip
PROLOGUE = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> "


def _ordered(values: list[str], key: str) -> list[str]:
    terms = " ".join(value for value in values if not value.startswith("_"))
    parsed = parse(
        f"{PROLOGUE}SELECT ?o {{ VALUES ?o {{ {terms} }} }} ORDER BY {key}"
    ).totally_ordered()
    assert parsed is not None
    return [str(row[0]) for row in ox.Store().query(parsed.text)]  # type: ignore[union-attr]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # other tests run beside it
@given(st.permutations(TERMS))
def test_the_total_order_does_not_depend_on_the_order_of_arrival(values: list[str]) -> None:
    assert _ordered(values, "?o") == _ordered(sorted(values), "ASC(?o)")
    assert _ordered(values, "DESC(?o)") == _ordered(values, "?o")[::-1]


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=8), st.sampled_from(["?o", "DESC(?o)"]))
def test_where_sparql_defines_an_order_the_total_order_is_that_one(
    values: list[int], key: str
) -> None:
    for template in ("{0}", "{0}.5", '"2020-01-01T00:00:00Z"^^xsd:dateTime', '"{0}"'):
        terms = " ".join(template.format(value) for value in values)
        plain = f"{PROLOGUE}SELECT ?o {{ VALUES ?o {{ {terms} }} }} ORDER BY {key}"
        expected = [row[0] for row in ox.Store().query(plain)]  # type: ignore[union-attr]
        ordered = parse(plain).totally_ordered()
        assert (
            ordered is not None and [row[0] for row in ox.Store().query(ordered.text)] == expected
        )  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("order", "changed"),
    [
        ("?o", True),
        ("DESC(?o) ?s", True),
        ("ASC( ?o ) LIMIT 1", True),
        ("STR(?o)", False),
        ("(?o + 1)", False),
        ("STR(?s) ?o", True),
    ],
)
def test_only_plain_variables_are_replaced(order: str, changed: bool) -> None:
    parsed = parse(f"SELECT * {{ ?s ?p ?o }} ORDER BY {order}").totally_ordered()
    assert (parsed is not None) is changed
    if parsed:
        check_syntax(parsed.text)
