"""A mapping run by Spark gives the bytes and the findings of one machine.

Every case is run twice: by the engine of one machine, and by Spark with blocks of a few bytes, so
that even small files are divided, also inside of records.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from spark_support import MASTER, needs_spark, small_blocks
from support import ROOT

pytestmark = [pytest.mark.slow, needs_spark]
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
    assert len(cases()) == 18


POLICIES = [(case, "error") for case in cases()] + [
    (CASES / name, "skip") for name in ("csv-bad-values", "hidden-names")
]


@pytest.mark.parametrize(
    ("case", "policy"), POLICIES, ids=[f"{case.name}, {policy}" for case, policy in POLICIES]
)
def test_case(case: Path, policy: str, tmp_path: Path) -> None:
    folder = tmp_path / case.name
    shutil.copytree(case, folder)
    with small_blocks(SMALLER if "line-breaks" in case.name else SMALL):
        compare(mapping_of(folder), tmp_path, replace(OPTIONS, on_invalid_value=policy))


def suite_cases() -> list[Path]:
    """The mappings of RML-Core over files."""
    folders = [SUITES / suite / "test-cases" for suite in ("rml-core", "rml-core-csv")]
    return sorted(path for folder in folders for path in folder.glob("*/mapping.ttl"))


@pytest.mark.skipif(not suite_cases(), reason=f"no official test cases in {SUITES}")
@pytest.mark.parametrize("case", suite_cases(), ids=lambda path: path.parent.name)
def test_case_of_the_official_suite(case: Path, tmp_path: Path) -> None:
    folder = tmp_path / case.parent.name
    shutil.copytree(case.parent, folder)
    with small_blocks(SMALL):
        compare(folder / "mapping.ttl", tmp_path)


def test_files_are_divided_into_small_blocks(tmp_path: Path) -> None:
    """Else the other tests would show little."""
    from lodpipe.engine.spark.spark_session import start
    from lodpipe.engine.spark.text_blocks import blocks_of, read_lines

    path = CASES / "csv-line-breaks/notes.csv"
    with small_blocks(SMALLER):
        _, blocks = blocks_of(read_lines(start(MASTER), [f"file://{path}"]), csv=True)
    print(f"{len(blocks)} blocks, {sum(block.inside for block in blocks)} inside of a record")
    assert len(blocks) > 5
    assert any(block.inside for block in blocks)


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
