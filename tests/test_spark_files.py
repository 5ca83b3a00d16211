"""Files that Spark reads and writes on a disk: Parquet sources, names that Spark would leave out, and
folders with nothing but parts.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import _duckdb as duckdb
import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from spark_support import MASTER, needs_spark
from support import run_process

pytestmark = [pytest.mark.slow, needs_spark, pytest.mark.usefixtures("local_spark")]
OPTIONS = MappingOptions("http://example.com/")
MAPPING = """
prefixes: {ex: "http://example.com/"}
mappings:
  row:
    sources: ["SOURCE~parquet"]
    s: http://example.com/row/$(id)
    po: [[ex:name, $(name)], [ex:day, $(day)], [ex:size, $(size)]]
"""
ROWS = "SELECT n AS id, 'name ' || n AS name, DATE '2026-01-01' + n::INTEGER AS day, n / 3 AS size FROM range({}, {}) AS t(n)"


def parquet(path: Path, first: int, last: int, sql: str = ROWS) -> Path:
    """A Parquet file of rows with these numbers."""
    duckdb.connect().execute(f"COPY ({sql.format(first, last)}) TO '{path}' (FORMAT parquet)")
    return path


def mapping(folder: Path, source: str) -> Path:
    path = folder / "mapping.yaml"
    path.write_text(MAPPING.replace("SOURCE", source), "utf-8")
    return path


def outcome(path: Path, out: Path, options: MappingOptions) -> bytes | list[Finding]:
    """The bytes that a mapping makes, or why it makes none."""
    try:
        map_file(path, out, options)
    except LodpipeError as error:
        assert not out.exists()
        return list(error.findings)
    return out.read_bytes()


def compared(path: Path, folder: Path) -> bytes | list[Finding]:
    """What both engines make of a mapping, which must be the same."""
    local = outcome(path, folder / "local.nq", OPTIONS)
    assert outcome(path, folder / "spark.nq", replace(OPTIONS, on=MASTER)) == local
    return local


@pytest.mark.parametrize(
    "name", ["rows.parquet", "_rows.parquet", ".rows.parquet", "rows [1].parquet"]
)
def test_a_file_of_any_name_is_read(name: str, tmp_path: Path) -> None:
    parquet(tmp_path / name, 0, 100)
    result = compared(mapping(tmp_path, name), tmp_path)
    assert isinstance(result, bytes)
    assert result.count(b"\n") == 300


def test_several_files_are_one_table(tmp_path: Path) -> None:
    for number in range(3):
        parquet(tmp_path / f"rows-{number}.parquet", 100 * number, 100 * number + 100)
    result = compared(mapping(tmp_path, "rows-*.parquet"), tmp_path)
    assert isinstance(result, bytes)
    assert result.count(b"\n") == 900


@pytest.mark.parametrize("fault", ["empty", "cut off", "no Parquet"])
def test_a_file_that_is_no_parquet_is_named(fault: str, tmp_path: Path) -> None:
    for number in range(3):
        path = parquet(tmp_path / f"rows-{number}.parquet", 0, 100)
    content = path.read_bytes()
    path.write_bytes(
        {"empty": b"", "cut off": content[: len(content) // 2], "no Parquet": b"id,name\n" * 9}[
            fault
        ]
    )
    findings = compared(mapping(tmp_path, "rows-*.parquet"), tmp_path)
    assert [(item.code, f"{item.where}") for item in findings if isinstance(item, Finding)] == [
        ("LP102", "rows-2.parquet")
    ]


def test_a_file_without_a_column_of_the_others_is_named(tmp_path: Path) -> None:
    parquet(tmp_path / "rows-0.parquet", 0, 100)
    parquet(
        tmp_path / "rows-1.parquet",
        0,
        100,
        "SELECT n AS id, n AS name, n AS day FROM range({}, {}) AS t(n)",
    )
    (finding,) = compared(mapping(tmp_path, "rows-*.parquet"), tmp_path)
    assert isinstance(finding, Finding)
    assert (
        finding.params["detail"] == "rows-1.parquet has no column `size`, which rows-0.parquet has"
    )


def test_a_wrong_page_of_a_file_is_reported_with_its_name(tmp_path: Path) -> None:
    """Only a task that reads the page can find it."""
    path = parquet(tmp_path / "rows.parquet", 0, 20_000)
    content = bytearray(path.read_bytes())
    content[100:20_000] = bytes(19_900)
    path.write_bytes(content)
    findings = outcome(
        mapping(tmp_path, "rows.parquet"), tmp_path / "out.nq", replace(OPTIONS, on=MASTER)
    )
    assert [(item.code, f"{item.where}") for item in findings if isinstance(item, Finding)] == [
        ("LP102", "rows.parquet")
    ]


@pytest.mark.parametrize("is_address", [False, True], ids=["path", "address"])
def test_a_folder_has_nothing_but_parts(is_address: bool, tmp_path: Path) -> None:
    parquet(tmp_path / "rows.parquet", 0, 100)
    out = tmp_path / "out"
    target = out.as_uri() if is_address else f"{out}/"
    for _ in range(2):  # the second time over the folder of the first
        map_file(mapping(tmp_path, "rows.parquet"), target, replace(OPTIONS, on=MASTER))
        files = sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
        done = ["_SUCCESS"] if is_address else []
        assert files == [
            *done, "part-00000.nq", "statements", "statements/part-00000.parquet",
        ]  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mapping.yaml",
        "out",
        "rows.parquet",
    ]


def test_a_process_of_its_own_reads_a_source_of_the_driver(tmp_path: Path) -> None:
    """It has nothing imported that another test needed."""
    (tmp_path / "rows.json").write_text('[{"id": 1, "name": "a"}]')
    text = MAPPING.replace('"SOURCE~parquet"', "[rows.json~jsonpath, '$[*]']").replace(
        ", [ex:day, $(day)], [ex:size, $(size)]", ""
    )
    path = tmp_path / "mapping.yaml"
    path.write_text(text, "utf-8")
    done = run_process("map", path, "-o", tmp_path / "out.nq", "--on", MASTER, timeout=400)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.nq").read_text().endswith('/row/1> <http://example.com/name> "a" .\n')
