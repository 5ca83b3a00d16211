"""The W3C's SHACL test suite (data-shapes-test-suite/tests): every case of core/ and sparql/, the
full report compared.

The suite's folder is named by the environment variable LODPIPE_SHACL_SUITE; without it one test is
skipped. It is not handed on here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote, urlparse

import duckdb
import pyoxigraph as ox
import pytest

from lodpipe import shacl
from lodpipe.diagnostics.finding import InvalidDeclaration
from lodpipe.rdf.namespaces import SH
from lodpipe.shacl.partitions import validate_in_parts
from lodpipe.shacl.shapes_graph import read_model
from lodpipe.shacl.validation_report import report_triples
from shacl_support import connection_with

FOLDER = os.environ.get("LODPIPE_SHACL_SUITE", "")
MF = "http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#"
SHT = "http://www.w3.org/ns/shacl-test#"
# Cases, each with its reason, where SHACL does not ask for what they expect; one that passes
# fails the tests.
EXPECTED_FAILURES: dict[str, str] = {}
_OPEN = frozenset(
    {"value", "focusNode", "sourceShape", "sourceConstraint"}
)  # blank nodes of other graphs: their names mean nothing


@dataclass(frozen=True)
class Case:
    """A case of the suite: its files, and the graph that holds the expected report."""

    name: str
    path: Path

    @property
    def graph(self) -> ox.Store:
        return loaded(self.path)


def loaded(path: Path) -> ox.Store:
    store = ox.Store()
    store.load(path=str(path), format=ox.RdfFormat.TURTLE, base_iri=path.resolve().as_uri())
    return store


def cases() -> list[Case]:
    root = Path(FOLDER)
    paths = (
        [path for part in ("core", "sparql") for path in sorted((root / part).rglob("*.ttl"))]
        if FOLDER
        else []
    )
    return [
        Case(path.relative_to(root).as_posix(), path)
        for path in paths
        if SHT + "Validate" in expanded(path)
    ]


def expanded(path: Path) -> str:
    return " ".join(str(quad.object) for quad in loaded(path).quads_for_pattern(None, None, None))


def value(
    store: ox.Store, node: object, iri: str
) -> ox.NamedNode | ox.BlankNode | ox.Literal | None:
    return next(
        (quad.object for quad in store.quads_for_pattern(node, ox.NamedNode(iri), None)), None
    )


def triples(path: Path) -> list[tuple[str, str, str]]:
    quads = ox.parse(
        path=str(path), format=ox.RdfFormat.TURTLE, base_iri=path.resolve().as_uri()
    )  # a store would write "1" as "true"
    return [(str(quad.subject), str(quad.predicate), str(quad.object)) for quad in quads]


def result_of(store: ox.Store, node: object, *, messages: bool, out: ox.Dataset) -> None:
    """The part of a report that is compared: no details, and messages only where the case expects
    some.
    """
    for quad in store.quads_for_pattern(node, None, None):
        name = quad.predicate.value.removeprefix(SH)
        if name in ("detail", "sourceConstraint") or (name == "resultMessage" and not messages):
            continue
        target = quad.object
        if isinstance(target, ox.BlankNode):
            if name in _OPEN:
                target = ox.NamedNode("urn:blank")
            else:
                result_of(store, target, messages=messages, out=out)
        out.add(ox.Quad(quad.subject, quad.predicate, target))


def canonical(store: ox.Store, node: object, messages: bool) -> list[str]:
    out = ox.Dataset()
    result_of(store, node, messages=messages, out=out)
    out.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(str(quad) for quad in out)


@pytest.mark.skipif(bool(FOLDER), reason="the suite is there")
def test_the_suite_is_named() -> None:
    pytest.skip("LODPIPE_SHACL_SUITE names no folder of the W3C's SHACL suite")


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_gives_the_expected_report(case: Case) -> None:
    graph = case.graph
    data, rules, expected = files_of(graph)
    passed = outcome(triples(data), triples(rules), graph, expected)
    assert passed != (case.name in EXPECTED_FAILURES), EXPECTED_FAILURES.get(case.name, case.name)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_case_in_parts_gives_the_same_report(case: Case) -> None:
    data, rules = (triples(path) for path in files_of(case.graph)[:2])
    try:
        shapes = read_model(rules)
    except InvalidDeclaration:
        return
    with duckdb.connect() as connection:
        connection_with(data, connection)
        whole = outcome_text(lambda: shacl.validate(connection, shapes))
        for count in (1, 3, 7):
            part = outcome_text(partial(validate_in_parts, connection, shapes, count))
            assert part == whole, f"{count} parts"


def outcome_text(validate: Callable[[], shacl.Report]) -> str:
    """A report as N-Triples, or what the shapes are refused for."""
    try:
        return "".join(f"{s} {p} {o} .\n" for s, p, o in report_triples(validate().results))
    except InvalidDeclaration as error:
        return str([(finding.code, dict(finding.params)) for finding in error.findings])


def files_of(graph: ox.Store) -> tuple[Path, Path, object]:
    """The files of a case's data and shapes, and the node of the expected result."""
    (test,) = (
        quad.subject for quad in graph.quads_for_pattern(None, None, ox.NamedNode(SHT + "Validate"))
    )
    action, expected = value(graph, test, MF + "action"), value(graph, test, MF + "result")
    data, rules = (
        Path(unquote(urlparse(value(graph, action, SHT + name).value).path))
        for name in ("dataGraph", "shapesGraph")
    )
    return data, rules, expected


def outcome(
    data: list[tuple[str, str, str]],
    rules: list[tuple[str, str, str]],
    graph: ox.Store,
    expected: object,
) -> bool:
    """Whether a case gives what it expects: a failure, or a report."""
    try:
        with duckdb.connect() as connection:
            report = shacl.validate(connection_with(data, connection), read_model(rules))
    except InvalidDeclaration:
        return expected == ox.NamedNode(SHT + "Failure")
    if not isinstance(expected, ox.BlankNode):
        return False
    ours = ox.Store()
    ours.load(
        "".join(f"{s} {p} {o} .\n" for s, p, o in report_triples(report.results)).encode(),
        format=ox.RdfFormat.N_TRIPLES,
    )
    (top,) = (
        quad.subject
        for quad in ours.quads_for_pattern(None, None, ox.NamedNode(SH + "ValidationReport"))
    )
    messages = any(
        value(graph, quad.object, SH + "resultMessage")
        for quad in graph.quads_for_pattern(expected, ox.NamedNode(SH + "result"), None)
    )
    return canonical(graph, expected, messages) == canonical(ours, top, messages)
