"""Seeded mistakes: each is reported once, with the right code, at the right line, and dist/ stays as it
was (see breakage/README.md).
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from lodpipe.diagnostics.rules import render
from reported import MACHINE, places
from support import ROOT, TESTS, copy_project, errors_in, fingerprint, invoke

FILES = sorted((TESTS / "breakage").glob("*.yaml"))
CASES: list[dict[str, Any]] = [
    case for path in FILES for case in yaml.safe_load(path.read_text("utf-8"))
]
KEYS = {
    "mistake", "project", "file", "after", "replace", "with", "append", "content", "encoding", "delete", "without", "lost_zeros",
    "consequences", "code", "exit", "at", "line", "message", "lang", "bug",
}  # fmt: skip


def walk(text: str, markers: str | list[str]) -> int:
    """Where the last marker is, each looked for behind the one before it."""
    at = 0
    for number, marker in enumerate([markers] if isinstance(markers, str) else markers):
        at = text.find(marker, at + 1 if number else 0)
        assert at >= 0, f"the case is out of date: `{marker}` is missing"
    return at


def break_file(path: Path, case: dict[str, Any]) -> None:
    """Makes the mistake."""
    if case.get("delete"):
        path.unlink()
        return
    text = (
        case["content"] if "content" in case else path.read_text("utf-8") + case.get("append", "")
    )
    if "replace" in case:
        start = walk(text, case["after"]) if "after" in case else 0
        assert case["replace"] in text[start:], (
            f"the case is out of date: `{case['replace']}` is missing"
        )
        text = text[:start] + text[start:].replace(case["replace"], case["with"], 1)
    if "without" in case:
        first, end = case["without"]
        start = walk(text, first)
        text = text[:start] + text[text.index(end, start) :]
    for column in case.get("lost_zeros", []):
        text = without_zeros(text, column)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode(case.get("encoding", "utf-8")))


def without_zeros(text: str, column: str) -> str:
    """A table as a spreadsheet saves it that takes the keys of a column for numbers."""
    head, *rows = csv.reader(io.StringIO(text))
    at = head.index(column)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        row[at] = row[at].lstrip("0") if row[at].isdigit() else row[at]
        writer.writerow(row)
    return out.getvalue()


# What parsers, databases and browsers say of their own is quoted as it is.
_QUOTED = {"LP603", "LP604", "LP802"}
_ENGLISH = re.compile(
    r"\b(the|is|are|not|of|and|with|there|did|you|mean|cannot|must|has|have|found|expected|first|lines|instead)\b"
)


def english_words(text: str) -> list[str]:
    """English function words of a German text, outside of names and code."""
    return _ENGLISH.findall(
        re.sub(r"`[^`]*`|<[^>]*>|„[^“]*“|\"[^\"]*\"|\w+://\S+|\bsh:\w+", "", text)
    )


def expected_line(project: Path, case: dict[str, Any]) -> tuple[str, int]:
    """The file, and the line on which the last marker is; 0 where the whole file is meant."""
    file = case.get("at", case["file"])
    if case["line"] == 0:
        return file, 0
    text = (project / file).read_bytes().decode(case.get("encoding", "utf-8"))
    return file, text.count("\n", 0, walk(text, case["line"])) + 1


def parameters() -> list[Any]:
    return [pytest.param(case, id=case["mistake"], marks=marks(case)) for case in CASES]


def marks(case: dict[str, Any]) -> list[pytest.MarkDecorator]:
    """A known bug is expected to fail; a build of the real publication is slow."""
    bug = [pytest.mark.xfail(strict=True, reason=case["bug"])] if "bug" in case else []
    return bug if "project" in case else [*bug, pytest.mark.slow]


@pytest.mark.parametrize("case", parameters())
def test_a_mistake_is_reported_once_and_where_it_is(case: dict[str, Any], tmp_path: Path) -> None:
    project = copy_project(
        tmp_path / "project", ROOT / case["project"] if "project" in case else ROOT
    )
    (project / "dist").mkdir()
    (project / "dist" / "old.txt").write_text("the dist/ of yesterday")
    before = fingerprint(project / "dist")
    break_file(project / case["file"], case)

    reports = [part for kind in MACHINE for part in ("--report", f"{kind}:{tmp_path / kind}")]
    result = invoke("build", "--project", project, "--lang", case.get("lang", "en"), *reports)

    errors = errors_in(result.stderr)
    assert [(finding.code, finding.file, finding.line) for finding in errors] == [
        (case["code"], *expected_line(project, case))
    ], result.stderr
    assert result.exit_code == case["exit"]
    for kind in MACHINE:
        file, line = expected_line(project, case)
        expected = (case["code"], file, max(1, line) if kind == "gitlab" else line)
        assert places(kind, (tmp_path / kind).read_text("utf-8")) == [expected], kind
    assert case.get("message", "") in result.stderr
    (finding,) = [
        item
        for item in json.loads((tmp_path / "json").read_text("utf-8"))["findings"]
        if item["severity"] == "error"
    ]
    assert len(finding["consequences"]) >= case.get("consequences", 0)
    if finding["code"] not in _QUOTED:
        german = " ".join(render(finding["code"], finding["params"], "de"))
        assert english_words(german) == [], german
    assert fingerprint(project / "dist") == before
    assert not (project / "dist.next").exists()


def test_the_cases_are_many_and_well_formed() -> None:
    print(f"{len(CASES)} seeded mistakes")
    assert len(CASES) >= 50
    assert len({case["mistake"] for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case) <= KEYS, case
        assert {"mistake", "file", "code", "exit", "line"} <= set(case), case
