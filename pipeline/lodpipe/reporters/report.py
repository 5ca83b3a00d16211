"""What every format shows of a finding: message and help in the reader's language, place, source
line.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin, Severity
from lodpipe.diagnostics.rules import RULES, render

_MOST_BYTES = 64 * 1024 * 1024  # a larger file is not read again to quote a line of it
_BINARY = {".parquet", ".db", ".sqlite", ".duckdb"}


@dataclass(frozen=True)
class Consequence:
    """What follows from a finding, in a language."""

    code: str
    severity: Severity
    file: str
    line: int
    message: str

    @property
    def place(self) -> str:
        """File and line; a dash for a finding without a file."""
        return f"{self.file}:{self.line}" if self.line else self.file or "–"


_MORE = {
    "de": ("und 1 Folge davon", "und {n} Folgen davon"),
    "en": ("and 1 consequence of it", "and {n} consequences of it"),
}


@dataclass(frozen=True)
class RenderedFinding:
    """A finding in a language; lines and columns are counted from 1, 0 means the whole file or
    line.
    """

    code: str
    name: str
    severity: Severity
    file: str
    line: int
    column: int
    end_column: int
    field: str
    message: str
    help: str
    params: dict[str, str]
    source: str
    fingerprint: str
    related: tuple[Origin, ...]
    caused_by: str
    mapping: Origin | None = None
    consequences: tuple[Consequence, ...] = ()
    more: str = ""

    @property
    def text(self) -> str:
        """Message and help in one text, and how many consequences there are."""
        return f"{self.message} → {self.help}{f' ({self.more})' if self.more else ''}"

    @property
    def place(self) -> str:
        """File and line; a dash for a finding without a file."""
        return f"{self.file}:{self.line}" if self.line else self.file or "–"


@dataclass(frozen=True)
class Report:
    """The findings of a run, ready to be written in any format.

    `prefix` is the path from the repository (the folder that the reader's tool knows) to the
    project; `fail_on` is the lowest severity that fails; with `detailed` texts list consequences;
    `not_listed` counts findings that are not selected.
    """

    findings: tuple[Finding, ...]
    root: Path
    language: str = "en"
    prefix: str = ""
    fail_on: Severity | None = Severity.ERROR
    exit_code: int = 0
    detailed: bool = False
    not_listed: int = 0

    @cached_property
    def rendered(self) -> tuple[RenderedFinding, ...]:
        """Every finding in order, each with a fingerprint of its own."""
        return tuple(_rendered(self))

    def count(self, severity: Severity) -> int:
        """How many findings have this severity."""
        return sum(finding.severity is severity for finding in self.findings)


def fails(findings: Sequence[Finding], fail_on: Severity | None) -> bool:
    """Whether a finding has at least the severity that fails."""
    return fail_on is not None and any(finding.severity >= fail_on for finding in findings)


def _rendered(report: Report) -> Iterator[RenderedFinding]:
    lines = _Lines(report.root)
    seen: Counter[str] = Counter()
    for finding in report.findings:
        where = finding.where or Origin("")
        message, help_text = render(finding.code, finding.params, report.language)
        source = lines.line(where.file, where.line)
        digest = fingerprint(finding)
        seen[digest] += 1
        if seen[digest] > 1:
            digest = hashlib.sha256(f"{digest} {seen[digest]}".encode()).hexdigest()[:32]
        yield RenderedFinding(
            code=finding.code,
            name=RULES[finding.code].name,
            severity=finding.severity,
            file=report.prefix + where.file if where.file else "",
            line=where.line,
            column=where.column,
            end_column=end_column(source, where.column, where.file) if where.column else 0,
            field=where.field,
            message=message,
            help=help_text,
            params=dict(finding.params),
            source=source,
            fingerprint=digest,
            related=tuple(
                replace(place, file=report.prefix + place.file) for place in finding.related
            ),
            caused_by=finding.caused_by,
            mapping=finding.mapping
            and replace(finding.mapping, file=report.prefix + finding.mapping.file),
            consequences=tuple(_consequences(finding, report)),
            more=_more(len(finding.consequences), report.language),
        )


def _consequences(finding: Finding, report: Report) -> Iterator[Consequence]:
    for follower in finding.consequences:
        where = follower.where or Origin("")
        message, _ = render(follower.code, follower.params, report.language)
        file = report.prefix + where.file if where.file else ""
        yield Consequence(follower.code, follower.severity, file, where.line, message)


def _more(number: int, language: str) -> str:
    """How many consequences there are, in words; empty for none."""
    single, many = _MORE["de" if language.startswith("de") else "en"]
    return "" if not number else single if number == 1 else many.format(n=number)


_UNSTABLE = {
    "first",
    "count",
    "suggestion",
    "hint_en",
    "hint_de",
}  # they change when other records do


def fingerprint(finding: Finding) -> str:
    """What stays the same of a finding when lines are added above it: code, file and parameters,
    not the line.

    >>> from lodpipe.diagnostics.finding import Origin
    >>> fingerprint(Finding("LP201", Origin("a", 1))) == fingerprint(Finding("LP201", Origin("a", 9)))
    True
    """
    file = finding.where.file if finding.where else ""
    params = sorted(
        (key, re.sub(r":[0-9]+\b", "", value))
        for key, value in finding.params.items()
        if key not in _UNSTABLE
    )
    return hashlib.sha256(repr((finding.code, file, params)).encode()).hexdigest()[:32]


class _Lines:
    """The lines of source files, each file read once."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self.files: dict[str, list[str]] = {}

    def line(self, file: str, line: int) -> str:
        """The text of a line without its end; empty if there is none."""
        if not file or line < 1:
            return ""
        if file not in self.files:
            self.files[file] = self._read(os.path.join(self.root, file))  # noqa: PTH118  # of many files
        lines = self.files[file]
        return lines[line - 1].rstrip("\r") if line <= len(lines) else ""

    def _read(self, path: str) -> list[str]:
        file = Path(path)
        try:
            if (
                file.suffix in _BINARY
                or not self._is_own(path)
                or file.stat().st_size > _MOST_BYTES
            ):
                return []
            return file.read_text("utf-8-sig", errors="replace").split("\n")
        except OSError:
            return []

    def _is_own(self, path: str) -> bool:
        """Whether a file is in the project, or outside of it at its own path, not behind a link:
        records.yaml names its folder then.
        """
        real, lexical, root = os.path.realpath(path), os.path.normpath(path), self.root + os.sep
        return real.startswith(root) or (real == lexical and not lexical.startswith(root))


_WORD = re.compile(r"[^\s,;\]}#][^,\]}]*?(?=\s+#|\s*[,\]}]|\s*$)")


def end_column(source: str, column: int, file: str = "") -> int:
    """The column after the value or key that begins at a column.

    >>> end_column("    name: 'a b' # c", 11), end_column("    name: a b  # c", 11), end_column("  - nmae: x", 5)
    (16, 14, 9)
    >>> end_column('a,"b, c",d', 3, "x.csv")
    9
    """
    at = column - 1
    if at >= len(source):
        return column + 1
    quote = source[at]
    if quote in "\"'":
        closed = source.find(quote, at + 1)
        return closed + 2 if closed >= 0 else len(source) + 1
    if file.endswith(".csv"):
        comma = source.find(",", at)
        return max(column + 1, comma + 1 if comma >= 0 else len(source) + 1)
    key = re.compile(r"[\w.-]+(?=:(\s|$))").match(source, at)
    match = key or _WORD.match(source, at)
    return match.end() + 1 if match and match.end() > at else column + 1
