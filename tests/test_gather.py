"""Lists and containers that gather maps make (RML-CC): each folder of tests/gather has a mapping, its
sources, and what it must make as TriG. Blank nodes are compared by RDFC-1.0.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pyoxigraph as ox
import pytest

from lodpipe.diagnostics.finding import InvalidData, InvalidDeclaration
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import TESTS

CASES = sorted(path for path in (TESTS / "gather").iterdir() if path.is_dir())
BASE = "http://example.org/"


def canonical(data: bytes, syntax: ox.RdfFormat) -> list[str]:
    dataset = ox.Dataset(ox.parse(data, format=syntax, base_iri=BASE))
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return sorted(str(quad) for quad in dataset)


def mapped(folder: Path, tmp_path: Path, name: str = "out.nq") -> bytes:
    work = tmp_path / "case"
    if not work.is_dir():
        shutil.copytree(folder, work)
    map_file(work / "mapping.ttl", tmp_path / name, MappingOptions(BASE))
    return (tmp_path / name).read_bytes()


def test_all_cases_are_there():
    assert len(CASES) == 11


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_a_case_makes_its_lists_and_containers(folder: Path, tmp_path: Path) -> None:
    lines = mapped(folder, tmp_path)
    expected = (folder / "expected.trig").read_bytes()
    assert canonical(lines, ox.RdfFormat.N_QUADS) == canonical(expected, ox.RdfFormat.TRIG)
    assert lines == b"".join(sorted(set(lines.splitlines(keepends=True))))


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_statement_table_has_the_same_statements(folder: Path, tmp_path: Path) -> None:
    lines, trig = mapped(folder, tmp_path), mapped(folder, tmp_path, "out.trig")
    assert canonical(lines, ox.RdfFormat.N_QUADS) == canonical(trig, ox.RdfFormat.TRIG)


PREFIXES = """\
@prefix rml: <http://w3id.org/rml/> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/> .
"""
SOURCE = """\
rml:logicalSource [ rml:source [ a rml:RelativePathSource ; rml:path "data.json" ] ;
    rml:referenceFormulation rml:JSONPath ; rml:iterator "$[*]" ]"""


def project(tmp_path: Path, turtle: str, data: str) -> Path:
    """A mapping over data.json."""
    (tmp_path / "data.json").write_text(data, "utf-8")
    (tmp_path / "mapping.ttl").write_text(PREFIXES + turtle, "utf-8")
    return tmp_path / "mapping.ttl"


DATES = f"""<#m> {SOURCE} ; rml:subjectMap [ rml:template "{{$.id}}" ] ;
  rml:predicateObjectMap [ rml:predicate ex:days ; rml:objectMap [ rml:gatherAs rdf:List ;
    rml:gather ( [ rml:reference "$.days[*]" ; rml:datatype xsd:date ] [ rml:reference "$.list" ] ) ] ] ."""


def test_an_invalid_member_is_reported_with_its_line(tmp_path: Path) -> None:
    data = '[\n{"id": "a", "days": ["2020-01-01", "May"]},\n{"id": "b", "list": [1]}]\n'
    mapping = project(tmp_path, DATES, data)
    with pytest.raises(InvalidData) as raised:
        map_file(mapping, tmp_path / "out.nq", MappingOptions(BASE))
    reported = [(item.code, item.where.line if item.where else 0) for item in raised.value.findings]
    assert sorted(reported) == [("LP302", 2), ("LP305", 3)]
    assert not (tmp_path / "out.nq").exists()


def test_an_invalid_member_that_is_skipped_makes_the_list_shorter(tmp_path: Path) -> None:
    data = '[{"id": "a", "days": ["2020-01-01", "May", "2020-01-03"]}, {"id": "b", "days": ["x"]}]'
    options = MappingOptions(BASE, on_invalid_value="skip")
    map_file(project(tmp_path, DATES, data), tmp_path / "out.nq", options)
    turtle = f"""{PREFIXES} ex:a ex:days ( "2020-01-01"^^xsd:date "2020-01-03"^^xsd:date ) ."""
    lines = (tmp_path / "out.nq").read_bytes()
    assert canonical(lines, ox.RdfFormat.N_QUADS) == canonical(turtle.encode(), ox.RdfFormat.TURTLE)


def test_a_join_without_a_parent_is_noted(tmp_path: Path) -> None:
    turtle = f"""<#m> {SOURCE} ; rml:subjectMap [ rml:template "{{$.id}}" ] ;
      rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ rml:gatherAs rdf:Bag ; rml:gather (
        [ rml:parentTriplesMap <#m> ; rml:joinCondition [ rml:child "$.of" ; rml:parent "$.id" ] ] ) ] ] ."""
    mapping = project(tmp_path, turtle, '[{"id": "a", "of": "b"}, {"id": "b", "of": "none"}]')
    findings = map_file(mapping, tmp_path / "out.nq", MappingOptions(BASE))
    assert [(item.code, item.params["rule"]) for item in findings] == [("LP307", "m: rdf:Bag")]


def test_a_list_that_contains_itself_is_refused(tmp_path: Path) -> None:
    turtle = f"""<#m> {SOURCE} ; rml:subjectMap [ rml:gatherAs rdf:List ; rml:gather (
        [ rml:parentTriplesMap <#m> MORE ] ) ] ."""
    condition = '; rml:joinCondition [ rml:child "$.of" ; rml:parent "$.id" ]'
    for more in ("", condition):
        mapping = project(tmp_path, turtle.replace("MORE", more), '[{"id": "a", "of": "b"}]')
        with pytest.raises(InvalidDeclaration) as raised:
            map_file(mapping, tmp_path / "out.nq", MappingOptions(BASE))
        details = {item.params["detail"] for item in raised.value.findings}
        assert details == {"a list cannot contain itself"}


def test_equal_runs_give_equal_bytes(tmp_path: Path) -> None:
    records = ", ".join(
        f'{{"id": {number % 700}, "days": ["{number % 30}", "x"]}}' for number in range(5000)
    )
    turtle = f"""<#m> {SOURCE} ; rml:subjectMap [ rml:template "{{$.id}}" ] ;
      rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ rml:gatherAs rdf:List ;
        rml:gather ( [ rml:reference "$.days[*]" ] ) ] , [ rml:template "l/{{$.id}}" ; rml:gatherAs rdf:List ;
        rml:gather ( [ rml:reference "$.days[*]" ] ) ] , [ rml:template "s/{{$.id}}" ; rml:gatherAs rdf:Seq ;
        rml:gather ( [ rml:reference "$.days[*]" ] ) ] ] ."""
    mapping = project(tmp_path, turtle, f"[{records}]")
    first, second = tmp_path / "first.nq", tmp_path / "second.nq"
    for out in (first, second):
        map_file(mapping, out, MappingOptions(BASE))
    lines = first.read_bytes().splitlines(keepends=True)
    # a link and two members for each record; links of names, and members, by id
    assert len(lines) == 5000 * (1 + 4) + 700 + 5000 * 4 + 700 * 2 + 5000 * 2
    assert lines == sorted(set(lines))
    assert first.read_bytes() == second.read_bytes()


def test_rows_of_a_query_have_blank_nodes_and_lists_of_their_own(tmp_path: Path) -> None:
    turtle = """<#m> rml:logicalSource [ rml:query "SELECT 'x' AS a UNION ALL SELECT 'x' AS a" ;
        rml:referenceFormulation rml:SQL2008Query ] ; rml:subjectMap [ rml:termType rml:BlankNode ] ;
      rml:predicateObjectMap [ rml:predicate ex:p ; rml:objectMap [ rml:gatherAs rdf:List ;
        rml:gather ( [ rml:reference "a" ] ) ] , [ rml:reference "a" ] ] ."""
    map_file(project(tmp_path, turtle, "[]"), tmp_path / "out.nq", MappingOptions(BASE))
    expected = f'{PREFIXES} [] ex:p "x" , ( "x" ) . [] ex:p "x" , ( "x" ) .'
    assert canonical((tmp_path / "out.nq").read_bytes(), ox.RdfFormat.N_QUADS) == canonical(
        expected.encode(), ox.RdfFormat.TURTLE
    )


def test_a_list_that_its_missing_key_leaves_out_is_noted(tmp_path: Path) -> None:
    turtle = f"""<#m> {SOURCE} ; rml:subjectMap [ rml:template "l/{{$.id}}" ; rml:gatherAs rdf:Bag ;
        rml:gather ( [ rml:reference "$.v[*]" ] ) ] ."""
    mapping = project(tmp_path, turtle, '[{"id": "a", "v": ["x"]}, {"v": ["x"]}]')
    findings = map_file(mapping, tmp_path / "out.nq", MappingOptions(BASE))
    assert [item.code for item in findings] == ["LP304"]
    assert (tmp_path / "out.nq").read_bytes().count(b"\n") == 2
