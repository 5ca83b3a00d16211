"""The engine `columns`: what shapes it refuses, what it keeps of terms, how it asks SPARQL, and
what `lodpipe validate` reports.
"""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe import shacl
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.shacl.query_rewriting import as_join, has_empty_paths, prebind, predicates, problem
from lodpipe.shacl.shapes_graph import read_model
from lodpipe.shacl.sparql_constraints import QueryAnswerer
from shacl_support import EX, SH, XSD, by_columns, by_pyshacl, connection_with, nameless
from support import invoke

HEAD = f"@prefix ex: <{EX}> . @prefix sh: <{SH}> . @prefix xsd: <{XSD}> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"


def parsed(turtle: str) -> list[tuple[str, str, str]]:
    return [
        (str(q.subject), str(q.predicate), str(q.object))
        for q in ox.parse(HEAD + turtle, format=ox.RdfFormat.TURTLE)
    ]


def refused(turtle: str) -> str:
    with pytest.raises(InvalidDeclaration) as raised:
        read_model(parsed(turtle))
    assert {finding.code for finding in raised.value.findings} == {"LP605"}
    return " ".join(finding.params["detail"] for finding in raised.value.findings)


def test_recursive_shapes_are_refused_with_the_way_round() -> None:
    message = refused(
        "ex:S sh:targetClass ex:A ; sh:node ex:T . ex:T a sh:NodeShape ; sh:node ex:S ."
    )
    assert "S> → <http://example.org/T> → <http://example.org/S>" in message


@pytest.mark.parametrize(
    ("turtle", "word"),
    [
        ("ex:S a sh:PropertyShape ; sh:minCount 1 .", "exactly one sh:path"),
        ("ex:S a sh:NodeShape ; sh:path ex:p .", "no sh:path"),
        (
            "ex:S sh:targetClass ex:A ; sh:property ex:P . ex:P sh:minCount 1 .",
            "for property shapes only",
        ),
        ("ex:S sh:targetClass ex:A ; sh:minCount 1 .", "for property shapes only"),
        (
            "ex:S sh:targetClass ex:A ; sh:property [ sh:path ex:p ; sh:minCount 1, 2 ] .",
            "more than once",
        ),
        (
            "ex:S sh:targetClass ex:A ; sh:property [ sh:path ex:p ; sh:maxCount 'many' ] .",
            "not a whole number",
        ),
        ("ex:S sh:targetClass ex:A ; sh:nodeKind ex:IRI .", "no node kind"),
        ("ex:S sh:targetClass ex:A ; sh:or ( ) .", "no members"),
        ("ex:S sh:targetClass ex:A ; sh:in ex:list .", "well-formed list"),
        (
            "ex:S sh:targetClass ex:A ; sh:property [ sh:path ( ex:p ) ; sh:minCount 1 ] .",
            "at least two",
        ),
        ("ex:S sh:targetClass ex:A ; sh:node [ sh:path ex:p ] .", "a property shape"),
        (
            "ex:S sh:targetClass ex:A ; sh:sparql [ sh:select 'SELECT $this WHERE { $this ex:p ?x MINUS { $this ex:q ?x } }' ] .",
            "MINUS",
        ),
        ("ex:S sh:targetClass ex:A ; sh:sparql [ sh:message 'no query' ] .", "no single sh:select"),
    ],
)
def test_ill_formed_shapes_are_refused(turtle: str, word: str) -> None:
    assert word in refused(turtle)


def test_texts_keep_what_they_are_made_of() -> None:
    data = parsed('ex:a a ex:A ; ex:p "a\\tb\\"c\\\\d\\n", "\\u0001\\u007F", "é😀"@de .')
    rules = parsed(
        "ex:S sh:targetClass ex:A ; sh:property ex:P . ex:P sh:path ex:p ; sh:maxLength 1 ."
    )
    assert nameless(by_columns(data, rules)) == nameless(by_pyshacl(data, rules))
    assert len(by_columns(data, rules)) == 3


def test_numbers_come_back_from_sparql_as_they_were_written() -> None:
    data = parsed('ex:a a ex:A ; ex:p "007"^^xsd:integer ; ex:q "1.50"^^xsd:decimal .')
    query = (
        f"SELECT $this ?value WHERE {{ $this <{EX}p>|<{EX}q> ?value . FILTER (isNumeric(?value)) }}"
    )
    rules = parsed(
        f'ex:S sh:targetClass ex:A ; sh:sparql [ sh:message "{{?value}} is a number" ; sh:select "{query}" ] .'
    )
    results = shacl.validate(connection_with(data), read_model(rules)).results
    assert [result.value for result in results] == [
        f'"007"^^<{XSD}integer>',
        f'"1.50"^^<{XSD}decimal>',
    ]
    assert [result.messages for result in results] == [('"7 is a number"',), ('"1.5 is a number"',)]


