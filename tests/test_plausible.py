"""Mistakes that are valid values: each is reported once and at its line, by rules that are declared
(see breakage/plausible/README.md).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.diagnostics.rules import render
from lodpipe.workflow.pipeline import checked
from support import COUNTED, ROOT, TESTS, copy_project
from test_breakage import KEYS, break_file, expected_line

CASES: list[dict[str, Any]] = [
    case
    for path in sorted((TESTS / "breakage" / "plausible").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]
# What any edit of the records brings: it is compared with the last build, and the results of queries
# with those that are stored.
OF_ANY_EDIT = {"LP506", "LP539", "LP505"}


class Reported(NamedTuple):
    """A finding and its texts."""

    code: str
    severity: str
    place: tuple[str, int]
    english: str
    german: str


def reported(findings: Iterable[Finding]) -> list[Reported]:
    """The findings that are about the records, with their message and help."""
    return [
        Reported(
            finding.code,
            str(finding.severity),
            (finding.where.file, finding.where.line) if finding.where else ("", 0),
            " ".join(render(finding.code, finding.params, "en")),
            " ".join(render(finding.code, finding.params, "de")),
        )
        for finding in findings
        if finding.code not in OF_ANY_EDIT
    ]


def check(project: Path) -> list[Reported]:
    """All findings of a project, whether errors or not; its queries are not run."""
    try:
        with checked(Project.open(project), queries=False) as outcome:
            return reported(outcome.findings)
    except LodpipeError as error:
        return reported(error.findings)


class Checked(NamedTuple):
    """The copy with all mistakes, and what was reported of it."""

    project: Path
    findings: list[Reported]


@pytest.fixture(scope="module")
def all_mistakes(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """One copy with all mistakes."""
    project = copy_project(tmp_path_factory.mktemp("plausible") / "project")
    for case in CASES:
        break_file(project / case["file"], case)
    return Checked(project, check(project))


def of_case(case: dict[str, Any], project: Path) -> tuple[str, str, tuple[str, int]]:
    """What is expected: code, severity and place."""
    return case["code"], case.get("severity", "warning"), expected_line(project, case)


@pytest.mark.parametrize("case", CASES, ids=[case["mistake"] for case in CASES])
def test_a_mistake_among_many_is_reported_once(case: dict[str, Any], all_mistakes: Checked) -> None:
    expected = of_case(case, all_mistakes.project)
    findings = [finding for finding in all_mistakes.findings if finding[:3] == expected]

    assert len(findings) == 1, all_mistakes.findings
    assert case["message"] in findings[0].english
    assert findings[0].german != findings[0].english
    assert not re.search("{[a-z]+}", findings[0].english + findings[0].german)


def test_nothing_else_is_reported(all_mistakes: Checked) -> None:
    expected = Counter(of_case(case, all_mistakes.project) for case in CASES)
    others = Counter(finding[:3] for finding in all_mistakes.findings) - expected
    assert not others
    assert len(CASES) >= 80


def test_the_publication_itself_is_clean(tmp_path: Path) -> None:
    assert check(copy_project(tmp_path / "project")) == []


def test_the_cases_are_well_formed(request: pytest.FixtureRequest) -> None:
    request.config.stash.setdefault(COUNTED, []).append(f"{len(CASES)} plausible mistakes")
    assert len({case["mistake"] for case in CASES}) == len(CASES)
    for case in CASES:
        assert set(case) <= KEYS | {"severity"}, case
        assert {"mistake", "file", "code", "line", "message"} <= set(case), case


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case["mistake"] for case in CASES])
def test_a_mistake_alone_is_reported_once(case: dict[str, Any], tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project", ROOT)
    break_file(project / case["file"], case)
    assert [finding[:3] for finding in check(project)] == [of_case(case, project)]
