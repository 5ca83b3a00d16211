"""Joins on keys that many rows of both sides have: no more pairs than statements, each bad value
once, each count right.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lodpipe.engine.duckdb import Engine
from lodpipe.engine.run_plan import count_statements, make_statements
from lodpipe.mapping.planning.compile_plan import compile_mapping
from lodpipe.mapping.planning.plan import Plan
from lodpipe.workflow.mapping_run import MappingOptions, map_file, read_mapping

ROWS = 10_000
TARGETS = 50
BASE = "http://example.com/"
MAPPING = """\
@prefix rml: <http://w3id.org/rml/> .
@prefix ex: <http://example.com/ns#> .
@base <http://example.com/mapping/> .
<child> a rml:TriplesMap ;
  rml:logicalSource [ rml:source [ a rml:RelativePathSource ; rml:root rml:MappingDirectory ; rml:path "%s" ] ; rml:referenceFormulation rml:%s ] ;
  rml:subjectMap [ rml:template "child/{key}" ] ;
  rml:predicateObjectMap [ %s ; rml:objectMap [ rml:parentTriplesMap <parent> ; rml:joinCondition [ rml:child "key" ; rml:parent "key" ] ] ] .
<parent> a rml:TriplesMap ;
  rml:logicalSource [ rml:source [ a rml:RelativePathSource ; rml:root rml:MappingDirectory ; rml:path "%s" ] ; rml:referenceFormulation rml:%s ] ;
  rml:subjectMap [ rml:template "parent/{id}" ] ;
  rml:predicateObjectMap [ rml:predicate ex:id ; rml:objectMap [ rml:reference "id" ] ] .
"""
PREDICATE = "rml:predicate ex:part"


def write(folder: Path, *, suffix: str = "csv", predicate: str = PREDICATE) -> Path:
    """Two files of which every row has the same key: joined as they are, they would make a hundred
    million pairs.
    """
    rows = [(f"{number % TARGETS}", "k") for number in range(ROWS)]
    if suffix == "csv":
        (folder / "rows.csv").write_text(
            "id,key\n" + "".join(f"{id_},{key}\n" for id_, key in rows), "utf-8"
        )
    else:
        (folder / "rows.jsonl").write_text(
            "".join(f'{{"id": "{id_}", "key": "{key}"}}\n' for id_, key in rows), "utf-8"
        )
    kind = "CSV" if suffix == "csv" else "JSONPath"
    mapping = folder / "mapping.rml.ttl"
    mapping.write_text(
        MAPPING % (f"rows.{suffix}", kind, predicate, f"rows.{suffix}", kind), "utf-8"
    )
    return mapping


@pytest.fixture(params=["csv", "jsonl"])
def mapping(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path, suffix=request.param)


def planned(engine: Engine, mapping: Path, *, light: bool) -> Plan:
    engine.load([])
    return compile_mapping(read_mapping(mapping, BASE), BASE, engine.relations, {}, light=light)


def pairs(engine: Engine, plan: Plan) -> Iterator[int]:
    """How many rows each join of a plan gives."""
    for select in plan.selects:
        if select.parts and select.join:
            ((count,),) = engine.session.rows(f"SELECT count(*) FROM {select.source}")
            yield count


@pytest.mark.parametrize("light", [False, True], ids=["full plan", "light plan"])
def test_a_key_of_all_rows_makes_no_more_pairs_than_statements(mapping: Path, light: bool) -> None:
    with Engine(root=mapping.parent) as engine:
        plan = planned(engine, mapping, light=light)
        assert list(pairs(engine, plan)) == [TARGETS]
        make_statements(engine.session, plan, [])
        assert engine.session.rows("SELECT count(*), count(record) FROM statements") == [
            (2 * TARGETS, 2 * TARGETS)
        ]


def test_the_report_counts_the_statements_of_a_join(mapping: Path) -> None:
    with Engine(root=mapping.parent) as engine:
        assert count_statements(engine.session, planned(engine, mapping, light=False)) == [
            ("child: ex:part", TARGETS),
            ("parent: ex:id", ROWS),
        ]


@pytest.mark.parametrize("sort", [True, False], ids=["sorted", "as they come"])
def test_lines_of_a_join_are_those_of_its_statements(mapping: Path, sort: bool) -> None:
    map_file(mapping, mapping.parent / "out.nq", MappingOptions(BASE, sort=sort))
    lines = (mapping.parent / "out.nq").read_text("utf-8").splitlines()
    expected = [
        f"<{BASE}child/k> <{BASE}ns#part> <{BASE}parent/{number}> ." for number in range(TARGETS)
    ]
    expected += [f'<{BASE}parent/{number}> <{BASE}ns#id> "{number}" .' for number in range(TARGETS)]
    assert (lines if sort else sorted(lines)) == sorted(expected)


def test_a_statement_of_equal_rows_comes_from_the_first(tmp_path: Path) -> None:
    mapping = write(tmp_path)
    with Engine(root=tmp_path) as engine:
        make_statements(engine.session, planned(engine, mapping, light=False), [])
        records = engine.session.rows(
            "SELECT DISTINCT record FROM statements WHERE s LIKE '%child%'"
        )
        assert [engine.records.locate(record).line for (record,) in records] == [2]


def test_a_bad_value_of_a_join_is_counted_once_for_its_row(tmp_path: Path) -> None:
    mapping = write(tmp_path, predicate='rml:predicateMap [ rml:reference "link" ]')
    (tmp_path / "rows.csv").write_text(
        "id,key,link\n" + "".join(f"{n},k,{'a b' if n in (3, 7) else 'p'}\n" for n in range(100)),
        "utf-8",
    )
    findings = map_file(mapping, tmp_path / "out.nq", MappingOptions(BASE, on_invalid_value="warn"))
    assert [
        (finding.code, finding.where.line if finding.where else 0, finding.params.get("count", ""))
        for finding in findings
    ] == [("LP301", 5, ""), ("LP301", 9, "")]
    assert len((tmp_path / "out.nq").read_text("utf-8").splitlines()) == 200


def test_parents_that_are_alike_are_one_parent(tmp_path: Path) -> None:
    """Then the join finds one row at most and is done once for each row, as with unique keys."""
    mapping = write(tmp_path)
    text = mapping.read_text("utf-8").replace('"parent/{id}"', '"parent/{key}"')
    mapping.write_text(text, "utf-8")
    with Engine(root=tmp_path) as engine:
        assert [
            select.join for select in planned(engine, mapping, light=False).selects if select.parts
        ] == [None, None]
