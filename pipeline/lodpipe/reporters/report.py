"""What every format shows of a finding: its words in the reader's language, its place, and the source line."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.diagnostics.rules import tell

_MOST_BYTES = 64 * 1024 * 1024  # a larger file is not read again only to quote a line of it
_BINARY = {".parquet", ".db", ".sqlite", ".duckdb"}


@dataclass(frozen=True)
class Shown:
    """A finding as it is shown; lines and columns are counted from 1, 0 means the whole file or line."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    end_column: int
    field: str
    what: str
    mend: str
    words: dict[str, str]
    source: str
    fingerprint: str

    @property
    def message(self) -> str:
        """What is wrong and how to mend it, in one text."""
        return f"{self.what} → {self.mend}"


@dataclass(frozen=True)
class Report:
    """The findings of a run, ready to be written in any format.

    `prefix` leads from the folder that the reader's tool knows (the repository) to the project; `fail_on` is the least severity that fails.
    """

    findings: tuple[Finding, ...]
    root: Path
    language: str = "en"
    prefix: str = ""
    fail_on: Severity | None = Severity.ERROR
    exit_code: int = 0

    @cached_property
    def shown(self) -> tuple[Shown, ...]:
        """Every finding in order, each fingerprint once."""
        return tuple(_shown(self))

    def count(self, severity: Severity) -> int:
        """How many findings weigh this much."""
        return sum(one.severity is severity for one in self.findings)


def fails(findings: Sequence[Finding], fail_on: Severity | None) -> bool:
    """Whether a finding weighs as much as what is to fail."""
    return fail_on is not None and any(one.severity >= fail_on for one in findings)


def _shown(report: Report) -> Iterator[Shown]:
    lines = _Lines(report.root)
    seen: Counter[str] = Counter()
    for one in report.findings:
        what, mend = tell(one.code, dict(one.words), report.language)
        file, line, column = (one.where.file, one.where.line, one.where.column) if one.where else ("", 0, 0)
        source = lines.line(file, line)
        digest = fingerprint(one)
        seen[digest] += 1
        if seen[digest] > 1:
            digest = hashlib.sha256(f"{digest} {seen[digest]}".encode()).hexdigest()[:32]
        end = end_column(source, column, file) if column else 0
        field = one.where.field if one.where else ""
        path = report.prefix + file if file else ""
        yield Shown(one.code, one.severity, path, line, column, end, field, what, mend, dict(one.words), source, digest)


def fingerprint(one: Finding) -> str:
    """What stays the same of a finding when lines are added above it: code, file and words, not the line.

    >>> from lodpipe.diagnostics.finding import Origin
    >>> fingerprint(Finding("LP201", Origin("a", 1))) == fingerprint(Finding("LP201", Origin("a", 9)))
    True
    """
    file = one.where.file if one.where else ""
    words = sorted((key, re.sub(r":[0-9]+\b", "", value)) for key, value in one.words.items() if key not in ("first", "times"))
    return hashlib.sha256(repr((one.code, file, words)).encode()).hexdigest()[:32]


class _Lines:
    """The lines of source files, each file read once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[str, list[str]] = {}

    def line(self, file: str, line: int) -> str:
        """The text of a line without its end; empty where there is none."""
        if not file or line < 1:
            return ""
        if file not in self.files:
            self.files[file] = self._read(self.root / file)
        lines = self.files[file]
        return lines[line - 1].rstrip("\r") if line <= len(lines) else ""

    def _read(self, path: Path) -> list[str]:
        try:
            if path.suffix in _BINARY or not path.resolve().is_relative_to(self.root.resolve()) or path.stat().st_size > _MOST_BYTES:
                return []
            return path.read_text("utf-8-sig", errors="replace").split("\n")
        except OSError:
            return []


_WORD = re.compile(r"[^\s,;\]}#][^,\]}]*?(?=\s+#|\s*[,\]}]|\s*$)")


def end_column(source: str, column: int, file: str = "") -> int:
    """The column behind the value or key that begins at a column.

    >>> end_column("    name: 'a b' # c", 11), end_column("    name: a b  # c", 11), end_column("  - nmae: x", 5)
    (16, 14, 9)
    >>> end_column('a,"b, c",d', 3, "x.csv")
    9
    """
    at = column - 1
    if at >= len(source):
        return column + 1
    sign = source[at]
    if sign in "\"'":
        closed = source.find(sign, at + 1)
        return closed + 2 if closed >= 0 else len(source) + 1
    if file.endswith(".csv"):
        comma = source.find(",", at)
        return max(column + 1, comma + 1 if comma >= 0 else len(source) + 1)
    key = re.compile(r"[\w.-]+(?=:(\s|$))").match(source, at)
    found = key or _WORD.match(source, at)
    return found.end() + 1 if found and found.end() > at else column + 1
