"""Validation on Spark: the report of one machine, byte for byte, and the same findings for what is
wrong with files and shapes. Skipped without Java 17, pyspark and pyarrow.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.engine.spark.spark_session import missing
from lodpipe.shacl.data_graph import load_files
from lodpipe.workflow.validation_run import ValidationOptions, validate_files
from shacl_support import EX, Maker
from support import ROOT, invoke

LACK = missing()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(LACK is not None, reason=f"Spark: {LACK.params if LACK else ''}"),
]
MASTER = "local[2]"
PREFIXES = f"@prefix ex: <{EX}> . @prefix sh: <http://www.w3.org/ns/shacl#> .\n"
SHAPES = """
ex:PersonShape sh:targetClass ex:Person ; sh:property ex:Person-name, ex:Person-employer .
ex:Person-name sh:path ex:name ; sh:minCount 1 ; sh:maxCount 1 .
ex:Person-employer sh:path ex:worksFor ; sh:class ex:Firm ; sh:node ex:FirmShape .
ex:FirmShape sh:property [ sh:path ex:name ; sh:pattern "^F" ] .
"""
DATA = """
<http://example.org/a> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://example.org/Person> .
<http://example.org/a> <http://example.org/name> "A" .
<http://example.org/a> <http://example.org/worksFor> _:f .
_:b <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> <http://example.org/Clerk> .
_:b <http://example.org/worksFor> _:f .
<http://example.org/Clerk> <http://www.w3.org/2000/01/rdf-schema#subClassOf> <http://example.org/Person> .
_:f <http://example.org/name> "No firm" .
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file; Turtle gets the prefixes."""

    def write(name: str, content: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((PREFIXES if name.endswith(".ttl") else "") + content, "utf-8")
        return path

    return write


def outcome(data: list[Path], shapes: Path, report: Path, master: str = "") -> list[Finding]:
    """The findings of a validation, also where it is refused."""
    try:
        return validate_files(data, [shapes], ValidationOptions(master=master), report=report)
    except LodpipeError as error:
        return list(error.findings)


def same(data: list[Path], shapes: Path, report: Path) -> list[Finding]:
    """Validates on Spark and on one machine: the findings of both are the same, and the reports."""
    spark, local = (report.with_name(f"{name}.nt") for name in ("spark", "local"))
    on_spark = outcome(data, shapes, spark, MASTER)
    expected = outcome(data, shapes, local)
    assert [item for item in on_spark if item.code != "LP614"] == expected
    assert spark.exists() == local.exists()
    if local.exists():
        assert spark.read_bytes() == local.read_bytes()
    return on_spark


def test_files_of_two_kinds_give_the_report_of_one_machine(
    written: Callable[[str, str], Path], tmp_path: Path
) -> None:
    """Blank nodes of two files are not the same, and lines that only a parser reads are read."""
    shapes = written("shapes.ttl", SHAPES)
    other = '_:f <http://example.org/name>\t"F\\u0061"@EN .\r\n'
    data = [written("one.nt", DATA), written("two.nq", DATA + other)]
    findings = same(data, shapes, tmp_path / "report")
    assert {item.code for item in findings} == {"LP401"}
    assert len(findings) == 10


def test_parts_in_a_folder_are_one_document(
    written: Callable[[str, str], Path], tmp_path: Path
) -> None:
    shapes = written("shapes.ttl", SHAPES)
    lines = DATA.strip().splitlines(keepends=True)
    for number in range(3):
        written(f"parts/part-{number}.nt", "".join(lines[number::3]))
    (tmp_path / "parts/_SUCCESS").touch()
    whole = outcome([written("whole.nt", DATA)], shapes, tmp_path / "whole.nt")
    parts = same([tmp_path / "parts"], shapes, tmp_path / "report")
    assert [item.params for item in parts] == [item.params for item in whole]


@pytest.mark.parametrize(
    "columns",
    ["s, p, o, '' AS g, 1 AS record, 2 AS rule", "s AS subject, p AS predicate, o AS object"],
)
def test_a_statement_table_in_parquet(
    written: Callable[[str, str], Path], tmp_path: Path, columns: str
) -> None:
    (tmp_path / "table").mkdir()
    with duckdb.connect() as connection:
        load_files(connection, [written("data.nt", DATA)])
        for number in range(2):
            part = tmp_path / f"table/part-{number}.parquet"
            rows = f"SELECT {columns} FROM triples WHERE hash(s) % 2 = {number} ORDER BY ALL"
            connection.execute(f"COPY ({rows}) TO '{part}' (FORMAT parquet)")
    findings = same([tmp_path / "table"], written("shapes.ttl", SHAPES), tmp_path / "report")
    assert len(findings) == 5


@pytest.mark.parametrize(
    ("shapes", "data", "code"),
    [
        (SHAPES, DATA + "<http://example.org/a> <no .\n", "LP603"),
        (SHAPES, DATA + "<a:a> <a:b> <<( <a:a> <a:b> <a:c> )>> .\n", "LP608"),
        (SHAPES.replace('"^F"', '"(F"'), DATA, "LP605"),
        (SHAPES.replace('"^F"', '"^(?=a)(a+)+$"'), DATA.replace("No firm", "a" * 40 + "!"), "LP610"),
    ],
    ids=["broken line", "RDF 1.2", "broken pattern", "slow pattern"],
)  # fmt: skip
def test_what_is_wrong_in_a_task_is_reported_as_on_one_machine(
    written: Callable[[str, str], Path], tmp_path: Path, shapes: str, data: str, code: str
) -> None:
    findings = same([written("data.nt", data)], written("shapes.ttl", shapes), tmp_path / "report")
    assert [item.code for item in findings] == [code]


def test_shapes_that_cannot_be_divided_are_noted(
    written: Callable[[str, str], Path], tmp_path: Path
) -> None:
    query = (
        'SELECT $this WHERE { ?other <http://example.org/name> "No firm" FILTER (?other != $this) }'
    )
    rules = (
        SHAPES + f"ex:Alone sh:targetSubjectsOf ex:worksFor ; sh:sparql [ sh:select '{query}' ] .\n"
    )
    findings = same([written("data.nt", DATA)], written("shapes.ttl", rules), tmp_path / "report")
    assert [item.params["shape"] for item in findings if item.code == "LP614"] == [f"<{EX}Alone>"]
    assert any(item.params["shape"] == f"<{EX}Alone>" for item in findings if item.code == "LP401")


def test_random_graphs_and_shapes(written: Callable[[str, str], Path], tmp_path: Path) -> None:
    count = 0
    for seed in range(6):
        data, triples = Maker(random.Random(seed)).make()
        lines = ["".join(f"{s} {p} {o} .\n" for s, p, o in rows) for rows in (data, triples)]
        report = tmp_path / f"report-{seed}"
        count += len(same([written(f"data-{seed}.nt", lines[0])], written(f"shapes-{seed}.nt", lines[1]), report))  # fmt: skip
    assert count > 10


def test_the_publication_gives_the_report_of_one_machine(tmp_path: Path) -> None:
    with duckdb.connect() as connection:
        load_files(connection, [ROOT / "dist/rogl.nq"])
        rows = "SELECT * FROM triples WHERE hash(s, p, o) % 10 > 0 ORDER BY ALL"
        connection.execute(f"COPY ({rows}) TO '{tmp_path}/damaged.parquet' (FORMAT parquet)")
    findings = same([tmp_path / "damaged.parquet"], ROOT / "dist/shapes.ttl", tmp_path / "report")
    assert len(findings) > 1_000


def test_options_that_exclude_each_other(written: Callable[[str, str], Path]) -> None:
    data, shapes = written("data.ttl", ""), written("shapes.ttl", SHAPES)
    for options, words in (
        (["--engine", "pyshacl"], "--on needs the engine columns"),
        (["--since", data], "--since and --on exclude each other"),
        ([], "Spark reads nt, nq, parquet, not ttl"),
    ):
        result = invoke("validate", data, "--shapes", shapes, "--on", MASTER, *options)
        assert (result.exit_code, words in result.output) == (2, True), result.output
