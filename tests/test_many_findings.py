"""Findings by the thousand: each at its own line, all looked up together, for a query or a pass
over the file for each would take hours.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, InvalidData
from lodpipe.documents import csv_positions as cells
from lodpipe.engine.sql_session import Session
from lodpipe.workflow.pipeline import checked
from support import TESTS, copy_project

MANY = 3000


def with_holdings(folder: Path, rows: int) -> Project:
    """The second publication with a CSV table of holdings, every second of which lacks copies."""
    project = copy_project(folder, TESTS / "projects" / "libraries")
    source = project / "source"
    (source / "holdings.jsonl").unlink()
    declared = source / "records.yaml"
    declared.write_text(
        declared.read_text("utf-8").replace("holdings.jsonl", "holdings.csv"), "utf-8"
    )
    lines = ["id,work,library,copies,lendable\n"]
    for number in range(rows):
        copies = "0" if number % 2 else "1"
        lines.append(f"h-{number},kleider,central,{copies},true\n")
    (source / "holdings.csv").write_text("".join(lines), "utf-8")
    return Project.open(project)


def of_shapes(project: Project) -> list[Finding]:
    with pytest.raises(InvalidData) as caught, checked(project):
        pass
    return [finding for finding in caught.value.findings if finding.code == "LP401"]


def test_every_finding_has_its_line_and_their_number_asks_no_more_queries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    passes: list[Path] = []
    rows, places = Session.rows, cells._Reading._places
    monkeypatch.setattr(
        Session, "rows", lambda self, sql, *given: statements.append(sql) or rows(self, sql, *given)
    )
    monkeypatch.setattr(
        cells._Reading,
        "_places",
        lambda self, path, *given: passes.append(path) or places(self, path, *given),
    )
    few = of_shapes(with_holdings(tmp_path / "few", 10))
    queries, read = len(statements), len(passes)
    statements.clear()
    passes.clear()
    many = of_shapes(with_holdings(tmp_path / "many", MANY))
    assert [finding.where.line for finding in few] == [3, 5, 7, 9, 11]
    assert [finding.where.line for finding in many] == list(range(3, MANY + 2, 2))
    assert {finding.where.field for finding in many} == {"copies"}
    assert (len(statements), len(passes)) == (queries, read)


def test_rows_are_found_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,"x\ny"\n\n2,z\n3,w\n', "utf-8")
    expected = {0: (2, '1,"x\ny"\n'), 1: (5, "2,z\n"), 2: (6, "3,w\n")}
    for order in ([0, 1, 2], [2, 0, 1], [1, 1, 0], [2, 1, 0]):
        assert [cells.row_of(path, row) for row in order] == [expected[row] for row in order]
    path.write_text("a,b\n7,8\n", "utf-8")
    assert cells.row_of(path, 0) == (2, "7,8\n")
