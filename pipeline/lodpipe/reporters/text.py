"""Findings as text for people: place, message, source line with the value underlined, help, and
what to do next.
"""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TextIO

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.reporters.report import RenderedFinding, Report

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_PLURALS = {
    "de": {
        Severity.ERROR: ("Fehler", "Fehler"),
        Severity.WARNING: ("Warnung", "Warnungen"),
        Severity.INFO: ("Hinweis", "Hinweise"),
    },
    "en": {
        Severity.ERROR: ("error", "errors"),
        Severity.WARNING: ("warning", "warnings"),
        Severity.INFO: ("note", "notes"),
    },
}
_NAMES = {"de": {"error": "Fehler", "warning": "Warnung", "info": "Hinweis"}}
_COLUMN = {"de": "Spalte", "en": "column"}
_NEXT = {
    "de": "Nächster Schritt: {place} berichtigen und denselben Befehl wiederholen. Mehr dazu: `lodpipe explain {code}`.",
    "en": "Next: fix {place}, then run the same command again. Details: `lodpipe explain {code}`.",
}
_MORE = {"de": "Mehr dazu: `lodpipe explain {code}`.", "en": "Details: `lodpipe explain {code}`."}
_MORE_OF_RULE = {
    "de": "… und {count} weitere von {code} `{name}` in {files}. `--all` zeigt alle, `--statistics` die Anzahlen.",
    "en": "… and {count} more of {code} `{name}` in {files}. `--all` lists them, `--statistics` counts.",
}
_FILES = {"de": ("Datei", "Dateien"), "en": ("file", "files")}
_NOT_LISTED = {"de": "nicht ausgewählt: {count}", "en": "not selected: {count}"}
_MANY, _FIRST = 20, 10  # of findings of one rule: more than many are reduced to the first ones
Listing = Literal["all", "grouped", "statistics"]
_WIDTH = 120  # of a quoted source line


def write_text(
    findings: Sequence[Finding],
    root: Path,
    out: TextIO,
    language: str = "en",
    colour: bool | None = None,
) -> None:
    """Every finding with its source line, then their number and the next step."""
    write(Report(tuple(findings), root, language), out, colour=colour)


def write(
    report: Report, out: TextIO, colour: bool | None = False, listing: Listing = "all"
) -> None:
    """The format `text`; `colour` None asks the terminal. `listing`: all findings, of each rule the
    first ones where there are many (grouped), or their number only (statistics).
    """
    if colour is None:
        colour = out.isatty() and not os.environ.get("NO_COLOR")
    if listing == "statistics":
        out.writelines(f"{line}\n" for line in statistics(report))
    else:
        more = _more(report) if listing == "grouped" else {}
        shapes = _shapes(report)
        listed: Counter[tuple[str, str]] = Counter()
        for finding in report.rendered:
            listed[_group(finding)] += 1
            most = _FIRST // len(shapes[finding.code]) or 1
            if finding.code not in more or listed[_group(finding)] <= most:
                lines = [
                    *_lines(finding, report.language, colour),
                    *_consequences(finding, report.detailed),
                ]
                out.write("\n".join(lines) + "\n\n")
        out.writelines(f"{line}\n\n" for line in more.values())
    out.write(summary(report.findings, report.language, report.not_listed) + "\n")
    first = next(
        (finding for finding in report.rendered if finding.severity is Severity.ERROR), None
    )
    if first:
        template = (_NEXT if first.file else _MORE)[_known(report.language)]
        out.write(template.format(place=plain(first.place), code=first.code) + "\n")


def _more(report: Report) -> dict[str, str]:
    """For each rule with many findings a line on those that are not listed: how many, in how many
    files, and how many findings each shape has.
    """
    lines = {}
    for code, total in Counter(finding.code for finding in report.findings).items():
        shapes = _shapes(report)[code]
        most = _FIRST // len(shapes) or 1
        some = [finding for finding in report.rendered if finding.code == code]
        left = total - sum(min(most, count) for count in shapes.values())
        if total > _MANY and left:
            line = _MORE_OF_RULE[_known(report.language)].format(
                count=f"{left:,}",
                code=code,
                name=some[0].name,
                files=_files(len({finding.file for finding in some}), report.language),
            )
            counts = [f"  {count:>7,}  {plain(shape)}" for shape, count in shapes.most_common() if shape]  # fmt: skip
            lines[code] = "\n".join([line, *counts])
    return lines


def _group(finding: RenderedFinding) -> tuple[str, str]:
    """What findings have in common: their rule, and the shape that they violate, if there is one."""
    return finding.code, finding.params.get("shape", "")


