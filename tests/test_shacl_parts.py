"""Validated in parts, any data give the report of validating them as a whole: the same results in the
same order, with the same details.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe import shacl
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.shacl.data_graph import load_files
from lodpipe.shacl.partitions import LocalTables, parts, validate_in_parts
from lodpipe.shacl.placements import plan_shapes
from lodpipe.shacl.shapes_graph import ShapesGraph, read_model
from lodpipe.workflow.validation_run import ValidationOptions, read_files
from shacl_queries import QueryMaker
from shacl_support import EX, SH, TYPE, XSD, Maker, Triple, connection_with, report_text
from support import ROOT, TESTS

PAIRS = int(os.environ.get("LODPIPE_PAIRS", "40"))
EVERYWHERE = settings(
    max_examples=PAIRS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="LODPIPE_PAIRS" not in os.environ,
    database=None,
)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def same(
    connection: duckdb.DuckDBPyConnection, data: list[Triple], rules: list[Triple], *counts: int
) -> str:
    """The report of the whole, which that in parts must equal; empty where the shapes are refused."""
    connection_with(data, connection)
    try:
        shapes = read_model(rules)
        whole = report_text(shacl.validate(connection, shapes))
    except InvalidDeclaration:  # random shapes may say something twice
        return ""
    for count in counts:
        for many in (1_000_000, 0):  # few focus nodes, and so many that they own most statements
            report = validate_in_parts(connection, shapes, count, many=many)
            assert report_text(report) == whole, (count, many)
    return whole


@EVERYWHERE
@given(seed=st.integers(0, 2**32))
def test_no_part_reports_anything_else_than_the_whole(
    seed: int, connection: duckdb.DuckDBPyConnection
) -> None:
    same(connection, *Maker(random.Random(seed)).make(), 1, 4)


@EVERYWHERE
@given(seed=st.integers(0, 2**32))
def test_no_query_reads_what_its_part_does_not_have(
    seed: int, connection: duckdb.DuckDBPyConnection
) -> None:
    source = random.Random(seed)
    maker = Maker(source)
    same(connection, sorted({*maker.data(), *maker.data()}), QueryMaker(source).shapes(), 5)


def shape(*statements: tuple[str, str, str]) -> list[Triple]:
    """Triples of shapes, their names and those of SHACL in short."""
    return [
        (f"<{EX}{s}>", f"<{SH}{p}>", o if o[0] in '"<_' else f"<{EX}{o}>") for s, p, o in statements
    ]


def test_a_node_that_many_name_is_no_copy_of_all_that_name_it(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Ten thousand persons live in one country, whose name is in their reach, and not each other."""
    people = [f"<{EX}p{number}>" for number in range(10_000)]
    country = f"<{EX}country>"
    data = [(person, TYPE, f"<{EX}Person>") for person in people]
    data += [(person, f"<{EX}home>", country) for person in people]
    data += [(country, f"<{EX}name>", '"C"'), (country, f"<{EX}note>", '"n"')]
    rules = shape(
        ("S", "targetClass", "Person"), ("S", "property", "P"), ("P", "path", "home"), ("P", "node", "C"),
        ("C", "property", "N"), ("N", "path", "name"), ("N", "minCount", f'"1"^^<{XSD}integer>'),
    )  # fmt: skip
    tables = LocalTables(connection_with(data, connection))
    division = parts(tables, plan_shapes(read_model(rules)), 4)
    sizes = dict(
        connection.execute(
            f"SELECT part, count(*) FROM ({division.table}) WHERE fs IS NULL GROUP BY part"
        ).fetchall()
    )
    assert sum(sizes.values()) == 10_000 + 4  # each home, and the name once for each part
    assert max(sizes.values()) < 3_000


def test_a_long_chain_is_left_to_the_whole(connection: duckdb.DuckDBPyConnection) -> None:
    data = [(f"<{EX}n{number}>", f"<{EX}next>", f"<{EX}n{number + 1}>") for number in range(60)]
    rules = shape(
        ("S", "targetNode", "n0"), ("S", "property", "P"), ("P", "path", "_:p"), ("P", "maxCount", f'"3"^^<{XSD}integer>'),
        ("T", "targetNode", "n1"), ("T", "property", "Q"), ("Q", "path", "next"), ("Q", "maxCount", f'"0"^^<{XSD}integer>'),
    )  # fmt: skip
    rules.append(("_:p", f"<{SH}oneOrMorePath>", f"<{EX}next>"))
    plan = plan_shapes(read_model(rules))
    tables = LocalTables(connection_with(data, connection))
    whole = parts(tables, plan, 2).whole
    assert [shape.name for shape, fs, _ in plan.roots if fs in whole] == [f"<{EX}S>"]
    assert not parts(tables, plan, 2, rounds=80).whole
    assert same(connection, data, rules, 1, 2).count("#ValidationResult>") == 2


@pytest.mark.parametrize("key", ['"1"', f'"1"^^<{XSD}integer>'])
def test_the_same_number_in_two_spellings_is_the_same_to_a_query(
    connection: duckdb.DuckDBPyConnection, key: str
) -> None:
    query = f"SELECT $this WHERE {{ $this <{EX}key> ?k . ?other <{EX}key> ?k . FILTER (?other != $this) }}"
    data = [(f"<{EX}{name}>", TYPE, f"<{EX}A>") for name in ("a", "b")]
    data += [(f"<{EX}a>", f"<{EX}key>", key), (f"<{EX}b>", f"<{EX}key>", key.replace("1", "01", 1))]
    rules = [*shape(("S", "targetClass", "A"), ("S", "sparql", "_:q")), ("_:q", f"<{SH}select>", f'"{query}"')]  # fmt: skip
    plan = plan_shapes(read_model(rules))
    is_number = key != '"1"'
    tables = LocalTables(connection_with(data, connection))
    assert bool(parts(tables, plan, 2).whole) == is_number
    results = same(connection, data, rules, 1, 2, 3).count("#ValidationResult>")
    assert results == (2 if is_number else 0)


# -- the real publication --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rules() -> ShapesGraph:
    return read_files([ROOT / "dist/shapes.ttl"], ValidationOptions()).model


@pytest.mark.slow
@pytest.mark.parametrize("broken", [False, True])
def test_the_publication_in_parts_gives_the_report_of_the_whole(
    connection: duckdb.DuckDBPyConnection, rules: ShapesGraph, broken: bool
) -> None:
    load_files(connection, [ROOT / "dist/rogl.nq"])
    if broken:
        connection.execute("DELETE FROM triples WHERE hash(s, p, o) % 10 = 0")
    whole = shacl.validate(connection, rules)
    assert len(whole.results) > (1_000 if broken else -1)
    for count in (1, 3, 7):
        parted = validate_in_parts(connection, rules, count, many=0 if count == 3 else 1_000_000)
        assert report_text(parted) == report_text(whole)


@pytest.mark.slow
def test_all_examples_of_our_shapes_in_parts(
    connection: duckdb.DuckDBPyConnection, rules: ShapesGraph
) -> None:
    examples = sorted((TESTS / "shapes").glob("*/*.ttl"))
    load_files(connection, examples, "https://w3id.org/rogl/")
    whole = shacl.validate(connection, rules)
    print(f"{len(examples)} examples, {len(whole.results)} results")
    assert len(examples) > 200 and len(whole.results) > 200
    assert report_text(validate_in_parts(connection, rules, 3)) == report_text(whole)
