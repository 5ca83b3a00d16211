"""What several tests need: where the repository is, copies of it that a test may break, and ways to
run the command line.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

ROOT = Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests"
PARTS = (
    "publication.yaml",
    "source",
    "ontology",
    "shapes",
    "queries",
    "links",
)  # what makes a folder a project
COUNTED = pytest.StashKey[
    list[str]
]()  # lines that a run prints at its end: how many cases it found
PROGRAM = [sys.executable, "-m", "lodpipe.commands.cli"]
WITHDRAWN = """
- id: organisation/alte-stelle
  replaced_by: organisation/stadt-brandis
  date: '2026-11-23'
  reason: {de: Zusammengelegt., en: Merged.}
- id: lab/verirrt
  date: '2026-11-23'
  reason: {de: 'War <kein> Labor.', en: 'Was <no> lab.'}
- id: [organisation/amt-nord, organisation/amt-s%C3%BCd]   # a merger
  replaced_by: organisation/stadt-naunhof
  date: '2026-11-23'
  reason: {de: Zum Amt vereinigt., en: Merged into one.}
  event: event/vereinigung
- id: organisation/verbund                               # a split
  replaced_by: [organisation/stadt-brandis, organisation/stadt-naunhof]
  label: {de: Verbund Muldental}
  date: '2026-11-23'
  reason: {de: Aufgeteilt., en: Split.}
- id: organisation/amt%20west%2C%20%28alt%29             # characters with a meaning in configurations
  replaced_by: organisation/amt%20west%2C%20%28alt%29/50%25
  date: '2026-11-22'
  reason: {de: Umbenannt., en: Renamed.}
- id: organisation/amt%20west%2C%20%28alt%29/50%25
  replaced_by: [organisation/stadt-brandis, organisation/stadt-naunhof]
  date: '2026-11-23'
  reason: {de: Aufgeteilt., en: Split.}
- id: organisation/uralte-stelle                         # a chain
  replaced_by: organisation/alte-stelle
  date: '2026-11-22'
  reason: {de: Umbenannt., en: Renamed.}
"""


def copy_project(target: Path, origin: Path = ROOT) -> Path:
    """A fresh copy of a project, without what was built from it; source/x.parquet is made of
    x.parquet.csv, which a diff can show.
    """
    target.mkdir(parents=True)
    for name in PARTS:
        part = origin / name
        if part.is_dir():
            shutil.copytree(part, target / name)
        elif part.is_file():
            shutil.copy(part, target / name)
    for table in (target / "source").glob("*.parquet.csv"):
        duckdb.sql(
            f"COPY (SELECT * FROM read_csv('{table}', all_varchar = true)) TO '{table.with_suffix('')}' (FORMAT parquet)"
        )
        table.unlink()
    return target


def run_process(
    *arguments: str | Path,
    cwd: Path | None = None,
    environment: dict[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Runs `lodpipe` in a process of its own."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd, env=os.environ | (environment or {}), capture_output=True, text=True, encoding="utf-8", timeout=timeout, check=False,
    )  # fmt: skip


def invoke(*arguments: str | Path) -> Result:
    """Runs `lodpipe` inside this process; a fault of the program fails the test with its traceback."""
    from lodpipe.commands.cli import main

    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@dataclass(frozen=True)
class ReportedFinding:
    """A finding as the command line prints it."""

    file: str
    line: int
    severity: str
    code: str
    what: str


_HEAD = re.compile(
    r"^(?P<file>[^\s:]+)(?::(?P<line>\d+))?: (?P<severity>error|warning|info|Fehler|Warnung|Hinweis) (?P<code>LP\d{3}): (?P<what>.*)$",
    re.M,
)


def findings_in(output: str) -> list[ReportedFinding]:
    """The findings in the output of the command line."""
    return [
        ReportedFinding(
            match["file"], int(match["line"] or 0), match["severity"], match["code"], match["what"]
        )
        for match in _HEAD.finditer(output)
    ]


def errors_in(output: str) -> list[ReportedFinding]:
    """The findings that are errors."""
    return [finding for finding in findings_in(output) if finding.severity in ("error", "Fehler")]


def fingerprint(folder: Path) -> dict[str, str]:
    """Every file below a folder with a checksum of its bytes; the pages (site/) have tests of their
    own.
    """
    files = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        name.as_posix(): hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in files
        if name.parts[0] != "site"
    }
