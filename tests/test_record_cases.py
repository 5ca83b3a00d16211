"""Record declarations, and the rows or findings that files give (see records/README.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lodpipe.checks.records import record_findings
from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.diagnostics.rules import render
from lodpipe.engine.duckdb import Engine
from lodpipe.engine.sql_session import Session
from lodpipe.sources import Lexicon, RecordReader, RecordTable, RowTable, read_declaration
from support import TESTS

FILES = sorted((TESTS / "records").glob("*.yaml"))
CASES: list[dict[str, Any]] = [
    case for path in FILES for case in yaml.safe_load(path.read_text("utf-8"))
]
KEYS = {"case", "records", "files", "links", "rows", "findings", "unread"}
LEXICON = Lexicon({"kind": ("town", "village")}, {}, ("en",))


def write_project(root: Path, case: dict[str, Any]) -> None:
    for name, text in {"source/records.yaml": case["records"], **case.get("files", {})}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    for name, target in case.get("links", {}).items():
        (root / name).symlink_to(root / target)


def cells(session: Session, table: RecordTable, columns: list[str]) -> list[list[object]]:
    listed = ", ".join(f'"{column}"' for column in columns)
    rows = session.rows(f'SELECT {listed} FROM "{table.name}" ORDER BY _record')
    if isinstance(table, RowTable):
        assert len(rows) == len(table.rows) == len(list(table.lines)) == len(list(table.nodes))
    return [list(row) for row in rows]


def findings_of(root: Path, case: dict[str, Any]) -> Iterator[Finding]:
    """Reads the records, compares the rows on the way, and gives all findings."""
    declared = read_declaration(root / "source/records.yaml", "source/records.yaml")
    reader = RecordReader(root / "source", "source/", LEXICON)
    tables = reader.read(declared.values())
    with Engine(root=root / "source") as engine:
        findings = [*reader.findings, *engine.load(tables.values())]
        yield from findings
        yield from record_findings(engine.session, tables, declared, LEXICON)
        for name, (columns, *rows) in case.get("rows", {}).items():
            assert cells(engine.session, tables[name], columns) == rows, name
        unread = {name: dict(counts) for name, counts in reader.unread_keys.items() if counts}
        assert unread == case.get("unread", {})


def described(finding: Finding) -> str:
    where = finding.where
    line = f":{where.line}" if where and where.line else ""
    return f"{finding.code} {where.file if where else ''}{line} {render(finding.code, finding.params)[0]}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_files_give_rows_or_findings(case: dict[str, Any], tmp_path: Path) -> None:
    assert case.keys() <= KEYS
    write_project(tmp_path, case)
    try:
        reported = [described(finding) for finding in findings_of(tmp_path, case)]
    except LodpipeError as error:
        reported = [described(finding) for finding in error.findings]
    print("\n".join(reported))
    expected = case.get("findings", [])
    assert len(reported) == len(expected)
    for start in expected:
        assert any(other.startswith(start) for other in reported), start
