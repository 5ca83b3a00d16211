"""Every sample query, and every question of docs/first-questions.md, gives its stored result on
pyoxigraph, rdflib, Virtuoso, Jena and Comunica, compared by value.

Real differences of an engine are in tests/queries/differences.yaml, each with its reason; one
that is gone fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyoxigraph as ox
import pytest
import yaml

from first_questions import first_questions, prefixes
from lodpipe.config.vocabulary import read_vocabulary
from lodpipe.queries.samples import Answer, as_csv, read_queries, result_file, result_text
from query_engines import (
    HAS_COMUNICA,
    HAS_JENA,
    HAS_VIRTUOSO,
    Engine,
    on_comunica,
    on_jena,
    on_oxigraph,
    on_rdflib,
    virtuoso,
)
from support import ROOT, TESTS

QUESTIONS = first_questions()
ANSWERS = {question.query.name: question.answer for question in QUESTIONS}
QUERIES = [
    *(query for query in read_queries(ROOT, ("de", "en")) if not query.federated),
    *(question.query for question in QUESTIONS),
]
DIFFERENCES = yaml.safe_load((TESTS / "queries/differences.yaml").read_text("utf-8"))
BASE = "https://w3id.org/rogl/"
CONTENT, ORDER = DIFFERENCES["content"], DIFFERENCES["order"]

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # rdflib warns of its own names
each = pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)


@pytest.fixture(scope="module")
def expected(store: ox.Store) -> dict[str, Answer]:
    """The answers of pyoxigraph, which are the stored ones: types and languages are in them, CSV
    has none.
    """
    return {query.name: on_oxigraph(store, query.bound(), query.form) for query in QUERIES}


@each
def test_pyoxigraph(query, expected: dict[str, Answer]) -> None:
    stored = ANSWERS.get(query.name) or (ROOT / result_file(query)).read_text("utf-8")
    assert result_text(query, expected[query.name]) == stored


def test_there_are_ten_first_questions_with_answers() -> None:
    assert len(ANSWERS) == 10
    assert all(answer.count("\n") >= 2 for answer in ANSWERS.values())


def test_the_prefixes_of_the_data_model_are_those_of_the_publication() -> None:
    lines = [line.split() for line in prefixes().splitlines()]
    declared = {name.rstrip(":"): iri.strip("<>") for _, name, iri in lines}
    known = read_vocabulary(ROOT, BASE).prefixes
    assert declared.keys() >= {"def", "org", "schema", "skos", "rdfs", "geo", "xsd"}
    assert [
        name
        for name, iri in declared.items()
        if known.get(name, iri) != iri or not (name in known or iri.startswith(BASE))
    ] == []


@pytest.fixture(scope="module")
def rdflib_engine(dist: Path) -> Engine:
    return on_rdflib(dist / "rogl.nq")


@each
def test_rdflib(query, rdflib_engine: Engine, expected: dict[str, Answer]) -> None:
    compare("rdflib", query.name, expected[query.name], rdflib_engine(query))


@pytest.fixture(scope="module")
def virtuoso_engine(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Virtuoso with the data and their description, which no answer depends on."""
    folder = tmp_path_factory.mktemp("virtuoso")
    both = folder / "both.nq"
    both.write_bytes((dist / "rogl.nq").read_bytes() + (dist / "metadata.nq").read_bytes())
    with virtuoso(both, folder) as engine:
        yield engine


@each
@pytest.mark.skipif(
    not HAS_VIRTUOSO, reason="Virtuoso (Debian: virtuoso-opensource) is not installed"
)
def test_virtuoso(query, virtuoso_engine: Engine, expected: dict[str, Answer]) -> None:
    compare("virtuoso", query.name, expected[query.name], virtuoso_engine(query))


@pytest.fixture(scope="module")
def jena_answers(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answer | str]:
    return on_jena(dist, QUERIES, tmp_path_factory.mktemp("jena"))


@each
@pytest.mark.skipif(not HAS_JENA, reason="Jena (Debian: libapache-jena-java, a JDK) is missing")
def test_jena(query, jena_answers: dict[str, Answer | str], expected: dict[str, Answer]) -> None:
    result = jena_answers[query.name]
    assert isinstance(result, Answer), result
    compare("jena", query.name, expected[query.name], result)


@pytest.fixture(scope="module")
def comunica_answers(
    dist: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Answer | str]:
    return on_comunica(dist, QUERIES, tmp_path_factory.mktemp("comunica"))


@each
@pytest.mark.skipif(
    not HAS_COMUNICA, reason="Comunica is not installed: make tests/comunica/node_modules/.made"
)
def test_comunica(
    query, comunica_answers: dict[str, Answer | str], expected: dict[str, Answer]
) -> None:
    result = comunica_answers[query.name]
    assert isinstance(result, Answer), result
    compare("comunica", query.name, expected[query.name], result)


@pytest.mark.skipif(not HAS_COMUNICA, reason="Comunica is not installed")
def test_an_order_that_is_listed_as_different_differs(
    comunica_answers: dict[str, Answer | str], expected: dict[str, Answer]
) -> None:
    assert list(ORDER) == ["comunica"]
    assert any(
        values(expected[name]) != values(result)
        for name, result in comunica_answers.items()
        if isinstance(result, Answer)
    )


def test_the_differences_are_few_and_have_reasons() -> None:
    differences = [
        (engine, name, reason)
        for engine, queries in CONTENT.items()
        for name, reason in queries.items()
    ]
    print(f"{len(QUERIES)} queries on 5 engines, {len(differences)} answers differ")
    assert {engine for engine, _, _ in differences} | set(ORDER) <= {
        "rdflib",
        "virtuoso",
        "jena",
        "comunica",
    }
    assert {name for _, name, _ in differences} <= {query.name for query in QUERIES}
    assert all(
        len(reason) > 20 for reason in (*(reason for _, _, reason in differences), *ORDER.values())
    )


# -- comparison ------------------------------------------------------------------------------------


def compare(engine: str, name: str, expected: Answer, result: Answer) -> None:
    """Fails where an answer differs and no reason is written down, and where it does not differ
    although one is.
    """
    description = f"{engine}:\n{as_csv(result) if result.form == 'select' else result.triples or result.truth}"
    if name in CONTENT.get(engine, {}):
        assert content(expected) != content(result), f"no difference any more: {description}"
    elif engine in ORDER:
        assert content(expected) == content(result), description
    else:
        assert values(expected) == values(result), description


def content(answer: Answer) -> object:
    return Counter(map(tuple, values(answer))) if answer.form == "select" else values(answer)


def values(answer: Answer) -> object:
    if answer.form == "ask":
        return answer.truth
    if answer.form == "select":
        return [list(answer.variables)] + [[value(term) for term in row] for row in answer.rows]
    return sorted(
        (s, p, "".join(map(str, value(term))))
        for s, p, o in answer.triples
        for term in [object_of(o)]
    )


def object_of(text: str) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    (quad,) = ox.parse(f"<urn:s> <urn:p> {text} .", format=ox.RdfFormat.N_TRIPLES)
    return quad.object


def value(term: object) -> tuple[object, ...]:
    """A term by its value: numbers as numbers, whatever their type and spelling; texts with their
    language or type.
    """
    if not isinstance(term, ox.Literal):
        return (str(term),)
    datatype = term.datatype.value.rpartition("#")[2]
    if datatype in ("integer", "decimal", "double", "float"):
        return ("number", round(float(term.value), 9))
    if datatype == "boolean":
        return ("boolean", term.value in ("true", "1"))
    return (term.value, term.language or datatype)
