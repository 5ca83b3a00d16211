"""After any change, validating what the change can reach gives the report of validating everything."""

from __future__ import annotations

import os
import random
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lodpipe import shacl
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.shacl.shape_run import Run
from lodpipe.shacl.shapes_graph import SUBCLASS, read_model
from shacl_queries import QueryMaker
from shacl_support import CLASSES, EX, NODES, SH, TYPE, XSD, Maker, Triple, connection_with, flat
from support import invoke

CHANGES = int(os.environ.get("LODPIPE_PAIRS", "40"))


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def flattened(report: shacl.Report) -> list[tuple[object, ...]]:
    return sorted(flat(result, frozenset()) for result in report.results)


def store(connection: duckdb.DuckDBPyConnection, before: list[Triple], after: list[Triple]) -> None:
    """The statements of now, and those that differ from before."""
    connection_with(sorted(set(before) ^ set(after)), connection)
    connection.execute("CREATE OR REPLACE TABLE changed AS SELECT * FROM triples")
    connection_with(after, connection)


def altered(source: random.Random, before: list[Triple]) -> list[Triple]:
    """The same data after a change of one kind: fewer statements, more, both, other classes, or a
    class below another.
    """
    more = Maker(source).data()
    kind = source.choice(["removed", "added", "both", "classes", "hierarchy", "one"])
    fewer = [
        triple for triple in before if kind not in ("removed", "both") or source.random() > 0.15
    ]
    if kind in ("added", "both"):
        return fewer + source.sample(more, min(3, len(more)))
    if kind == "classes":
        return [triple for triple in before if triple[1] != TYPE or source.random() > 0.3] + [
            (node, TYPE, source.choice(CLASSES)) for node in NODES[:2]
        ]
    if kind == "hierarchy":
        return [triple for triple in before if triple[1] != SUBCLASS or source.random() > 0.5] + [
            (CLASSES[0], SUBCLASS, source.choice(CLASSES[1:]))
        ]
    if kind == "one" and before:
        fewer.remove(source.choice(fewer))
    return fewer


EVERYWHERE = settings(
    max_examples=CHANGES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize="LODPIPE_PAIRS" not in os.environ,
    database=None,
)


def compare(
    connection: duckdb.DuckDBPyConnection,
    rules: list[Triple],
    before: list[Triple],
    after: list[Triple],
) -> None:
    """A validation of all is equal to one of what the change can reach."""
    try:
        shapes = read_model(rules)
    except InvalidDeclaration:  # a random shape that says something twice
        return
    first = shacl.validate(connection_with(before, connection), shapes)
    store(connection, before, after)
    again = shacl.revalidate(connection, shapes, first, "changed")
    whole = shacl.validate(connection, shapes)
    assert flattened(again) == flattened(whole)
    # What is reported of the change alone is part of the whole; the rest was reported before.
    alone = flattened(shacl.revalidate(connection, shapes, shacl.Report({}), "changed"))
    assert set(alone) <= set(flattened(whole)) <= set(alone) | set(flattened(first))


@EVERYWHERE
@given(seed=st.integers(0, 2**32))
def test_a_change_is_not_forgotten(seed: int, connection: duckdb.DuckDBPyConnection) -> None:
    source = random.Random(seed)
    before, rules = Maker(source).make()
    compare(connection, rules, before, altered(source, before))


@EVERYWHERE
@given(seed=st.integers(0, 2**32))
def test_a_change_that_a_query_reads_is_not_forgotten(
    seed: int, connection: duckdb.DuckDBPyConnection
) -> None:
    source = random.Random(seed)
    maker = Maker(source)
    before = sorted({*maker.data(), *maker.data()})
    compare(connection, QueryMaker(source).shapes(), before, altered(source, before))


