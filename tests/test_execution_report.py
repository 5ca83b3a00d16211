"""Findings of a mapping as RDF by the RML Execution Report vocabulary: what went wrong, where in the
mapping and where in the source.
"""

from __future__ import annotations

from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.diagnostics.rules import RULES
from lodpipe.reporters import Report, render_report
from support import invoke

RER, PTR = "https://w3id.org/dre/rer#", "https://w3id.org/dre/ptr#"
PREFIXES = f"PREFIX rer: <{RER}> PREFIX ptr: <{PTR}> PREFIX dcterms: <http://purl.org/dc/terms/> "
# The terms of the vocabulary (version 0.0.1) that reports use.
TERMS = {
    "rer": {
        "RmlExecutionReport", "processorName", "processorVersion", "isSuccess", "isComplete", "hasLog", "hasError", "order", "message",
        "potentialSolution", "data", "reference", "mappingStatement", "Error", "Warning", "Information", "DataError", "UnparseableDataError",
        "SourceAccessError", "LogicalSourceError", "InvalidIRI", "IllTypedLiteralError", "NotWellFormedLanguageTagError",
        "ReferenceFormulationExecutionError", "ConfigurationError", "MappingError", "RDFMappingSyntaxError", "MissingDependency", "OutOfMemory",
    },
    "ptr": {"TextFilePointer", "path", "range", "Range", "start", "end", "Point", "line", "column"},
}  # fmt: skip
MAPPING = """\
prefixes: {ex: "https://example.org/"}
mappings:
  people:
    sources: [[people.csv~csv]]
    s: ex:$(id)
    po:
      - [ex:home, $(home)~iri]
      - [ex:born, $(born), xsd:date]
"""
PEOPLE = "id,home,born\n1,http://a b,2000-01-01\n2,https://x.org/,soon\n"
POINTS = """SELECT ?class ?data ?line ?sourceFile ?sourceLine WHERE {
  [] a rer:RmlExecutionReport ; rer:isSuccess ?success ; rer:hasLog|rer:hasError ?log .
  ?log a ?class ; rer:data ?data ;
    rer:mappingStatement [ ptr:path "people.yaml" ; ptr:range [ ptr:start [ ptr:line ?line ] ] ] ;
    dcterms:source [ ptr:path ?sourceFile ; ptr:range [ ptr:start [ ptr:line ?sourceLine ] ] ]
} ORDER BY ?line"""


def store_of(turtle: str) -> ox.Store:
    store = ox.Store()
    store.load(turtle.encode(), format=ox.RdfFormat.TURTLE)
    return store


def query(store: ox.Store, sparql: str) -> list[tuple[str, ...]]:
    solutions = store.query(PREFIXES + sparql)
    assert isinstance(solutions, ox.QuerySolutions)
    return [
        tuple(str(value.value).replace(RER, "rer:") for value in solution if value is not None)
        for solution in solutions
    ]


@pytest.mark.parametrize(
    ("policy", "classes", "code"),
    [
        ("error", ("rer:InvalidIRI", "rer:IllTypedLiteralError"), 1),
        ("warn", ("rer:Warning", "rer:Warning"), 0),
        ("skip", ("rer:Information", "rer:Information"), 0),
    ],
)
def test_a_report_points_to_the_mapping_and_to_the_source(
    policy: str, classes: tuple[str, str], code: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("people.yaml").write_text(MAPPING, "utf-8")
    Path("people.csv").write_text(PEOPLE, "utf-8")
    options = ("--on-invalid-value", policy, "--report", "report.ttl")
    result = invoke("map", "people.yaml", "-o", "people.nq", *options)
    store = store_of(Path("report.ttl").read_text("utf-8"))
    assert result.exit_code == code
    assert query(store, POINTS) == [
        (classes[0], "http://a b", "7", "people.csv", "2"),
        (classes[1], "soon", "8", "people.csv", "3"),
    ]
    success = str(code == 0).lower()
    assert query(store, "SELECT ?s ?c { [] rer:isSuccess ?s ; rer:isComplete ?c }") == [
        (success, "false")
    ]


def test_a_run_without_findings_is_a_success_and_complete(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(MAPPING, "utf-8")
    (tmp_path / "people.csv").write_text("id,home,born\n1,https://x.org/,2000-01-01\n", "utf-8")
    report = tmp_path / "report.ttl"
    result = invoke(
        "map", tmp_path / "people.yaml", "-o", tmp_path / "people.nq", "--report", report
    )
    assert (result.exit_code, result.stderr) == (0, "")
    store = store_of(report.read_text("utf-8"))
    assert query(store, "SELECT ?s ?c { [] rer:isSuccess ?s ; rer:isComplete ?c }") == [
        ("true", "true")
    ]
    assert query(store, "SELECT ?log { [] rer:hasLog|rer:hasError ?log }") == []


@pytest.mark.parametrize(
    ("mapping", "kind"),
    [
        ("nonsense", "rer:MappingError"),
        (MAPPING.replace("$(home)", "$(house)"), "rer:MappingError"),
        (MAPPING.replace("people.csv", "absent.csv"), "rer:SourceAccessError"),
        (MAPPING.replace("prefixes:", "prefixes: ["), "rer:UnparseableDataError"),
    ],
)
def test_errors_that_stop_a_run_are_in_the_report(mapping: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(mapping, "utf-8")
    (tmp_path / "people.csv").write_text(PEOPLE, "utf-8")
    report = tmp_path / "report.ttl"
    result = invoke("map", tmp_path / "people.yaml", "--report", report)
    assert result.exit_code in (1, 2)
    store = store_of(report.read_text("utf-8"))
    assert (kind,) in query(store, "SELECT ?class { [] rer:hasError [ a ?class ] }")


def test_every_code_makes_turtle_of_the_terms_of_the_vocabulary() -> None:
    findings = tuple(
        Finding(code, Origin('a "b".csv', 1, 2), {"value": '\\"\n\x00', "key": "k"}, severity)
        for code in RULES
        for severity in Severity
    )
    print(f"{len(findings)} findings")
    store = store_of(render_report(Report(findings, Path(), exit_code=1), "rer"))
    used = {
        term.value
        for quad in store
        for term in (quad.predicate, quad.object)
        if isinstance(term, ox.NamedNode)
    }
    known = {RER + name for name in TERMS["rer"]} | {PTR + name for name in TERMS["ptr"]}
    assert {iri for iri in used if iri.startswith("https://w3id.org/dre/")} == known
