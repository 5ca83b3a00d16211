"""After any change, validating what the change can reach gives the report of validating everything."""

from __future__ import annotations

import random

import duckdb
import pytest
from shacl_support import EX, SH, Maker, Triple, connection_with, flat

from pipeline import shacl
from pipeline.shacl.compile import Run
from pipeline.shacl.model import read_model


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def told(report: shacl.Report) -> list[tuple[object, ...]]:
    return sorted(flat(one, frozenset()) for one in report.results)


def store(connection: duckdb.DuckDBPyConnection, before: list[Triple], after: list[Triple]) -> None:
    """The statements of now, and those that differ from before."""
    connection_with(sorted(set(before) ^ set(after)), connection)
    connection.execute("CREATE OR REPLACE TABLE changed AS SELECT * FROM triples")
    connection_with(after, connection)


@pytest.mark.parametrize("seed", range(30))
def test_a_change_is_not_forgotten(seed: int, connection: duckdb.DuckDBPyConnection) -> None:
    source = random.Random(seed)
    maker = Maker(source)
    before, triples = maker.make()
    more = Maker(source).data()
    after = [one for one in before if source.random() > 0.15] + source.sample(more, min(3, len(more)))
    shapes = read_model(triples)
    first = shacl.validate(connection_with(before, connection), shapes)
    store(connection, before, after)
    again = shacl.revalidate(connection, shapes, first, "changed")
    assert told(again) == told(shacl.validate(connection, shapes))


def test_without_a_change_nothing_is_validated_again(connection: duckdb.DuckDBPyConnection) -> None:
    before, triples = Maker(random.Random(3)).make()
    shapes = read_model(triples)
    first = shacl.validate(connection_with(before, connection), shapes)
    store(connection, before, before)
    assert told(shacl.revalidate(connection, shapes, first, "changed")) == told(first)


def test_only_the_nodes_that_a_change_reaches_are_validated_again(connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, knows = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", f"<{EX}knows>"
    before = [(f"<{EX}{n}>", kind, f"<{EX}A>") for n in range(100)] + [(f"<{EX}{n}>", knows, f"<{EX}{n + 1}>") for n in range(99)]
    shapes = read_model([
        (f"<{EX}S>", f"<{SH}targetClass>", f"<{EX}A>"), (f"<{EX}S>", f"<{SH}property>", f"<{EX}P>"), (f"<{EX}P>", f"<{SH}path>", knows),
        (f"<{EX}P>", f"<{SH}minCount>", '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    ])  # fmt: skip
    first = shacl.validate(connection_with(before, connection), shapes)
    assert len(first.results) == 1
    store(connection, before, before[:-1])
    looked_at: list[int] = []
    original = Run.close
    monkeypatch.setattr(Run, "close", lambda self: (looked_at.append(self.count("nodes")), original(self)))
    assert len(shacl.revalidate(connection, shapes, first, "changed").results) == 2
    assert looked_at[0] <= 3
