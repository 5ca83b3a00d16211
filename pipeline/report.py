"""Findings as text for people: the place, the source line, what is wrong, and how to mend it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from pipeline.errors import Finding, Severity
from pipeline.messages import tell

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}
_PLURALS = {
    "de": {Severity.ERROR: ("Fehler", "Fehler"), Severity.WARNING: ("Warnung", "Warnungen"), Severity.INFO: ("Hinweis", "Hinweise")},
    "en": {Severity.ERROR: ("error", "errors"), Severity.WARNING: ("warning", "warnings"), Severity.INFO: ("note", "notes")},
}
_NAMES = {"de": {"error": "Fehler", "warning": "Warnung", "info": "Hinweis"}}


def write_text(findings: Sequence[Finding], root: Path, out: TextIO, language: str = "en", colour: bool | None = None) -> None:
    """Every finding with its source line, then how many there are."""
    if colour is None:
        colour = out.isatty() and not os.environ.get("NO_COLOR")
    for one in findings:
        out.write("\n".join(_lines(one, root, language, colour)) + "\n\n")
    out.write(summary(findings, language) + "\n")


def _lines(one: Finding, root: Path, language: str, colour: bool) -> Iterator[str]:
    what, mend = tell(one.code, dict(one.words), language)
    name = _NAMES.get(language, {}).get(str(one.severity), str(one.severity))
    head = f"{name} {one.code}"
    yield f"{one.where or '–'}: " + (f"\033[{_COLOURS[one.severity]}m{head}\033[0m" if colour else head) + f": {what}"
    if one.where and one.where.line:
        source = _source_line(root / one.where.file, one.where.line)
        if source:
            number = str(one.where.line)
            yield f"  {number} | {source[:160]}"
            if one.where.column:
                yield f"  {' ' * len(number)} | {' ' * (one.where.column - 1)}^" if one.where.column <= 160 else ""
    yield f"  → {mend}"


@lru_cache(maxsize=64)
def _text_lines(path: Path) -> tuple[str, ...]:
    try:
        return tuple(path.read_text("utf-8-sig", errors="replace").split("\n"))
    except OSError:
        return ()


def _source_line(path: Path, line: int) -> str:
    if path.suffix == ".parquet":
        return ""
    lines = _text_lines(path)
    return lines[line - 1].rstrip("\r").replace("\t", " ") if line <= len(lines) else ""


def summary(findings: Sequence[Finding], language: str = "en") -> str:
    """How many findings of each severity, in one line."""
    counts = Counter(one.severity for one in findings)
    german = language.startswith("de")
    words = _PLURALS["de" if german else "en"]
    shown = [severity for severity in reversed(Severity) if counts[severity] or severity is Severity.ERROR]
    return ", ".join(f"{counts[severity]} {words[severity][counts[severity] != 1]}" for severity in shown)
