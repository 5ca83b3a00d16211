"""Writes docs/conformance.md from a run of all suites: `make conformance`."""

from __future__ import annotations

import sys

from conformance import server, sparql_report, suites
from support import ROOT

# Other engines that were run here on the same suite in November 2026, best first: name and version,
# results, errors, remark.
PEERS = {
    "rml-core": (
        ("SDM-RDFizer 4.7", 49, 5, ""),
        ("morph-kgc 2.10", 26, 7, ", mappings rewritten to its vocabulary"),
    ),
    "rml-core-csv": (("morph-kgc 2.10", 30, 9, ", mappings rewritten to its vocabulary"),),
}
# What engines claim of themselves and was not run here: suite, engine, cases passed of cases, where
# it says so.
_BURP = "README of [BURP](https://github.com/kg-construct/BURP), commit 906bb5a, 2026-08-20"
_RDFIZER = "its submission to track 1 of the KGCW challenge 2026, in [SDM-RDFizer](https://github.com/SDM-TIB/SDM-RDFizer)"
_CHALLENGE = "track 1 of the KGCW challenge 2026, [kgc-challenge](https://github.com/kg-construct/kgc-challenge), commit 5d40e90"
_ASIDE = "; it sets 17 of the 73 aside as faulty"
CLAIMS = (
    ("RML-Core, JSON", "BURP", "76 of 76", _BURP),
    ("RML-Core, JSON", "SDM-RDFizer", "76 of 76", _RDFIZER),
    ("RML-Core, JSON", "MappingWeaver", "70 of 76", _CHALLENGE),
    ("RML-IO", "SDM-RDFizer", "61 of 73", _RDFIZER),
    ("RML-IO", "BURP", "56 of 56", _BURP + _ASIDE),
    ("RML-IO", "MappingWeaver", "21 of 73", _CHALLENGE),
    ("RML-LV", "BURP", "41 of 41", _BURP),
    ("RML-LV", "SDM-RDFizer", "41 of 41", _RDFIZER),
    ("RML-LV", "MappingWeaver", "30 of 41", _CHALLENGE),
    ("RML-FNML", "BURP", "20 of 20", _BURP),
    ("RML-FNML", "SDM-RDFizer", "19 of 20", _RDFIZER),
    ("RML-FNML", "MappingWeaver", "15 of 20", _CHALLENGE),
    ("RML-CC", "BURP", "35 of 35", _BURP),
    ("RML-CC", "SDM-RDFizer", "35 of 35", _RDFIZER),
)
"""Those of each suite, best first."""
TEXT = """\
# Conformance

This page is written by `make conformance` from a run of the official test suites; the tests fail where it is not what a run gives.

{table}

- **Results**: cases whose graph is the expected one, statement by statement, blank nodes named by [RDFC-1.0](https://www.w3.org/TR/rdf-canon/).
- **Errors**: cases that expect an error, and end with a finding and without a file. They are counted apart, because an engine that always
  fails would pass them all.
- **Best peer run here**: the engine that passed most of the same cases (results + errors) when it was run for comparison in November 2026. Others
  claim more.
- **Best claim**: the highest figure that engines publish of themselves, which was not checked here; all are listed below.

`make test` runs every case. It looks for the suites in the folder that the environment variable `LODPIPE_SUITES` names (default:
`../shared/suites` beside the repository), and starts a PostgreSQL server of its own for those that need one.

## What others claim
These figures are the engines' own and were not checked here.

{claims}

## What was run
- RML-Core: the cases of [kg-construct/rml-core](https://github.com/kg-construct/rml-core), JSON as of April 2026, CSV and PostgreSQL as of
  February 2025, before they were taken out there.
- RML-IO-Registry: the cases of [kg-construct/rml-io-registry](https://github.com/kg-construct/rml-io-registry) for CSV, CSVW, JSON and XML,
  as of November 2025.
- RML 2014: the cases of [kg-construct/rml-test-cases](https://github.com/kg-construct/rml-test-cases) for the RML before RML-Core, with
  `--on-invalid-value skip`: those with wrong values expect the other statements. Its table `metadata.csv` says which cases expect an error.
- R2RML: the [W3C cases](https://www.w3.org/TR/rdb2rdf-test-cases/) as kept by kg-construct, with the scripts for PostgreSQL. Five cases have a second
  mapping with MySQL's functions; PostgreSQL runs these as well, SQLite has them only in its newest versions.
- RML-IO: each file that targets make is compared in its format, encoding and archive, and a file that is not expected fails the case. Files that
  are older than the natural datatypes are compared without these, and listed below.
- Expected N-Quads are read leniently: RMLTC0027b-JSON expects IRIs that are not valid, as `rml:UnsafeIRI` asks for.

{sparql}
## Expected failures of mappings
A case is listed here only where the specification does not ask for what it expects. One that starts to pass fails the tests.

{failures}
"""