@pytest.mark.parametrize("key", ['"1"', f'"1"^^<{XSD}integer>'])
def test_the_same_number_in_another_spelling_is_not_forgotten(
    connection: duckdb.DuckDBPyConnection, key: str
) -> None:
    """A query reaches a number from the subjects of all its spellings."""
    query = f"SELECT $this WHERE {{ $this <{EX}key> ?k . ?other <{EX}key> ?k . FILTER (?other != $this) }}"
    shape = f"<{EX}S>"
    rules = [
        (shape, f"<{SH}targetClass>", f"<{EX}A>"), (shape, f"<{SH}sparql>", "_:q"), ("_:q", f"<{SH}select>", f'"{query}"'),
    ]  # fmt: skip
    before = [(f"<{EX}{name}>", TYPE, f"<{EX}A>") for name in ("a", "b")]
    before.append((f"<{EX}a>", f"<{EX}key>", key))
    compare(
        connection, rules, before, [*before, (f"<{EX}b>", f"<{EX}key>", key.replace("1", "01", 1))]
    )


def test_without_a_change_nothing_is_validated_again(connection: duckdb.DuckDBPyConnection) -> None:
    before, triples = Maker(random.Random(3)).make()
    shapes = read_model(triples)
    first = shacl.validate(connection_with(before, connection), shapes)
    store(connection, before, before)
    assert flattened(shacl.revalidate(connection, shapes, first, "changed")) == flattened(first)


def test_only_the_nodes_that_a_change_reaches_are_validated_again(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, knows = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>", f"<{EX}knows>"
    before = [(f"<{EX}{n}>", kind, f"<{EX}A>") for n in range(100)] + [
        (f"<{EX}{n}>", knows, f"<{EX}{n + 1}>") for n in range(99)
    ]
    shapes = read_model([
        (f"<{EX}S>", f"<{SH}targetClass>", f"<{EX}A>"), (f"<{EX}S>", f"<{SH}property>", f"<{EX}P>"), (f"<{EX}P>", f"<{SH}path>", knows),
        (f"<{EX}P>", f"<{SH}minCount>", '"1"^^<http://www.w3.org/2001/XMLSchema#integer>'),
    ])  # fmt: skip
    first = shacl.validate(connection_with(before, connection), shapes)
    assert len(first.results) == 1
    store(connection, before, before[:-1])
    looked_at: list[int] = []
    original = Run.close
    monkeypatch.setattr(
        Run, "close", lambda self: (looked_at.append(self.count("nodes")), original(self))
    )
    assert len(shacl.revalidate(connection, shapes, first, "changed").results) == 2
    assert looked_at[0] <= 3


def test_the_command_reports_what_changed_and_nothing_else(tmp_path: Path) -> None:
    prefixes = f"@prefix ex: <{EX}> . @prefix sh: <{SH}> .\n"
    shapes, old, new = (tmp_path / name for name in ("shapes.ttl", "old.ttl", "new.ttl"))
    shapes.write_text(
        prefixes
        + "ex:S sh:targetClass ex:A ; sh:property ex:P . ex:P sh:path ex:knows ; sh:minCount 1 ; sh:class ex:A .",
        "utf-8",
    )
    old.write_text(
        prefixes
        + "ex:one a ex:A . ex:two a ex:A ; ex:knows ex:three . ex:three a ex:A ; ex:knows ex:two .",
        "utf-8",
    )
    new.write_text(
        prefixes + "ex:one a ex:A . ex:two a ex:A ; ex:knows ex:three . ex:three ex:knows ex:two .",
        "utf-8",
    )
    whole = invoke("validate", new, "--shapes", shapes, "--engine", "columns")
    since = invoke("validate", new, "--shapes", shapes, "--since", old)
    assert (whole.exit_code, since.exit_code) == (1, 1)
    assert (whole.output.count("error LP401"), since.output.count("error LP401")) == (2, 1)
    assert "two" in since.output
    assert invoke("validate", new, "--shapes", shapes, "--since", new).exit_code == 0
    refused = invoke("validate", new, "--shapes", shapes, "--since", old, "--engine", "pyshacl")
    assert (refused.exit_code, "--since needs the engine columns" in refused.output) == (2, True)