def _shapes(report: Report) -> dict[str, Counter[str]]:
    """How many findings of each rule each shape has; of other rules all, under an empty name."""
    counts: dict[str, Counter[str]] = {}
    for finding in report.rendered:
        code, shape = _group(finding)
        counts.setdefault(code, Counter())[shape] += 1
    return counts


def _files(number: int, language: str) -> str:
    singular, plural = _FILES[_known(language)]
    return f"{number:,} {singular if number == 1 else plural}"


def statistics(report: Report) -> Iterator[str]:
    """A line for each rule and shape: how many findings, their severity, the rule, in how many files,
    the shape; the most frequent first.
    """
    groups: dict[tuple[str, Severity, str], list[RenderedFinding]] = {}
    for finding in report.rendered:
        code, shape = _group(finding)
        groups.setdefault((code, finding.severity, shape), []).append(finding)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    width = max((len(f"{len(some):,}") for _, some in ordered), default=0)
    names = _NAMES.get(_known(report.language), {})
    for (code, severity, shape), some in ordered:
        word = names.get(str(severity), str(severity))
        files = _files(len({finding.file for finding in some}), report.language)
        of_shape = f" {plain(shape)}" if shape else ""
        yield f"{len(some):>{width},}  {word} {code} {some[0].name}{of_shape} ({files})"


def _known(language: str) -> str:
    return "de" if language.startswith("de") else "en"


def _lines(finding: RenderedFinding, language: str, colour: bool) -> Iterator[str]:
    severity = str(finding.severity)
    head = f"{_NAMES.get(language, {}).get(severity, severity)} {finding.code}"
    yield f"{plain(finding.place)}: {_coloured(head, finding, colour)}: {plain(finding.message)}"
    if finding.source:
        number = str(finding.line)
        quoted, before, marked = _window(plain(finding.source), finding.column, finding.end_column)
        yield f"  {number} | {quoted}"
        if finding.column and marked:
            is_cell = finding.field and finding.file.endswith(".csv")
            column = f" {_COLUMN[_known(language)]} `{plain(finding.field)}`" if is_cell else ""
            mark = _coloured("^" * marked, finding, colour)
            yield f"  {' ' * len(number)} | {' ' * before}{mark}{column}"
    yield f"  → {plain(finding.help)}"


def _consequences(finding: RenderedFinding, detailed: bool) -> Iterator[str]:
    """How many consequences a finding has, and each of them in a detailed report."""
    if finding.more:
        yield f"  + {finding.more}{':' if detailed else ' (-v)'}"
    for follower in finding.consequences if detailed else ():
        yield f"    {plain(follower.place)} {follower.code}: {plain(follower.message)}"


def _coloured(text: str, finding: RenderedFinding, colour: bool) -> str:
    return f"\033[{_COLOURS[finding.severity]}m{text}\033[0m" if colour else text


def _window(source: str, column: int, end: int) -> tuple[str, int, int]:
    """The visible part of a line, and offset and width of the value in it."""
    start = 0
    if column > _WIDTH * 3 // 4:
        start = column - 1 - _WIDTH // 4
    quoted = (
        ("…" if start else "")
        + source[start : start + _WIDTH].rstrip()
        + ("…" if len(source) > start + _WIDTH else "")
    )
    at = column - 1 - start + bool(start)
    return quoted, _wide(quoted[:at]), _wide(quoted[at : at + max(1, end - column)]) or bool(column)


def _wide(text: str) -> int:
    """The width of a text on a terminal, in columns."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def plain(text: str) -> str:
    """A text of one line that cannot change a terminal or the order of letters: control characters
    become visible ones.

    >>> plain("a\\x1b[31m\\u202eb\\tc")
    'a␛[31m�b c'
    """
    return (
        "".join(_VISIBLE.get(ord(sign), sign) for sign in text) if not text.isprintable() else text
    )


_ORDERING = (
    0x200E,
    0x200F,
    0x061C,
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    0xFEFF,
)  # they change the order of letters, or are invisible
_VISIBLE = (
    {number: chr(0x2400 + number) for number in range(32)}
    | {9: " ", 0x7F: "\u2421"}
    | dict.fromkeys((*range(0x80, 0xA0), *_ORDERING, *range(0xD800, 0xE000)), "\ufffd")
)


def summary(findings: Sequence[Finding], language: str = "en", not_listed: int = 0) -> str:
    """How many findings of each severity, in one line, and how many are not selected."""
    counts = Counter(finding.severity for finding in findings)
    names = _PLURALS[_known(language)]
    severities = [
        severity
        for severity in reversed(Severity)
        if counts[severity] or severity is Severity.ERROR
    ]
    listed = ", ".join(
        f"{counts[severity]} {names[severity][counts[severity] != 1]}" for severity in severities
    )
    left = f" ({_NOT_LISTED[_known(language)].format(count=f'{not_listed:,}')})"
    return listed + (left if not_listed else "")
