"""`lodpipe.map` over objects of Python: the same statements whatever library holds a table, findings
that name object and row, and nothing that is ignored in silence.
"""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path

import nanoarrow
import pandas as pd
import pyarrow as pa
import pytest
import rdflib

import lodpipe

XSD = "http://www.w3.org/2001/XMLSchema#"
ROWS = {
    "id": [1, 2],
    "name": ["Ann", None],
    "born": [datetime.date(2000, 1, 2)] * 2,
    "size": [1.5, 2.0],
    "tags": [["a", "b"], []],
    "at": [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)] * 2,
}
MAPPING = """\
prefixes: {ex: "https://example.org/"}
mappings:
  people:
    sources: [[people~csv]]
    s: ex:$(id)
    po:
"""
RML = """\
@prefix rml: <http://w3id.org/rml/> .
@prefix sd: <https://w3id.org/okn/o/sd#> .
@base <http://example.com/base/> .
<People> a rml:TriplesMap ;
  rml:logicalSource [
    rml:source [ a sd:DatasetSpecification ; sd:name "people" ;
      sd:hasDataTransformation [ sd:hasSourceCode [ sd:programmingLanguage "Python3.9" ] ] ] ;
    rml:referenceFormulation rml:Dictionary ; rml:iterator "$.people[*]" ] ;
  rml:subjectMap [ rml:template "http://example.com/{id}" ] ;
  rml:predicateObjectMap [ rml:predicate <http://example.com/name> ; rml:objectMap [ rml:reference "name" ] ] .
"""
Rows = list[tuple[str, str, str, str]]


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """A mapping of all columns."""
    path = tmp_path / "people.yaml"
    path.write_text(MAPPING + "".join(f"      - [ex:{key}, $({key})]\n" for key in ROWS), "utf-8")
    return path


def rows(mapping: Path, people: object) -> Rows:
    with lodpipe.map(mapping, sources={"people": people}) as statements:
        assert statements.findings == ()
        return [tuple(row.values()) for row in pa.table(statements).to_pylist()]


def findings(mapping: Path, sources: dict[str, object]) -> list[tuple[str, str, str]]:
    with pytest.raises(lodpipe.LodpipeError) as caught:
        lodpipe.map(mapping, sources=sources)
    return [
        (finding.code, str(finding.where or ""), " ".join(finding.params.values()))
        for finding in caught.value.findings
    ]


class OnlyArray:
    """An object of a library that this project does not know."""

    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return pa.table(ROWS).to_batches()[0].__arrow_c_array__(requested_schema)


