"""Queries on PostgreSQL that Spark reads by JDBC, in ranges of a key, give the bytes and the findings of
one machine.

A case in spark_databases/ has the tables (script.sql), whose first line says how many ranges Spark
reads for each query (`none`: the driver reads it), and a mapping.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import server, suites
from lodpipe.diagnostics.finding import Finding, LodpipeError, Severity
from lodpipe.engine import postgresql_ranges
from lodpipe.engine.spark import frames, jdbc
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from spark_support import JDBC_DRIVER, MASTER, needs_spark
from support import ROOT

pytestmark = [
    pytest.mark.slow,
    needs_spark,
    pytest.mark.skipif(
        not JDBC_DRIVER.is_file(),
        reason=f"{JDBC_DRIVER} is missing; on Debian: apt-get install libpostgresql-jdbc-java",
    ),
    pytest.mark.skipif(server.programs() is None, reason=server.MISSING),
]
CASES = sorted(path for path in (ROOT / "tests/spark_databases").iterdir() if path.is_dir())
OFFICIAL = [
    case
    for suite in suites.ALL
    if suite.database == "postgresql"
    for case in suites.cases(suite)
    if "rml-core" in suite.name
]
BASE = "http://example.com/base/"
TABLE = """
@prefix rr: <http://www.w3.org/ns/r2rml#> . @prefix ex: <http://example.org/> .
<#t> rr:logicalTable [ rr:tableName "t" ] ; rr:subjectMap [ rr:template "t/{id}" ] ;
  rr:predicateObjectMap [ rr:predicate ex:note ; rr:objectMap [ rr:column "note" ] ] .
