"""A mapping run by Spark gives the bytes and the findings of one machine.

Every case is run twice: by the engine of one machine, and by Spark with blocks of a few bytes, so
that even small files are divided, also inside of records.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.engine.spark.storage import pattern
from lodpipe.mapping.model import LogicalSource
from lodpipe.sources.file_tables import find_files
from lodpipe.sources.folders import Folders
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from spark_support import MASTER, needs_spark, small_blocks
from support import ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.slow, needs_spark, pytest.mark.usefixtures("local_spark")]
CASES = ROOT / "tests/spark"
SUITES = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared/suites"))
OPTIONS = MappingOptions("http://example.com/base/")
SMALL, SMALLER = 256, 96  # bytes of a block; smaller than the records with line breaks


def outcome(
    mapping: Path, out: Path, options: MappingOptions
) -> tuple[bytes | None, list[Finding]]:
    """The bytes that a mapping makes (None: none), and its findings."""
    try:
        findings = map_file(mapping, out, options)
    except LodpipeError as error:
        return None, list(error.findings)
    return out.read_bytes(), sorted(findings, key=lambda finding: finding.sort_key)


def compare(mapping: Path, folder: Path, options: MappingOptions = OPTIONS) -> None:
    """Runs a mapping on both engines, and compares bytes and findings."""
    one_machine = outcome(mapping, folder / "here.nq", options)
    spark = outcome(mapping, folder / "there.nq", replace(options, on=MASTER))
    assert spark == one_machine


def mapping_of(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.name.startswith("mapping."))


def cases() -> list[Path]:
    return sorted(path for path in CASES.iterdir() if path.is_dir())


def test_number_of_cases() -> None:
    assert len(cases()) == 20


POLICIES = [(case, "error") for case in cases()] + [
    (CASES / name, "skip") for name in ("csv-bad-values", "functions", "hidden-names")
]


@pytest.mark.parametrize(
    ("case", "policy"), POLICIES, ids=[f"{case.name}, {policy}" for case, policy in POLICIES]
)
def test_case(case: Path, policy: str, tmp_path: Path) -> None:
    folder = tmp_path / case.name
    shutil.copytree(case, folder)
    with small_blocks(SMALLER if "line-breaks" in case.name else SMALL):
        compare(mapping_of(folder), tmp_path, replace(OPTIONS, on_invalid_value=policy))


VIEWS = sorted(path for path in (CASES.parent / "views").iterdir() if path.is_dir())


@pytest.mark.parametrize("case", VIEWS, ids=lambda path: path.name)
def test_views_give_the_same(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / case.name
    shutil.copytree(case, folder)
    compare(folder / "mapping.rml.ttl", tmp_path)


def suite_cases() -> list[Path]:
    """The mappings of RML-Core over files. Those that differ in the format of their source alone
    are run over CSV and JSON in turn: one machine runs all of them (conformance/test_suites.py).
    """
    folders = [SUITES / suite / "test-cases" for suite in ("rml-core", "rml-core-csv")]
    by_case: dict[str, list[Path]] = {}
    for path in sorted(path for folder in folders for path in folder.glob("*/mapping.ttl")):
        by_case.setdefault(path.parent.name.rpartition("-")[0], []).append(path)
    return [paths[number % len(paths)] for number, paths in enumerate(by_case.values())]


def test_number_of_cases_of_the_official_suite() -> None:
    assert len(suite_cases()) in (0, 82)


@pytest.mark.skipif(not suite_cases(), reason=f"no official test cases in {SUITES}")
@pytest.mark.parametrize("case", suite_cases(), ids=lambda path: path.parent.name)
def test_case_of_the_official_suite(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / case.parent.name
    shutil.copytree(case.parent, folder)
    with small_blocks(SMALL):
        compare(folder / "mapping.ttl", tmp_path)


LINES = [
    case
    for case in cases()
    if (list(case.glob("*.csv")) or list(case.glob("*.jsonl"))) and case.name != "hidden-names"
]  # Spark leaves out files with such names


@pytest.mark.parametrize("case", LINES, ids=lambda path: path.name)
def test_lines_that_spark_hands_over_give_the_same(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So are files in a store read."""
    from lodpipe.engine.spark import frames
    from lodpipe.engine.spark.store_blocks import StoreFiles

    def as_in_a_store(spark: SparkSession, source: LogicalSource, root: Path) -> StoreFiles:
        paths = [pattern(path) for path, _ in find_files(source.text, source.origin, Folders(root))]
        return StoreFiles(spark, paths, csv=source.kind == "csv")

    monkeypatch.setattr(frames, "divided_files", as_in_a_store)
    folder = tmp_path / case.name
    shutil.copytree(case, folder)
    one_machine = outcome(mapping_of(folder), tmp_path / "one.nq", OPTIONS)
    with small_blocks(SMALLER if "line-breaks" in case.name else SMALL):
        options = replace(OPTIONS, on=MASTER)
        data, findings = outcome(mapping_of(folder), tmp_path / "spark.nq", options)
    assert data == one_machine[0]
    assert set(map(place, findings)) == set(map(place, one_machine[1]))


def place(finding: Finding) -> tuple[str, str, int]:
    """The rule, the file without its folder, and the line."""
    where = finding.where
    return (
        (finding.code, where.file.rpartition("/")[2], where.line)
        if where
        else (finding.code, "", 0)
    )


@pytest.mark.parametrize("reader", ["lodpipe", "Spark"])
def test_files_are_divided_into_small_blocks(reader: str) -> None:
    """Else the other tests would show little. Each block has whole records."""
    from lodpipe.engine.spark.disk_blocks import DiskFiles
    from lodpipe.engine.spark.spark_session import start
    from lodpipe.engine.spark.store_blocks import StoreFiles

    path = CASES / "csv-line-breaks/notes.csv"
    with small_blocks(SMALLER):
        files = (
            DiskFiles(start(MASTER), [(path, path.name)], csv=True)
            if reader == "lodpipe"
            else StoreFiles(start(MASTER), [path.as_uri()], csv=True)
        )
        blocks = range(len(files.reader.blocks))
        texts = [b"".join(files.records_of(block)).decode() for block in blocks]
    print(f"{len(texts)} blocks")
    assert len(texts) > 5
    assert "".join(texts) == path.read_text("utf-8")
    rows = [row for text in texts for row in csv.reader(io.StringIO(text, newline=""))]
    assert rows == list(csv.reader(path.open(encoding="utf-8", newline="")))


def test_lists_that_need_all_records_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    shutil.copytree(CASES / "lists-of-records", folder)
    mapping = folder / "mapping.ttl"
    turtle = mapping.read_text("utf-8")
    mapping.write_text(
        turtle.replace("rml:gatherAs rdf:Seq", 'rml:gatherAs rdf:Seq ; rml:template "days/{$.id}"'),
        "utf-8",
    )
    lines, findings = outcome(mapping, tmp_path / "out.nq", replace(OPTIONS, on=MASTER))
    assert lines is None
    assert [(finding.code, finding.params["detail"][:40]) for finding in findings] == [
        ("LP602", "Spark cannot put lists and containers of")
    ]