class OnlyStream:
    """Another one."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pa.table(ROWS).__arrow_c_stream__(requested_schema)


def of_duckdb() -> object:
    duckdb = pytest.importorskip("duckdb")
    return duckdb.connect().from_arrow(pa.table(ROWS))


def of_polars() -> object:
    return pytest.importorskip("polars", reason="Polars is not installed").DataFrame(ROWS)


OBJECTS = {
    "pyarrow.Table": lambda: pa.table(ROWS),
    "pyarrow.RecordBatchReader": lambda: pa.table(ROWS).to_reader(),
    "pyarrow.RecordBatch": lambda: pa.table(ROWS).to_batches()[0],
    "pandas.DataFrame": lambda: pd.DataFrame(ROWS),
    "duckdb relation": of_duckdb,
    "polars.DataFrame": of_polars,
    "nanoarrow.ArrayStream": lambda: OnlyArrayStream(),
    "array of another library": OnlyArray,
    "stream of another library": OnlyStream,
}


class OnlyArrayStream:
    def __arrow_c_array__(self, requested_schema: object = None) -> object:
        return nanoarrow.Array(pa.table(ROWS).to_batches()[0]).__arrow_c_array__(
            requested_schema=requested_schema
        )


@pytest.mark.parametrize("kind", OBJECTS)
def test_a_table_of_any_library_gives_the_same_statements_with_types(
    kind: str, mapping: Path
) -> None:
    statements = rows(mapping, OBJECTS[kind]())
    first = {(p.rsplit("/", 1)[1][:-1], o) for s, p, o, _ in statements if s.endswith("/1>")}
    assert first == {
        ("id", f'"1"^^<{XSD}integer>'),
        ("name", '"Ann"'),
        ("born", f'"2000-01-02"^^<{XSD}date>'),
        ("size", f'"1.5E0"^^<{XSD}double>'),
        ("tags", '"a"'),
        ("tags", '"b"'),
        ("at", f'"2020-01-01T00:00:00Z"^^<{XSD}dateTime>'),
    }
    assert len(statements) == 7 + 4
    assert statements == sorted(statements)


def test_one_table_serves_several_maps_and_a_reader_too(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    second = MAPPING.partition("mappings:\n")[2].replace("people:", "again:", 1)
    path.write_text(
        f"{MAPPING}      - [ex:name, $(name)]\n{second}      - [ex:born, $(born)]\n", "utf-8"
    )
    for table in (pa.table(ROWS), pa.table(ROWS).to_reader()):
        assert len(rows(path, table)) == 3


def test_a_query_of_the_mapping_reads_the_table_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "query.yaml"
    source = "[{query: 'SELECT id, upper(name) AS name FROM people', queryFormulation: sql2008}]"
    text = MAPPING.replace("[[people~csv]]", source) + "      - [ex:name, $(name)]\n"
    path.write_text(text, "utf-8")
    assert [row[2] for row in rows(path, pa.table(ROWS))] == ['"ANN"']


def test_results_are_a_graph_a_dataset_and_files(mapping: Path, tmp_path: Path) -> None:
    with lodpipe.map(str(mapping), sources={"people": pa.table(ROWS)}) as statements:
        graph, dataset = statements.graph(), statements.dataset()
        for suffix in ("nq", "nt", "ttl", "trig"):
            statements.write(tmp_path / f"out.{suffix}")
    assert len(graph) == len(dataset) == 11
    read = [rdflib.Dataset().parse(tmp_path / f"out.{suffix}") for suffix in ("nq", "trig")]
    read += [rdflib.Graph().parse(tmp_path / f"out.{suffix}") for suffix in ("nt", "ttl")]
    assert [len(parsed) for parsed in read] == [11] * 4


def test_the_number_of_statements_is_that_of_the_table(mapping: Path) -> None:
    statements = lodpipe.map(mapping, sources={"people": pa.table(ROWS)})
    assert len(statements) == 11
    statements.close()


def test_dicts_are_read_as_json_with_the_iterator_of_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "people.ttl"
    path.write_text(RML, "utf-8")
    people = {"people": [{"id": 2**70, "name": "Ann"}, {"id": 7, "name": None}]}
    assert rows(path, people) == [
        ("<http://example.com/1180591620717411303424>", "<http://example.com/name>", '"Ann"', "")
    ]


def test_dicts_under_names_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(MAPPING + "      - [ex:name, $(first name.1)]\n", "utf-8")
    people = [{"id": decimal.Decimal("1.50"), "first name.1": datetime.date(2020, 1, 1)}]
    assert [row[::2] for row in rows(path, people)] == [
        ("<https://example.org/1.50>", '"2020-01-01"')
    ]


def test_a_table_under_paths_is_read_as_json(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    text = MAPPING.replace("people~csv", "people~jsonpath") + "      - [ex:tag, '$(tags[*])']\n"
    path.write_text(text, "utf-8")
    assert [row[2] for row in rows(path, pa.table(ROWS))] == ['"a"', '"b"']
    (wrong,) = findings(path, {"people": pa.table({**ROWS, "size": [1.0, float("nan")]})})
    assert "NaN" in wrong[2]


def test_not_a_number_is_a_gap_in_pandas_alone(tmp_path: Path) -> None:
    path = tmp_path / "people.yaml"
    path.write_text(MAPPING + "      - [ex:size, $(size)]\n", "utf-8")
    data = {"id": [1], "size": [float("nan")]}
    assert [row[2] for row in rows(path, pa.table(data))] == [f'"NaN"^^<{XSD}double>']
    assert rows(path, pd.DataFrame(data)) == []


def test_a_finding_names_the_object_and_the_row(mapping: Path) -> None:
    mapping.write_text(mapping.read_text("utf-8").replace("s: ex:$(id)", "s: $(name)"), "utf-8")
    people = pa.table({**ROWS, "name": ["https://example.org/", "a b"]})
    assert {where for _, where, _ in findings(mapping, {"people": people})} == {
        'sources["people"]:2'
    }
    options = lodpipe.MappingOptions(on_invalid_value="warn")
    with lodpipe.map(mapping, {"people": people}, options) as statements:
        assert {finding.code for finding in statements.findings} == {"LP301"}
        assert {row["s"] for row in pa.table(statements).to_pylist()} == {"<https://example.org/>"}


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ({"poeple": pa.table(ROWS)}, "did you mean `people`?"),
        ({"people": 5}, 'sources["people"] is int'),
        ({"people": "people.csv"}, 'sources["people"] is str'),
        ({"people": {"a", "b"}}, 'sources["people"] is set'),
        ({"people": [{"id": float("inf")}]}, "JSON"),
        ({"people": [{"id": b"1"}]}, "bytes"),
        ({"people": [{"id": object()}]}, "object"),
        ({"people": pa.table({"ID": [1]})}, "no column `id`; it has ID"),
    ],
)
def test_what_is_no_data_is_reported(sources: dict[str, object], words: str, mapping: Path) -> None:
    reported = findings(mapping, sources)
    assert words in reported[0][2]
    assert {code for code, _, _ in reported} <= {"LP601", "LP602"}


def test_a_mapping_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    ((code, _, words),) = findings(tmp_path / "nowhere.yaml", {})
    assert (code, "no such file" in words) == ("LP106", True)


def test_other_sources_are_files_beside_the_mapping(mapping: Path) -> None:
    mapping.write_text(MAPPING.replace("people~csv", "towns.csv~csv") + "      - [ex:a, $(b)]\n")
    mapping.with_name("towns.csv").write_text("id,b\n1,x\n", "utf-8")
    with lodpipe.map(mapping) as statements:
        assert len(statements) == 1
