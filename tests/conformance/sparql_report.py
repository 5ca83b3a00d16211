"""The section of docs/conformance.md about the query tests, and a comparison of two endpoints:

    PYTHONPATH=tests python -m conformance.sparql_report write data.nq
    PYTHONPATH=tests python -m conformance.sparql_report http://127.0.0.1:8000/sparql http://127.0.0.1:7878/query

The first writes the data that both have to serve; the second asks both every case and prints those
with different verdicts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import yaml

from conformance import sparql_cases
from conformance.sparql_cases import FEDERATED, MANIFESTS, PASSES, Endpoint

_LISTED = yaml.safe_load(
    (Path(__file__).parent / "sparql-expected-failures.yaml").read_text("utf-8")
)
EXPECTED_FAILURES: dict[str, str] = {
    case: group["reason"] for group in _LISTED for case in group["cases"]
}
# Cases that the Oxigraph server 0.5.13 passes of each part, run in November 2026.
PEER = {
    "SPARQL 1.0": 459,
    "SPARQL 1.1": 317,
    "SPARQL 1.1, results as CSV, TSV, JSON": 8,
    FEDERATED: 4,
    "SPARQL 1.2": 241,
}
_HEADING = "## SPARQL queries over HTTP"
_TEXT = (
    _HEADING
    + """
The query tests of [w3c/rdf-tests](https://github.com/w3c/rdf-tests) (sparql10, sparql11, sparql12 as of 7 August 2026), asked of a running
`lodpipe serve` over HTTP, with the data of each case as named graphs. Results are compared as terms (numbers by value), blank nodes by renaming,
and in order where the case has one.

| part | evaluation | positive syntax | negative syntax | known deviations | Oxigraph server 0.5.13 |
|---|--:|--:|--:|--:|--:|
{rows}

Of the 1,066 cases that ask no other endpoint one has another verdict in the Oxigraph server, whose store is the endpoint's as well:
`sparql10/syntax-sparql3/syn-bad-26`, which is invalid and which that server accepts. Unknown functions are refused with 400, where it answers 500.
The ten cases with `SERVICE` are refused with 403, because the endpoint never asks another; `lodpipe query` runs federated queries.

The 20 query cases of the SPARQL 1.1 Protocol and the three of the Service Description pass (`tests/test_serve_protocol.py`).

Known deviations, most of them of the store. One that starts to pass fails the tests:

{failures}
"""
)


def section(page: str) -> str:
    """The section; as the page has it where the tests are not on this machine."""
    if not sparql_cases.cases():
        existing = re.search(rf"^{_HEADING}$.*?(?=^## )", page, re.MULTILINE | re.DOTALL)
        return existing[0].rstrip() + "\n" if existing else ""
    return _TEXT.format(rows="\n".join(map(_row, MANIFESTS)), failures="\n".join(_failures()))


def _row(part: str) -> str:
    own = [case for case in sparql_cases.cases() if case.part == part]
    if part == FEDERATED:
        return f"| {part} | refused | refused | | | {PEER[part]} of {len(own)} |"
    cells = []
    for kind in ("evaluation", "positive syntax", "negative syntax"):
        cases = [case for case in own if case.kind == kind]
        passed = [case for case in cases if case.name not in EXPECTED_FAILURES]
        cells.append(f"{len(passed)} of {len(cases)}" if cases else "")
    listed = sum(case.name in EXPECTED_FAILURES for case in own)
    return f"| {part} | {' | '.join(cells)} | {listed} | {PEER[part]} of {len(own)} |"


def _failures() -> list[str]:
    return [
        f"- {group['reason']} ({', '.join(f'`{name}`' for name in group['cases'])})"
        for group in _LISTED
    ]


def main(arguments: list[str]) -> int:
    """Writes the data, or compares two endpoints."""
    if arguments[:1] == ["write"]:
        print(f"{sparql_cases.write_data(Path(arguments[1]))} graphs")
        return 0
    endpoints = [Endpoint(address) for address in arguments]
    different = 0
    for case in sparql_cases.cases():
        verdicts = [_verdict(case, endpoint) for endpoint in endpoints]
        if len({verdict == PASSES for verdict in verdicts}) > 1:
            different += 1
            print(case.name, *verdicts, sep="\n    ")
    print(f"{len(sparql_cases.cases())} cases, {different} with different verdicts")
    return 0


def _verdict(case: sparql_cases.Case, endpoint: Endpoint) -> str:
    try:
        return sparql_cases.verdict(case, endpoint)
    except ValueError as error:  # what the endpoint sends cannot be read
        return f"invalid answer: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
