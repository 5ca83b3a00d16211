"""Findings as text for people: the place, the source line with the value underlined, what is wrong, how to mend it, what to do next."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.reporters.report import Report, Shown

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_PLURALS = {
    "de": {Severity.ERROR: ("Fehler", "Fehler"), Severity.WARNING: ("Warnung", "Warnungen"), Severity.INFO: ("Hinweis", "Hinweise")},
    "en": {Severity.ERROR: ("error", "errors"), Severity.WARNING: ("warning", "warnings"), Severity.INFO: ("note", "notes")},
}
_NAMES = {"de": {"error": "Fehler", "warning": "Warnung", "info": "Hinweis"}}
_COLUMN = {"de": "Spalte", "en": "column"}
_NEXT = {
    "de": "Weiter: {place} berichtigen, dann denselben Befehl wiederholen. Mehr dazu: `lodpipe explain {code}`.",
    "en": "Next: mend {place}, then run the same command again. More about it: `lodpipe explain {code}`.",
}
_MORE = {"de": "Mehr dazu: `lodpipe explain {code}`.", "en": "More about it: `lodpipe explain {code}`."}
_WIDTH = 120  # of a quoted source line


def write_text(findings: Sequence[Finding], root: Path, out: TextIO, language: str = "en", colour: bool | None = None) -> None:
    """Every finding with its source line, then how many there are and what to do next."""
    write(Report(tuple(findings), root, language), out, colour=colour)


def write(report: Report, out: TextIO, colour: bool | None = False) -> None:
    """The format `text`; `colour` None asks the terminal."""
    if colour is None:
        colour = out.isatty() and not os.environ.get("NO_COLOR")
    for one in report.shown:
        out.write("\n".join(_lines(one, report.language, colour)) + "\n\n")
    out.write(summary(report.findings, report.language) + "\n")
    gravest = max(report.shown, key=lambda one: one.severity, default=None)
    if gravest and gravest.severity is Severity.ERROR:
        place = f"{gravest.file}:{gravest.line}" if gravest.line else gravest.file
        words = (_NEXT if place else _MORE)[_known(report.language)]
        out.write(words.format(place=plain(place), code=gravest.code) + "\n")


def _known(language: str) -> str:
    return "de" if language.startswith("de") else "en"


def _lines(one: Shown, language: str, colour: bool) -> Iterator[str]:
    name = _NAMES.get(language, {}).get(str(one.severity), str(one.severity))
    head = f"{name} {one.code}"
    place = f"{one.file}:{one.line}" if one.line else one.file or "–"
    yield f"{plain(place)}: " + (_coloured(head, one) if colour else head) + f": {plain(one.what)}"
    if one.source:
        number = str(one.line)
        quoted, before, marked = _window(plain(one.source), one.column, one.end_column)
        yield f"  {number} | {quoted}"
        if one.column and marked:
            field = f" {_COLUMN[_known(language)]} `{plain(one.field)}`" if one.field and one.file.endswith(".csv") else ""
            mark = "^" * marked
            yield f"  {' ' * len(number)} | {' ' * before}" + (_coloured(mark, one) if colour else mark) + field
    yield f"  → {plain(one.mend)}"


def _coloured(text: str, one: Shown) -> str:
    return f"\033[{_COLOURS[one.severity]}m{text}\033[0m"


def _window(source: str, column: int, end: int) -> tuple[str, int, int]:
    """The part of a line that is shown, how far in the value begins there, and how wide it is."""
    start = 0
    if column > _WIDTH * 3 // 4:
        start = column - 1 - _WIDTH // 4
    quoted = ("…" if start else "") + source[start : start + _WIDTH].rstrip() + ("…" if len(source) > start + _WIDTH else "")
    at = column - 1 - start + bool(start)
    return quoted, _wide(quoted[:at]), _wide(quoted[at : at + max(1, end - column)]) or bool(column)


def _wide(text: str) -> int:
    """How many places of a terminal a text takes."""
    return sum(0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def plain(text: str) -> str:
    """A text of one line that can do nothing to a terminal or to the order of letters: each dangerous sign becomes a visible one.

    >>> plain("a\\x1b[31m\\u202eb\\tc")
    'a␛[31m�b c'
    """
    return "".join(_VISIBLE.get(ord(sign), sign) for sign in text) if not text.isprintable() else text


_ORDERING = (0x200E, 0x200F, 0x061C, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)  # they change the order of letters, or are unseen
_VISIBLE = (
    {number: chr(0x2400 + number) for number in range(32)}
    | {9: " ", 0x7F: "\u2421"}
    | dict.fromkeys((*range(0x80, 0xA0), *_ORDERING, *range(0xD800, 0xE000)), "\ufffd")
)


def summary(findings: Sequence[Finding], language: str = "en") -> str:
    """How many findings of each severity, in one line."""
    counts = Counter(one.severity for one in findings)
    words = _PLURALS[_known(language)]
    shown = [severity for severity in reversed(Severity) if counts[severity] or severity is Severity.ERROR]
    return ", ".join(f"{counts[severity]} {words[severity][counts[severity] != 1]}" for severity in shown)
