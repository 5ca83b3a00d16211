"""The W3C's SPARQL query tests, asked of a running `lodpipe serve` that has their data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance import sparql_cases, sparql_report
from conformance.sparql_cases import FEDERATED, PASSES, Case, Endpoint
from serving import serving_file
from support import COUNTED

CASES = sparql_cases.cases()
COUNTS = {
    "SPARQL 1.0": 482,
    "SPARQL 1.1": 328,
    "SPARQL 1.1, results as CSV, TSV, JSON": 10,
    FEDERATED: 10,
    "SPARQL 1.2": 246,
}
if not CASES:
    pytest.skip(sparql_cases.HOW_TO_GET, allow_module_level=True)


@pytest.fixture(scope="module")
def endpoint(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Endpoint]:
    folder = tmp_path_factory.mktemp("sparql-suite")
    graphs = sparql_cases.write_data(folder / "data.nq")
    counted = f"sparql: {len(CASES)} query tests over {graphs} graphs"
    pytestconfig.stash.setdefault(COUNTED, []).append(counted)
    with serving_file(folder / "data.nq", folder / "log", "--quiet") as server:
        endpoint = Endpoint(server.url + "sparql")
        yield endpoint
        endpoint.close()


def test_no_case_is_lost() -> None:
    assert {part: sum(case.part == part for case in CASES) for part in COUNTS} == COUNTS


def test_expected_failures_are_cases() -> None:
    assert sparql_report.EXPECTED_FAILURES.keys() <= {case.name for case in CASES}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, endpoint: Endpoint) -> None:
    if case.part == FEDERATED:
        status, _, body = endpoint.post(case, "*/*")
        assert (status, b"SERVICE is refused" in body) == (403, True)
        return
    outcome = sparql_cases.verdict(case, endpoint)
    reason = sparql_report.EXPECTED_FAILURES.get(case.name)
    assert reason is None or outcome != PASSES, "passes, but is in sparql-expected-failures.yaml"
    assert reason is not None or outcome == PASSES