def test_blank_nodes_are_not_lost_on_the_way_through_sparql() -> None:
    """A store gives blank nodes of what it loads names of its own, and a focus node would match none."""
    query = "SELECT $this ?value WHERE { $this <http://example.org/p> ?value . FILTER (ISBLANK($this)) }"
    rules = f"ex:S sh:targetClass ex:A ; sh:sparql [ sh:select '{query}' ; sh:message 'x' ] ."
    data = "_:a a ex:A ; ex:p _:b . _:b ex:p 1 ."
    triples = [(s, p, o) for s, p, o in parsed(data)]
    (focus,) = {s for s, _, o in triples if o == f"<{EX}A>"}
    (value,) = {o for _, _, o in triples if o.startswith("_:")}
    report = shacl.validate(connection_with(triples), read_model(parsed(rules)))
    assert [(result.focus, result.value) for result in report.results] == [(focus, value)]


def test_an_empty_path_leads_from_a_node_without_statements_to_itself() -> None:
    query = "SELECT $this ?value WHERE { $this <http://example.org/p>* ?value }"
    rules = f"ex:S sh:targetNode ex:alone ; sh:sparql [ sh:select '{query}' ; sh:message 'x' ] ."
    report = shacl.validate(connection_with([]), read_model(parsed(rules)))
    assert [result.value for result in report.results] == [f"<{EX}alone>"]


def test_plain_joins_need_no_sparql_engine_and_say_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = parsed('ex:a a ex:A ; ex:p 1, 5 ; ex:q 3 . ex:b a ex:A ; ex:p "x" ; ex:q 3 .')
    query = f"SELECT $this ?value WHERE {{ $this <{EX}p> ?value ; <{EX}q> ?most . FILTER (?value > ?most) }}"
    rules = parsed(f"ex:S sh:targetClass ex:A ; sh:sparql [ sh:select '{query}' ] .")
    joined = by_columns(data, rules)
    monkeypatch.setattr("lodpipe.shacl.sparql_constraints.plain_join", lambda *_: None)
    assert joined == by_columns(data, rules) and [result[2] for result in joined] == [
        f'"5"^^<{XSD}integer>'
    ]


def test_a_query_runs_once_for_all_focus_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = [
        triple
        for number in range(50)
        for triple in parsed(f"ex:n{number} a ex:A ; ex:p {number} .")
    ]
    rules = parsed(
        f"ex:S sh:targetClass ex:A ; sh:sparql [ sh:select 'SELECT $this WHERE {{ $this <{EX}p> ?v FILTER (?v > 40) }}' ] ."
    )
    queries: list[str] = []
    original = QueryAnswerer._run
    monkeypatch.setattr(
        QueryAnswerer,
        "_run",
        lambda self, query, name="": (queries.append(query), original(self, query, name))[1],
    )
    assert len(by_columns(data, rules)) == 9 and len(queries) == 1


def test_targets_of_queries_are_found() -> None:
    data = parsed("ex:a ex:p 1 . ex:b ex:p 2 .")
    rules = parsed(
        f"ex:S sh:target [ sh:select 'SELECT ?this WHERE {{ ?this <{EX}p> 2 }}' ] ; sh:nodeKind sh:Literal ."
    )
    assert [result[0] for result in by_columns(data, rules)] == [f"<{EX}b>"]


def test_what_a_query_reads_is_known() -> None:
    assert predicates("PREFIX e: <a:> SELECT $this { $this a e:A ; e:p/^e:q* ?x . FILTER NOT EXISTS { ?x e:r 'b'@de, 1 } }") == {
        "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", "<a:p>", "<a:q>", "<a:r>",
    }  # fmt: skip
    for unknown in ("$this ?p ?o", "$this !<a:p> ?o", "[] <a:p> $this", "GRAPH ?g { }"):
        assert predicates(f"SELECT $this {{ {unknown} }}") is None


def test_a_predicate_that_is_bound_before_is_known() -> None:
    query = "SELECT $this ?value { $this <a:p> ?value ; $day ?date }"
    assert predicates(query) is None
    assert predicates(query, [("day", "<a:d>"), ("text", '"x"')]) == {"<a:p>", "<a:d>"}
    assert predicates(query, [("day", '"no IRI"')]) is None


