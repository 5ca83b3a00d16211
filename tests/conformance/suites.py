"""The official suites: where their cases are, how one is run, and what came of it."""

from __future__ import annotations

import contextlib
import csv
import os
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyoxigraph as ox
import yaml

from conformance import target_outputs
from lodpipe.diagnostics.finding import LodpipeError, SourceError
from lodpipe.workflow.mapping_run import MappingOptions, map_file
from support import ROOT

SUITES = Path(os.environ.get("LODPIPE_SUITES", ROOT.parent / "shared" / "suites")).resolve()
HOW_TO_GET = (
    f"no suites in {SUITES}; set LODPIPE_SUITES to a folder with the cases of github.com/kg-construct/rml-core (as rml-core, rml-core-csv, "
    "rml-core-postgresql), rml-io, rml-io-registry, rml-lv, rml-fnml, rml-cc (each as a folder of that name), rml-test-cases (as rml-old), and "
    "r2rml-test-cases-support (as r2rml)"
)
EXPECTED_FAILURES: dict[str, dict[str, str]] = yaml.safe_load(
    (Path(__file__).parent / "expected-failures.yaml").read_text("utf-8")
)


@dataclass(frozen=True)
class Suite:
    """A suite as it is run here: its folder among the suites, the base IRI it asks for, the
    database that its cases need, what the folders of its cases are called, and what becomes of
    values that make no valid term.
    """

    name: str
    title: str
    folder: str
    base: str
    database: str | None = None
    pattern: str = "RMLTC*"
    on_invalid_value: str = "error"


@dataclass(frozen=True)
class Case:
    """One mapping with what it must make: N-Quads, or an error where `expected` is None; `script`
    fills its database, and `dumps` are the files that its targets make.
    """

    suite: Suite
    name: str
    mapping: Path
    expected: Path | None
    script: Path | None = None
    dumps: tuple[Path, ...] = ()


ALL = (
    Suite("rml-core", "RML-Core, JSON", "rml-core", "http://example.com/"),
    Suite("rml-core-csv", "RML-Core, CSV", "rml-core-csv", "http://example.com/base/"),
    Suite(
        "rml-core-postgresql",
        "RML-Core, PostgreSQL",
        "rml-core-postgresql",
        "http://example.com/base/",
        "postgresql",
    ),
    Suite(
        "r2rml-postgresql", "R2RML on PostgreSQL", "r2rml", "http://example.com/base/", "postgresql"
    ),
    Suite("r2rml-sqlite", "R2RML on SQLite", "r2rml", "http://example.com/base/", "sqlite"),
    Suite("rml-io", "RML-IO", "rml-io", "http://example.com/base/", pattern="RML?TC*"),
    Suite(
        "rml-io-registry",
        "RML-IO-Registry, files",
        "rml-io-registry",
        "http://example.com/base/",
        pattern="RMLIOREGTC00[01][1-3][a-i]",
    ),
    Suite("rml-lv", "RML-LV", "rml-lv", "http://example.com/base/", pattern="RMLLVTC*"),
    Suite("rml-fnml", "RML-FNML", "rml-fnml", "http://example.com/base/", pattern="RMLFNMLTC*"),
    Suite("rml-cc", "RML-CC", "rml-cc", "http://example.com/base/", pattern="RMLTC-CC-*"),
    *(
        Suite(
            f"rml-old-{form.lower()}",
            f"RML 2014, {form}",
            "rml-old",
            "http://example.com/base/",
            pattern=f"*-{form}",
            on_invalid_value="skip",  # its cases with wrong values expect the other statements
        )
        for form in ("XML", "CSV", "JSON")
    ),
)


def cases(suite: Suite) -> list[Case]:
    """Every case of a suite, none where the suite is not there."""
    all_cases = _r2rml_cases(suite) if suite.folder == "r2rml" else _rml_cases(suite)
    return sorted(all_cases, key=lambda case: case.name)


def absent() -> list[Suite]:
    """The suites that are not on this machine."""
    return [suite for suite in ALL if not cases(suite)]


def _rml_cases(suite: Suite) -> Iterator[Case]:
    errors = _old_errors(SUITES / suite.folder / "metadata.csv")
    for folder in (SUITES / suite.folder / "test-cases").glob(suite.pattern):
        script = folder / "resource.sql"
        outputs = (*folder.glob("output*.nq"), *folder.glob("default.nq"))
        expected = None if folder.name in errors else next(iter(outputs), None)
        yield Case(
            suite,
            folder.name,
            folder / "mapping.ttl",
            expected,
            script if script.is_file() else None,
            tuple(target_outputs.expected_files(folder)),
        )


def _old_errors(metadata: Path) -> set[str]:
    """The cases that expect an error by the table of the old suite; their output is empty."""
    if not metadata.is_file():
        return set()
    with metadata.open(encoding="utf-8", newline="") as file:
        return {row["RML id"] for row in csv.DictReader(file) if row["error expected?"] == "true"}


