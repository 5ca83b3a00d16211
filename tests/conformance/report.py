"""Writes docs/conformance.md from a run of all suites: `make conformance`."""

from __future__ import annotations

import sys

from conformance import server, suites
from support import ROOT

# The best other engine on the same suite, as it was run for comparison in November 2026: name, results, errors, remark.
PEERS = {
    "rml-core": ("SDM-RDFizer", 49, 5, ""),
    "rml-core-csv": ("morph-kgc", 30, 9, ", mappings rewritten to its vocabulary"),
}
TEXT = """\
# Conformance

This page is written by `make conformance` from a run of the official test suites; the tests fail where it is not what a run gives.

{table}

- **Results**: cases whose graph is the expected one, statement by statement, blank nodes named by [RDFC-1.0](https://www.w3.org/TR/rdf-canon/).
- **Errors**: cases that expect an error, and end with a finding and without a file. They are counted apart, because an engine that always
  fails would pass them all.
- **Best peer**: the engine that passes most of the same cases (results + errors).

`make test` runs every case. It looks for the suites in the folder that the environment variable `LODPIPE_SUITES` names (default:
`../shared/suites` beside the repository), and starts a PostgreSQL server of its own for those that need one.

## What was run
- RML-Core: the cases of [kg-construct/rml-core](https://github.com/kg-construct/rml-core), JSON as of April 2026, CSV and PostgreSQL as of
  February 2025, before they were taken out there.
- R2RML: the [W3C cases](https://www.w3.org/TR/rdb2rdf-test-cases/) as kept by kg-construct, with the scripts for PostgreSQL. Five cases have a second
  mapping with MySQL's functions; PostgreSQL runs these as well, SQLite has them only in its newest versions.
- Expected N-Quads are read leniently: RMLTC0027b-JSON expects IRIs that are not valid, as `rml:UnsafeIRI` asks for.

## Expected failures
A case stands here only where the specification does not ask for what it expects. One that starts to pass fails the tests.

{failures}
"""


def written(outcomes: dict[tuple[str, str], str]) -> str:
    """The page."""
    rows = ["| suite | cases | results | errors | expected failures | best peer |", "|---|--:|--:|--:|--:|---|"]
    rows += [_row(suite, *suites.counted(suite, outcomes)) for suite in suites.ALL]
    return TEXT.format(table="\n".join(rows), failures="\n".join(_failures()))


def _row(suite: suites.Suite, run: int, results: int, errors: int) -> str:
    expected = len(suites.EXPECTED_FAILURES.get(suite.name, {}))
    peer = "not run"
    if suite.name in PEERS:
        name, made, refused, remark = PEERS[suite.name]
        peer = f"{name} {made + refused} ({made} + {refused}){remark}"
    return f"| {suite.title} | {run} | {results} | {errors} | {expected} | {peer} |"


def _failures() -> list[str]:
    titles = {suite.name: suite.title for suite in suites.ALL}
    found = [(titles[suite], case, reason) for suite, cases in suites.EXPECTED_FAILURES.items() for case, reason in cases.items()]
    return [f"- **{case}** ({title}): {reason}" for title, case, reason in found]


def main() -> int:
    every = [case for suite in suites.ALL for case in suites.cases(suite)]
    if not every or server.programs() is None:
        print(server.NOT_THERE if every else suites.HOW_TO_GET, file=sys.stderr)
        return 1
    with server.running() as address:
        outcomes = {(case.suite.name, case.name): suites.run(case, address) for case in every}
    (ROOT / "docs" / "conformance.md").write_text(written(outcomes), "utf-8")
    said = {case: suites.complaint(case, outcomes[case.suite.name, case.name]) for case in every}
    complaints = [f"{case.suite.name} {case.name}: {one}" for case, one in said.items() if one]
    print("\n".join(complaints) or f"{len(every)} cases, no surprise")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
