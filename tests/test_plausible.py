"""Mistakes that are valid values: each is reported once and at its line, by rules that are declared
(see breakage/plausible/README.md).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest
import yaml

from checker import Checker
from lodpipe.checks.hygiene import (
    hygiene_findings,
    problems_of_text,
    transliteration_findings,
)
from lodpipe.checks.integrity import nearly_same, order_findings
from lodpipe.checks.languages import language_findings
from lodpipe.checks.plausibility import RecordSource, out_of_range, plausibility_findings
from lodpipe.checks.record_rules import rule_findings
from lodpipe.checks.records import repeated_items
from lodpipe.checks.unlike_texts import unlike_text_findings
from lodpipe.checks.yaml_texts import yaml_text_findings
from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import RecordRule
from lodpipe.diagnostics.finding import Finding, LodpipeError, Origin
from lodpipe.diagnostics.rules import render
from lodpipe.engine.duckdb import Engine
from lodpipe.sources import Lexicon, RecordReader, read_declaration
from lodpipe.workflow.pipeline import checked
from support import COUNTED, TESTS, copy_project
from test_breakage import KEYS, break_file, expected_line

CASES: list[dict[str, Any]] = [
    case
    for path in sorted((TESTS / "breakage" / "plausible").glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]
TEXTS = yaml.safe_load((TESTS / "plausible" / "texts.yaml").read_text("utf-8"))
DECLARED = yaml.safe_load((TESTS / "plausible" / "declarations.yaml").read_text("utf-8"))
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


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    """A copy that is checked after each mistake, which is taken back afterwards."""
    return Checker(copy_project(tmp_path_factory.mktemp("watched") / "project"), whole=False)


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


@pytest.mark.parametrize("case", TEXTS, ids=range(len(TEXTS)))
def test_texts_that_only_look_unusual_are_not_reported(case: dict[str, Any]) -> None:
    problems = problems_of_text(case["text"], case.get("type", "text"))
    assert [problem.code for problem in problems] == case["codes"]


def test_the_engine_searches_large_tables_as_python_does_small_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spelt = ["Müller", "Mueller", "Straße Mueller", "Grüße", "Gruesse"]
    cases = [*TEXTS, *({"text": text} for text in spelt)]
    kinds = ("text", "url")
    records = [
        {kind: case["text"] if case.get("type", "text") == kind else None for kind in kinds}
        for case in cases
    ]
    fields = "{text: {type: text}, url: {type: text}}"
    (tmp_path / "records.yaml").write_text(
        f"t:\n  files: t.json\n  empty: absent\n  fields: {fields}\n", "utf-8"
    )
    (tmp_path / "t.json").write_text(json.dumps(records), "utf-8")
    declared = read_declaration(tmp_path / "records.yaml", "source/records.yaml")
    tables = RecordReader(tmp_path, "source/", Lexicon({}, {}, ("en",))).read(declared.values())
    with Engine("1GB", root=tmp_path) as running:
        running.load(tables.values(), None)

        def findings() -> list[Finding]:
            return [
                *hygiene_findings(running.session, tables),
                *transliteration_findings(running.session, tables),
            ]

        by_python = findings()
        monkeypatch.setattr("lodpipe.checks.hygiene._MANY_ROWS", -1)
        assert findings() == by_python
    assert {"LP220", "LP221", "LP222", "LP223", "LP224", "LP227"} <= {
        item.code for item in by_python
    }


@pytest.mark.parametrize("case", DECLARED, ids=[case["case"] for case in DECLARED])
def test_declarations_report_what_they_say(case: dict[str, Any], tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "records.yaml").write_text(case["fields"], "utf-8")
    for name in (name for name in case if "." in name):
        (source / name).write_text(case[name], "utf-8")
    places = (
        f"{finding.code} {finding.where.file.removeprefix('source/')}:{finding.where.line}"
        for finding in declared_findings(tmp_path, case.get("rules", []))
        if finding.where
    )
    assert sorted(places) == sorted(case["findings"])


def test_names_that_differ_in_initials_are_near_duplicates() -> None:
    names = [
        "Brian Evans", "Brian S. Evans", "Jimmy Hickey, Jr", "Jimmy Hickey", "Brian A. Evans", "Amt 5", "Amt 5 a", "Dr. Eva Muster", "Eva Muster",
    ]  # fmt: skip
    pairs = nearly_same([(number, name, name) for number, name in enumerate(names)])
    assert [(first[1], second[1]) for first, second in pairs] == [
        ("Brian Evans", "Brian S. Evans"),
        ("Jimmy Hickey, Jr", "Jimmy Hickey"),
        ("Brian Evans", "Brian A. Evans"),
        ("Dr. Eva Muster", "Eva Muster"),
    ]


def declared_findings(root: Path, rules: list[dict[str, Any]]) -> list[Finding]:
    """The findings of all checks of this module's subject, without a publication around them."""
    source = root / "source"
    try:
        declared = read_declaration(source / "records.yaml", "source/records.yaml")
    except LodpipeError as error:
        return list(error.findings)
    tables = RecordReader(source, "source/", Lexicon({}, {}, ("en",))).read(declared.values())
    parsed = msgspec.convert(rules, list[RecordRule])
    with Engine("1GB", root=source) as running:
        running.load(tables.values(), None)
        session, today = running.session, "2026-11-30"
        return [
            *plausibility_findings(RecordSource(session, tables, declared, today, root)),
            *order_findings(session, tables, lambda column: out_of_range(column, today)),
            *hygiene_findings(session, tables),
            *language_findings(session, tables),
            *unlike_text_findings(session, tables),
            *repeated_items(session, tables),
            *yaml_text_findings(root, session, tables, declared.values()),
            *rule_findings(session, parsed, tables, Origin("publication.yaml", 1)),
        ]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES, ids=[case["mistake"] for case in CASES])
def test_a_mistake_alone_is_reported_once(case: dict[str, Any], watched: Checker) -> None:
    path = watched.root / case["file"]
    before = path.read_bytes()
    break_file(path, case)
    try:
        findings = reported(watched.check())
        assert [finding[:3] for finding in findings] == [of_case(case, watched.root)]
    finally:
        path.write_bytes(before)
