"""Dumps as files: each is of its format, and names no version of the program that wrote it."""

from __future__ import annotations

import xml.parsers.expat
from collections import Counter
from pathlib import Path

import duckdb
import pyoxigraph as ox
import pytest

from lodpipe.engine.parquet import WRITER, without_version
from lodpipe.publish import dumps
from lodpipe.rdf.namespaces import RDF
from support import ROOT, copy_project, errors_in, findings_in, invoke

LIBRARIES = ROOT / "tests" / "projects" / "libraries"
TABLES = {
    "no rows": "SELECT 'a' AS a WHERE false",
    "texts": "SELECT 's' || (i // 7) AS s, 'o' || hash(i) AS o, CASE WHEN i % 4 = 0 THEN NULL ELSE i END AS n FROM range(200000) r(i)",
    "many columns": "SELECT "
    + ", ".join(f"i + {number} AS column_{number}" for number in range(300))
    + " FROM range(10) r(i)",
    "types": "SELECT i, i::DECIMAL(9, 2) AS d, i % 2 = 0 AS b, DATE '2026-11-28' AS y, [i] AS l, {'a': i} AS s, TIME '12:00' AS t FROM range(9) r(i)",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLES)
def test_parquet_of_two_versions_of_the_writer_is_the_same(name: str, tmp_path: Path) -> None:
    first, other = tmp_path / "first.parquet", tmp_path / "other.parquet"
    duckdb.sql(f"COPY ({TABLES[name]}) TO '{first}' (FORMAT parquet, COMPRESSION zstd)")
    data = first.read_bytes()
    version = b"DuckDB version v" + duckdb.__version__.encode()
    assert data.count(version) == 1
    other.write_bytes(data.replace(version, version[:-1] + b"9"))
    rows = duckdb.sql(f"SELECT * FROM '{first}'").fetchall()
    for path in (first, other):
        without_version(path)
    assert first.read_bytes() == other.read_bytes()
    assert Counter(map(str, duckdb.sql(f"SELECT * FROM '{other}'").fetchall())) == Counter(
        map(str, rows)
    )
    assert duckdb.sql(f"SELECT created_by FROM parquet_file_metadata('{other}')").fetchall() == [
        (WRITER.decode(),)
    ]


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    path.write_text("id,name,and more")
    with pytest.raises(ValueError, match="not a Parquet"):
        without_version(path)


# -- control characters ----------------------------------------------------------------------------

IN_YAML = {
    "U+0008": "\\b",
    "U+000B": "\\v",
    "U+000C": "\\f",
    "U+0001": "\\x01",
    "U+001F": "\\x1f",
    "U+FFFF": "\\uffff",
}
HARMLESS = ["\\t", "\\n", "\\r", "\\x7f", "\\x85", "\\\\u000B", "\\\\b", "\\U0001F600"]


def library(folder: Path, name: str, formats: str = "[nq, nt, ttl, trig, rdf, parquet]") -> Path:
    """The small project with a library of that name, in YAML's double quotes."""
    project = copy_project(folder / "project", LIBRARIES)
    for file, old, new in (
        ("source/libraries.yaml", "Central Library", f'"{name}"'),
        ("publication.yaml", "[nq, ttl, jsonld, nt]", formats),
    ):
        text = (project / file).read_text("utf-8")
        assert old in text
        (project / file).write_text(text.replace(old, new), "utf-8")
    return project


@pytest.mark.parametrize("character", IN_YAML)
def test_a_character_that_xml_cannot_hold_is_reported_at_its_line(
    character: str, tmp_path: Path
) -> None:
    project = library(tmp_path, f"Central{IN_YAML[character]}Library")
    done = invoke("build", "--project", project, "--no-site", "--lang", "en")
    errors = [(finding.code, finding.file) for finding in errors_in(done.stderr)]
    assert (done.exit_code, errors) == (1, [("LP320", "source/libraries.yaml")]), done.stderr
    assert f"control character {character}" in done.stderr
    line = (
        (project / "source" / "libraries.yaml")
        .read_text("utf-8")
        .splitlines()[errors_in(done.stderr)[0].line - 1]
    )
    assert "Central" in line


def test_without_rdf_xml_it_is_a_warning(tmp_path: Path) -> None:
    project = library(tmp_path, "Central\\vLibrary", "[nq, nt]")
    done = invoke("build", "--project", project, "--no-site", "--lang", "en")
    assert (
        done.exit_code,
        [
            (finding.code, finding.severity)
            for finding in findings_in(done.stderr)
            if finding.code == "LP320"
        ],
    ) == (0, [("LP320", "warning")])


def test_what_xml_can_hold_is_published(tmp_path: Path) -> None:
    project = library(tmp_path, "Central" + "".join(HARMLESS) + "Library")
    done = invoke("build", "--project", project, "--no-site", "--lang", "en")
    assert done.exit_code == 0, done.stderr
    xml.parsers.expat.ParserCreate().Parse((project / "dist" / "libraries.rdf").read_bytes(), True)


# -- the gate --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "fault"),
    [
        *((suffix, "syntax") for suffix in ("nq", "nt", "ttl", "trig", "rdf")),
        ("nq", "a statement less"),
        ("nt", "a statement less"),
    ],
)
def test_a_dump_that_is_not_of_its_format_is_not_published(
    suffix: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = library(tmp_path, "Central Library")

    def wrong(job: dumps.Job, path: Path) -> None:
        right(job, path)
        text = path.read_text("utf-8")
        path.write_text(text + "<" if fault == "syntax" else text.partition("\n")[2], "utf-8")

    right = dumps.WRITERS[suffix]
    monkeypatch.setitem(dumps.WRITERS, suffix, wrong)
    done = invoke("build", "--project", project, "--no-site", "--lang", "en")
    errors = [(finding.code, finding.file) for finding in errors_in(done.stderr)]
    assert (done.exit_code, errors) == (
        1,
        [("LP710", f"dist/libraries.{suffix}")],
    ), done.stderr
    assert not (project / "dist").exists()


REIFIED = """PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
SELECT ?node WHERE { ?node a rdf:Statement ; rdf:subject ?s ; rdf:predicate ?p ; rdf:object ?o .
  ?s ?p ?o ~ ?node . }"""


def test_each_described_statement_is_the_reifier_of_a_triple_of_the_data(dist: Path) -> None:
    """The file of RDF 1.2 beside the N-Triples; both in one store."""
    store = ox.Store()
    store.load(path=dist / "rogl.nt", format=ox.RdfFormat.N_TRIPLES)
    statements = {
        row["s"].value for row in store.query("SELECT ?s { ?s a <" + RDF + "Statement> }")
    }
    store.load(path=dist / "rogl.rdf12.nt", format=ox.RdfFormat.N_TRIPLES)
    assert len(statements) > 50
    assert {row["node"].value for row in store.query(REIFIED)} == statements


def test_without_described_statements_there_is_no_file_of_rdf_1_2(built_libraries: Path) -> None:
    assert (built_libraries / "dist/libraries.nt").is_file()
    assert not list((built_libraries / "dist").glob("*.rdf12.nt"))