@pytest.mark.parametrize(
    ("group", "has_empty"),
    [
        ("$this <a:p> ?x", False),
        ("$this <a:p>* ?x", True),
        ("$this (<a:p>/<a:q>)? ?x", True),
        ("$this <a:p>+ ?x", False),
        ("$this <a:p> ?x . FILTER (?x * 2 > 3)", False),
        ("$this ?any ?x . BIND (?x * 2 AS ?y)", False),
        ("$this <a:p> ?x . FILTER (?x * 2 > 3 && EXISTS { ?x <a:q>* ?y })", True),
        ("FILTER NOT EXISTS { $this <a:p>? ?x }", True),
        ("{ SELECT $this { $this <a:p>* ?x } }", True),
        ("BIND (IF(EXISTS { ?x <a:p>* ?z }, 1, 2) AS ?y)", True),
        # not understood, so that it may have some
        ("$this !(<a:p>) ?x . FILTER (?x * 2 > 3)", True),
    ],
)
def test_paths_that_may_be_empty(group: str, has_empty: bool) -> None:
    assert has_empty_paths(f"SELECT $this {{ {group} }}") is has_empty


def test_what_cannot_be_bound_beforehand_is_reported() -> None:
    assert problem("SELECT $this { BIND (1 AS $this) }") and problem(
        "SELECT $this { { SELECT ?x { ?x ?y ?z } } }"
    )
    assert problem('SELECT $this { $this <a:p> "MINUS" } # VALUES') is None
    assert as_join("SELECT $this { $this <a:p> ?x OPTIONAL { ?x <a:q> ?y } }") is None


def test_counts_are_grouped_by_focus_node() -> None:
    prebound = prebind(
        "SELECT (COUNT(?x) AS ?n) WHERE { $this <a:p> ?x } HAVING (COUNT(?x) > 1) LIMIT 1",
        {"this": "F"},
    )
    assert (
        "SELECT ?this (COUNT" in prebound.text
        and "GROUP BY ?this" in prebound.text
        and prebound.limit == 1
        and "{ F " in prebound.text
    )


# -- lodpipe validate ------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "data.ttl").write_text(
        HEAD + 'ex:a a ex:A ; ex:p "x"@de, "y"@DE ; ex:q ex:b . ex:b ex:p [] .', "utf-8"
    )
    (tmp_path / "more.nq").write_text(
        f'<{EX}a> <{EX}p> "z"^^<{XSD}string> <{EX}g> .\n# comment\n_:b <{EX}p> _:b .\n', "utf-8"
    )
    (tmp_path / "shapes.ttl").write_text(
        HEAD + 'ex:S sh:targetClass ex:A ; sh:property [ sh:path ex:p ; sh:uniqueLang true ; sh:message "zweimal"@de, "twice"@en ] ;'
        " sh:node [ sh:property [ sh:path ( ex:q ex:p ) ; sh:nodeKind sh:IRI ] ] .", "utf-8",
    )  # fmt: skip
    return tmp_path


@pytest.mark.parametrize("engine", ["columns", "pyshacl"])
def test_every_engine_validates_files(files: Path, engine: str) -> None:
    done = invoke(
        "validate",
        files / "data.ttl",
        files / "more.nq",
        "--shapes",
        files / "shapes.ttl",
        "--engine",
        engine,
    )
    assert done.exit_code == 1 and "2 errors" in done.output, done.output


def test_the_report_is_rdf_with_details(files: Path) -> None:
    done = invoke(
        "validate",
        files / "data.ttl",
        "--shapes",
        files / "shapes.ttl",
        "--report",
        files / "report.ttl",
        "--lang",
        "de",
    )
    assert done.exit_code == 1 and "zweimal" in done.output
    graph = ox.Store()
    graph.load(path=str(files / "report.ttl"), format=ox.RdfFormat.TURTLE)
    query = f"SELECT * {{ ?r <{SH}detail> ?d . ?d <{SH}resultPath>/<http://www.w3.org/1999/02/22-rdf-syntax-ns#first> <{EX}q> }}"
    assert len(list(graph.query(query))) == 1


def test_data_that_conform_end_with_zero_and_broken_files_with_two(files: Path) -> None:
    (files / "good.ttl").write_text(HEAD + "ex:c a ex:C .", "utf-8")
    assert (
        invoke(
            "validate", files / "good.ttl", "--shapes", files / "shapes.ttl", "--engine", "columns"
        ).exit_code
        == 0
    )
    (files / "bad.nt").write_text("<a:b> <a:c> oops .\n", "utf-8")
    assert invoke("validate", files / "bad.nt", "--shapes", files / "shapes.ttl").exit_code == 2
    assert invoke("validate", files / "missing.nt", "--shapes", files / "shapes.ttl").exit_code == 2
    (files / "bad-shapes.ttl").write_text(
        HEAD + "ex:S sh:targetClass ex:A ; sh:minCount 1 .", "utf-8"
    )
    assert (
        invoke("validate", files / "data.ttl", "--shapes", files / "bad-shapes.ttl").exit_code == 2
    )
