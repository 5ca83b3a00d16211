"""The official suites of RML and R2RML: every case is run, and compared with what it expects."""

from __future__ import annotations

import pytest

from conformance import report, server, suites
from conformance.suites import Case, Suite
from support import ROOT

CASES = [case for suite in suites.ALL for case in suites.cases(suite)]
COUNTS = {
    "rml-core": 76,
    "rml-core-csv": 48,
    "rml-core-postgresql": 59,
    "r2rml-postgresql": 67,
    "r2rml-sqlite": 62,
    "rml-io": 73,
    "rml-io-registry": 21,
    "rml-lv": 41,
    "rml-fnml": 20,
    "rml-cc": 35,
    "rml-old-xml": 38,
    "rml-old-csv": 39,
    "rml-old-json": 41,
}
if not CASES:
    pytest.skip(suites.HOW_TO_GET, allow_module_level=True)


@pytest.mark.parametrize("suite", suites.ALL, ids=lambda suite: suite.name)
def test_no_case_is_lost(suite: Suite) -> None:
    if suite in suites.absent():
        pytest.skip(f"{suite.name}: {suites.HOW_TO_GET}")
    assert len(suites.cases(suite)) == COUNTS[suite.name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.suite.name}-{case.name}")
def test_case(case: Case, postgresql: str | None, outcomes: dict[tuple[str, str], str]) -> None:
    if case.suite.database == "postgresql" and postgresql is None:
        pytest.skip(server.MISSING)
    outcome = outcomes[case.suite.name, case.name] = suites.run(case, postgresql)
    assert suites.complaint(case, outcome) is None, suites.complaint(case, outcome)


def test_expected_failures_are_cases() -> None:
    known = {(case.suite.name, case.name) for case in CASES}
    absent = {suite.name for suite in suites.absent()}
    listed = {
        (suite, name)
        for suite, cases in suites.EXPECTED_FAILURES.items()
        for name in cases
        if suite not in absent
    }
    assert listed <= known


def test_the_documented_numbers_are_those_of_this_run(outcomes: dict[tuple[str, str], str]) -> None:
    if len(outcomes) < len(CASES):
        pytest.skip("not every case was run")
    page = (ROOT / "docs" / "conformance.md").read_text("utf-8")
    assert page == report.written(outcomes, page), "run `make conformance`"