def written(outcomes: dict[tuple[str, str], str], page: str) -> str:
    """The page; `page` is the one before it, from which suites that are not here keep their rows."""
    absent = suites.absent()
    rows = [
        "| suite | cases | results | errors | expected failures | best peer run here | best claim |",
        "|---|--:|--:|--:|--:|---|---|",
    ]
    rows += [
        _row_of(page, suite) if suite in absent else _row(suite, *suites.counted(suite, outcomes))
        for suite in suites.ALL
    ]
    return TEXT.format(
        table="\n".join(rows),
        claims="\n".join(_claims()),
        sparql=sparql_report.section(page),
        failures="\n".join(_failures()),
    )


def _row_of(page: str, suite: suites.Suite) -> str:
    return next(
        (line for line in page.splitlines() if line.startswith(f"| {suite.title} |")),
        f"| {suite.title} | not run | | | | | {_best_claim(suite)} |",
    )


def _row(suite: suites.Suite, run: int, results: int, errors: int) -> str:
    expected = len(suites.EXPECTED_FAILURES.get(suite.name, {}))
    peers = [
        f"{name}: {results + refused} ({results} + {refused}){remark}"
        for name, results, refused, remark in PEERS.get(suite.name, ())
    ]
    peer = peers[0] if peers else "none"
    return f"| {suite.title} | {run} | {results} | {errors} | {expected} | {peer} | {_best_claim(suite)} |"


def _best_claim(suite: suites.Suite) -> str:
    """The engines with the highest figure that is published of a suite, and the figure."""
    claims = [(engine, passed) for title, engine, passed, _ in CLAIMS if title == suite.title]
    best = [engine for engine, passed in claims if passed == claims[0][1]]
    return f"{', '.join(best)}: {claims[0][1]}" if best else "none known"


def _claims() -> list[str]:
    rows = ["| suite | engine | passed | source |", "|---|---|--:|---|"]
    return rows + [
        f"| {suite} | {engine} | {passed} | {source} |" for suite, engine, passed, source in CLAIMS
    ]


def _failures() -> list[str]:
    titles = {suite.name: suite.title for suite in suites.ALL}
    by_reason: dict[tuple[str, str], list[str]] = {}
    for suite, cases in suites.EXPECTED_FAILURES.items():
        for case, reason in cases.items():
            by_reason.setdefault((titles[suite], reason), []).append(f"**{case}**")
    return [
        f"- {', '.join(cases)} ({title}): {reason}" for (title, reason), cases in by_reason.items()
    ]


def main() -> int:
    every = [case for suite in suites.ALL for case in suites.cases(suite)]
    if not every or server.programs() is None:
        print(server.MISSING if every else suites.HOW_TO_GET, file=sys.stderr)
        return 1
    with server.running() as address:
        outcomes = {(case.suite.name, case.name): suites.run(case, address) for case in every}
    page = ROOT / "docs" / "conformance.md"
    page.write_text(written(outcomes, page.read_text("utf-8")), "utf-8")
    by_case = {case: suites.complaint(case, outcomes[case.suite.name, case.name]) for case in every}
    complaints = [
        f"{case.suite.name} {case.name}: {complaint}"
        for case, complaint in by_case.items()
        if complaint
    ]
    print("\n".join(complaints) or f"{len(every)} cases, no surprise")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