def _r2rml_cases(suite: Suite) -> Iterator[Case]:
    """Mappings for MySQL use its functions, which PostgreSQL has too, and SQLite not before 3.44."""
    for folder in (SUITES / suite.folder).glob("R2RMLTC*"):
        database = SUITES / suite.folder / "databases" / f"d{folder.name[8:11]}.sql"
        special = database.with_name(f"{database.stem}-{suite.database}.sql")
        for mapping in folder.glob("*.ttl"):
            variant = mapping.stem.partition("-")[1:]
            if suite.database == "postgresql" or not variant[0]:
                expected = next(folder.glob("*.nq"), None)
                yield Case(
                    suite,
                    folder.name + "".join(variant),
                    mapping,
                    expected,
                    special if special.is_file() else database,
                )


# -- one case --------------------------------------------------------------------------------------


def run(case: Case, server: str | None) -> str:
    """What came of a case: `result` or `error` where that is what it expects, else what is wrong.
    `server` is PostgreSQL's address.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out = folder / "out" / "out.nq"
        out.parent.mkdir()
        mapping, database = prepared(case, folder, server)
        options = MappingOptions(
            case.suite.base, database, on_invalid_value=case.suite.on_invalid_value
        )
        # Paths of targets begin at the working directory, as do those of some sources.
        place = contextlib.chdir(out.parent if case.dumps else mapping.parent)
        try:
            with place:
                map_file(mapping, out, options)
        except LodpipeError as error:
            if list(out.parent.iterdir()):
                return "fails, yet writes a file"
            if case.suite.database and isinstance(error, SourceError):
                return f"the database cannot be reached: {error}"  # which is no answer to any case
            return (
                "error"
                if case.expected is None
                else "fails: "
                + "; ".join(f"{finding.code} {dict(finding.params)}" for finding in error.findings)
            )
        if case.expected is None:
            return "makes a result where an error is expected"
        missing, unexpected = _difference(case.expected.read_bytes(), out.read_bytes())
        if missing or unexpected:
            return f"makes another graph: lacks {missing}, has {unexpected}"
        return target_outputs.complaint(case.dumps, out.parent, {out.name}) or "result"


def prepared(case: Case, folder: Path, server: str | None) -> tuple[Path, str | None]:
    """The mapping beside its sources, and the database filled by the case's script."""
    if case.suite.database is None:
        text = case.mapping.read_text("utf-8")
        return (_with_table(case, folder, text) if "$CONNECTIONDSN" in text else case.mapping), None
    assert case.script is not None
    script = case.script.read_text("utf-8")
    mapping = folder / "mapping.ttl"
    if case.suite.database == "sqlite":
        shutil.copy(case.mapping, mapping)
        with closing(sqlite3.connect(folder / "case.db")) as connection:
            connection.executescript(re.sub(r"\bcascade\b", "", script, flags=re.IGNORECASE))
        return mapping, "sqlite:///case.db"
    assert server is not None
    fill(server, script)
    mapping.write_text(
        case.mapping.read_text("utf-8").replace("CONNECTIONDSN", "jdbc:" + server), "utf-8"
    )
    return mapping, server


def _with_table(case: Case, folder: Path, mapping: str) -> Path:
    """The mapping of a case without script, beside a database whose tables are its CSV files."""
    with closing(sqlite3.connect(folder / "case.db")) as connection:
        for path in case.mapping.parent.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                header, *rows = csv.reader(file)
            columns = ", ".join(f'"{name}" INTEGER' for name in header)  # texts stay texts
            connection.execute(f'CREATE TABLE "{path.stem}" ({columns})')
            marks = ", ".join("?" * len(header))
            connection.executemany(f'INSERT INTO "{path.stem}" VALUES ({marks})', rows)
        connection.commit()
    target = folder / "mapping.ttl"
    target.write_text(mapping.replace("$CONNECTIONDSN", "sqlite:///case.db"), "utf-8")
    return target


def fill(server: str, script: str) -> None:
    """A schema with nothing but what the script makes."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            "SET client_min_messages = warning; DROP SCHEMA public CASCADE; CREATE SCHEMA public"
        )
        connection.execute(script.encode())


def _difference(expected: bytes, actual: bytes) -> tuple[list[str], list[str]]:
    """The statements that only one of two graphs has, blank nodes named by RDFC-1.0."""
    wanted, other = Counter(_canonical(expected)), Counter(_canonical(actual))
    return sorted(wanted - other), sorted(other - wanted)


def _canonical(quads: bytes) -> list[str]:
    dataset = ox.Dataset(
        ox.parse(quads, format=ox.RdfFormat.N_QUADS, lenient=True)
    )  # one suite expects IRIs that are not valid
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return [str(quad) for quad in dataset]


# -- judging ---------------------------------------------------------------------------------------


def complaint(case: Case, outcome: str) -> str | None:
    """What is wrong with an outcome, by the list of expected failures."""
    reason = EXPECTED_FAILURES.get(case.suite.name, {}).get(case.name)
    passed = outcome in ("result", "error")
    if reason and reason.startswith(target_outputs.OUTDATED) != (
        outcome == target_outputs.DATATYPES_ONLY
    ):
        return f"{outcome}; expected-failures.yaml has another reason"
    if passed and reason:
        return "passes, but is in expected-failures.yaml; take it out"
    return None if passed or reason else outcome


def counted(suite: Suite, outcomes: dict[tuple[str, str], str]) -> tuple[int, int, int]:
    """How many cases of a suite were run, passed with a result, and passed with an error."""
    own = [outcome for (name, _), outcome in outcomes.items() if name == suite.name]
    return len(own), own.count("result"), own.count("error")