"""
ROWS = "CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT); INSERT INTO t SELECT n, 'note ' || n FROM generate_series(1, 40) AS n"


@pytest.fixture(scope="module")
def postgresql(local_spark: None) -> Iterator[str]:
    with server.running() as address:
        assert address is not None
        yield address


class Reads(list[jdbc.JdbcQuery | Finding | None]):
    """What was read by Spark, or why not, in the order of the queries."""

    def numbers_of_ranges(self) -> list[str]:
        return [
            str(len(item.ranges) or 1) if isinstance(item, jdbc.JdbcQuery) else "none"
            for item in self
        ]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    """Few rows are read by Spark, too, in four ranges at most."""
    result = Reads()
    original = jdbc.jdbc_query

    def noted(*arguments: object) -> jdbc.JdbcQuery | Finding | None:
        result.append(original(*arguments))  # type: ignore[arg-type]
        return result[-1]

    monkeypatch.setattr(frames, "jdbc_query", noted)
    monkeypatch.setattr(jdbc, "_FEW_ROWS", 0)
    monkeypatch.setattr(jdbc, "_ROWS_OF_A_RANGE", 1)
    monkeypatch.setattr(jdbc, "_CONNECTIONS", "4")
    return result


def outcome(
    mapping: Path, out: Path, options: MappingOptions
) -> tuple[bytes | None, list[Finding]]:
    """The bytes that a mapping makes (None: none), and its findings without the notes of Spark."""
    try:
        findings = map_file(mapping, out, options)
    except LodpipeError as error:
        return None, list(error.findings)
    ordered = sorted(findings, key=lambda finding: finding.sort_key)
    return out.read_bytes(), [item for item in ordered if item.code != "LP615"]


def compare(mapping: Path, folder: Path, options: MappingOptions) -> None:
    """Runs a mapping on both engines, and compares bytes and findings."""
    local = outcome(mapping, folder / "local.nq", options)
    assert outcome(mapping, folder / "spark.nq", replace(options, on=MASTER)) == local


def refused(mapping: Path, folder: Path, database: str) -> tuple[Finding, ...]:
    with pytest.raises(LodpipeError) as caught:
        map_file(mapping, folder / "out.nq", MappingOptions(BASE, database, on=MASTER))
    assert not (folder / "out.nq").exists()
    return caught.value.findings


@pytest.fixture
def table(postgresql: str, tmp_path: Path) -> Path:
    """A mapping of a table `t` of 40 rows."""
    suites.fill(postgresql, ROWS)
    path = tmp_path / "mapping.ttl"
    path.write_text(TABLE, "utf-8")
    return path


def test_number_of_cases() -> None:
    assert len(CASES) == 18


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_case(case: Path, postgresql: str, reads: Reads, tmp_path: Path) -> None:
    folder = tmp_path / case.name
    shutil.copytree(case, folder)
    script = (case / "script.sql").read_text("utf-8")
    suites.fill(postgresql, script + "ANALYZE;")
    compare(folder / "mapping.ttl", tmp_path, MappingOptions(BASE, postgresql))
    expected = re.findall(r"[0-9]+|none", script.partition("\n")[0])
    assert reads.numbers_of_ranges() == expected


@pytest.mark.skipif(not OFFICIAL, reason=suites.HOW_TO_GET)
@pytest.mark.parametrize("case", OFFICIAL, ids=lambda case: case.name)
def test_case_of_the_official_suite(
    case: suites.Case, postgresql: str, reads: Reads, tmp_path: Path
) -> None:
    mapping, _ = suites.prepared(case, tmp_path, postgresql)
    compare(mapping, tmp_path, MappingOptions(case.suite.base, postgresql))
    assert "none" not in reads.numbers_of_ranges()


# -- the state of the data -------------------------------------------------------------------------


def test_all_ranges_have_the_state_of_one_moment(
    table: Path, postgresql: str, reads: Reads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer changes all rows after the driver has looked at the table."""
    import psycopg

    map_file(table, tmp_path / "before.nq", MappingOptions(BASE, postgresql))
    original = jdbc.JdbcQuery.rows

    def changed_before(query: jdbc.JdbcQuery, *arguments: object, **options: object) -> object:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute("UPDATE t SET note = 'changed'; INSERT INTO t VALUES (100, 'new')")
        return original(query, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(jdbc.JdbcQuery, "rows", changed_before)
    map_file(table, tmp_path / "out.nq", MappingOptions(BASE, postgresql, on=MASTER))
    assert (tmp_path / "out.nq").read_bytes() == (tmp_path / "before.nq").read_bytes()
    assert reads.numbers_of_ranges() == ["4"]


def test_few_rows_are_read_by_the_driver_without_a_note(
    table: Path, postgresql: str, tmp_path: Path
) -> None:
    compare(table, tmp_path, MappingOptions(BASE, postgresql))
    assert map_file(table, tmp_path / "out.nq", MappingOptions(BASE, postgresql, on=MASTER)) == ()


# -- what cannot be reached ------------------------------------------------------------------------


def test_without_the_driver_a_note_says_who_reads(
    table: Path, postgresql: str, reads: Reads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jdbc, "_DRIVER", "org.example.Driver")
    compare(table, tmp_path, MappingOptions(BASE, postgresql))
    (note,) = map_file(table, tmp_path / "out.nq", MappingOptions(BASE, postgresql, on=MASTER))
    assert (note.code, note.severity, str(note.where)) == ("LP615", Severity.INFO, "mapping.ttl:3")
    assert note.params["detail"] == "Spark has no JDBC driver for PostgreSQL (org.example.Driver)"


def test_a_socket_is_an_address_for_the_driver_alone(
    table: Path, postgresql: str, reads: Reads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jdbc, "jdbc_options", lambda _: None)
    (note,) = map_file(table, tmp_path / "out.nq", MappingOptions(BASE, postgresql, on=MASTER))
    assert note.code == "LP615"
    assert note.params["detail"] == "the address of the database is a socket of this machine"


def test_a_wrong_number_of_connections_is_reported(
    table: Path, postgresql: str, reads: Reads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jdbc, "_CONNECTIONS", "many")
    (finding,) = refused(table, tmp_path, postgresql)
    assert finding.code == "LP613"
    assert "spark.lodpipe.databaseConnections is `many`" in finding.params["detail"]


def test_a_wrong_password_is_reported_without_it(
    table: Path, postgresql: str, reads: Reads, tmp_path: Path
) -> None:
    wrong = postgresql.replace("postgres@", "nosuchuser:secret@")
    (finding,) = refused(table, tmp_path, wrong)
    assert (finding.code, finding.params["file"]) == ("LP106", "postgresql://127.0.0.1/postgres")
    assert "secret" not in str(dict(finding.params))


def test_a_server_that_is_not_there_is_reported(table: Path, reads: Reads, tmp_path: Path) -> None:
    (finding,) = refused(table, tmp_path, "postgresql://ann:secret@127.0.0.1:1/shop")
    assert (finding.code, finding.params["file"]) == ("LP106", "postgresql://127.0.0.1/shop")


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("url", "jdbc:postgresql://127.0.0.1:1/postgres", "Connection to 127.0.0.1:1 refused"),
        ("user", "nosuchuser", 'role "nosuchuser" does not exist'),
    ],
)
def test_a_task_that_cannot_reach_the_server_is_reported(
    option: str, value: str, words: str, table: Path, postgresql: str, reads: Reads, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The driver reaches it, which an executor in another network may not."""
    original = postgresql_ranges.jdbc_options
    monkeypatch.setattr(
        jdbc, "jdbc_options", lambda database: {**(original(database) or {}), option: value}
    )
    (finding,) = refused(table, tmp_path, postgresql)
    assert (finding.code, finding.params["file"]) == ("LP106", "postgresql://127.0.0.1/postgres")
    assert finding.params["detail"].startswith("a task of Spark: ")
    assert words in finding.params["detail"]


def test_a_row_that_is_too_long_is_reported_as_on_one_machine(
    table: Path, postgresql: str, reads: Reads, tmp_path: Path
) -> None:
    suites.fill(postgresql, f"{ROWS}; UPDATE t SET note = repeat('x', 17000000) WHERE id = 20")
    compare(table, tmp_path, MappingOptions(BASE, postgresql))
    (finding,) = refused(table, tmp_path, postgresql)
    assert finding.code == "LP104"
