"""The formats of reports: one row each. Every writer gives a text that is the same on every machine: no clock, no absolute path."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from lodpipe.diagnostics.finding import Severity
from lodpipe.diagnostics.rules import tell
from lodpipe.reporters import text
from lodpipe.reporters.report import Report, Shown, fails
from lodpipe.runtime.machine import whole_file

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def _text(report: Report) -> str:
    out = io.StringIO()
    text.write(report, out)
    return out.getvalue()


# -- annotations of GitHub ---------------------------------------------------------------------------------------------

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def _github(report: Report) -> str:
    """Workflow commands, one a line; GitHub shows each at its line of the pull request."""
    return "".join(_annotation(one) + "\n" for one in report.shown)


def _annotation(one: Shown) -> str:
    places = {"file": one.file, "line": one.line, "col": one.column, "endColumn": one.end_column, "title": f"lodpipe {one.code}"}
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in places.items() if value)
    return f"::{_COMMANDS[one.severity]} {properties}::{_data(text.plain(one.message))}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


# -- GitLab's code quality report --------------------------------------------------------------------------------------

_GITLAB = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def _gitlab(report: Report) -> str:
    """The part of Code Climate's format that GitLab reads; a place without a line is told at line 1."""
    return _dump([
        {
            "description": text.plain(one.message),
            "check_name": one.code,
            "fingerprint": one.fingerprint,
            "severity": _GITLAB[one.severity],
            "location": {"path": one.file or report.prefix + "publication.yaml", "lines": {"begin": max(1, one.line)}},
        }
        for one in report.shown
    ])  # fmt: skip


# -- SARIF 2.1.0 -------------------------------------------------------------------------------------------------------

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def _sarif(report: Report) -> str:
    codes = sorted({one.code for one in report.shown})
    driver = {
        "name": "lodpipe",
        "semanticVersion": _version(),
        "rules": [_rule(code, report.language) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "language": report.language if len(report.language) == 2 else "en",
        "invocations": [{"executionSuccessful": report.exit_code < 2, "exitCode": report.exit_code}],
        "results": [_result(one, codes) for one in report.shown],
    }
    return _dump({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, language: str) -> dict[str, Any]:
    what, mend = tell(code, {}, language)
    return {
        "id": code,
        "shortDescription": {"text": what},
        "help": {"text": f"{mend} lodpipe explain {code}"},
    }


def _result(one: Shown, codes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": one.code,
        "ruleIndex": codes.index(one.code),
        "level": _LEVELS[one.severity],
        "message": {"text": text.plain(one.message)},
        "partialFingerprints": {"lodpipe/v1": one.fingerprint},
    }
    if one.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": quote(one.file), "uriBaseId": "%SRCROOT%"}}
        if one.line:
            physical["region"] = _region(one)
        location: dict[str, Any] = {"physicalLocation": physical}
        if one.field:
            location["logicalLocations"] = [{"name": one.field, "kind": "member"}]
        found["locations"] = [location]
    return found


def _region(one: Shown) -> dict[str, Any]:
    region: dict[str, Any] = {"startLine": one.line}
    if one.column:
        region |= {"startColumn": one.column, "endColumn": one.end_column}
    if one.source:
        region["snippet"] = {"text": text.plain(one.source)[:1000]}
    return region


def _junit(report: Report) -> str:
    from lodpipe.reporters import junit

    return junit.write(report)


# -- JSON and Markdown -------------------------------------------------------------------------------------------------


def _json(report: Report) -> str:
    """The stable form for other programs, described in docs/reports.md."""
    findings = [
        {
            "code": one.code,
            "severity": str(one.severity),
            "file": one.file or None,
            "line": one.line or None,
            "column": one.column or None,
            "end_column": one.end_column or None,
            "field": one.field or None,
            "what": one.what,
            "mend": one.mend,
            "words": one.words,
            "source": one.source or None,
            "fingerprint": one.fingerprint,
        }
        for one in report.shown
    ]
    summary = {str(severity): report.count(severity) for severity in reversed(Severity)}
    return _dump({
        "format": 1, "tool": "lodpipe", "version": _version(), "exit_code": report.exit_code, "summary": summary, "findings": findings,
    })  # fmt: skip


_MOST_ROWS = 100  # a comment on a pull request may be 65,536 characters long
_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
_HEADS = {"de": ("Wo", "Was", "Was tun"), "en": ("Where", "What", "How to mend it")}
_MORE = {"de": "… und {n} weitere", "en": "… and {n} more"}


def _markdown(report: Report) -> str:
    """A table for a comment on a pull request; the gravest first."""
    language = "de" if report.language.startswith("de") else "en"
    sign = "❌" if fails(report.findings, report.fail_on) else "✅"
    told = f"### {sign} lodpipe: {text.summary(report.findings, language)}\n"
    ordered = sorted(report.shown, key=lambda one: -one.severity)
    if not ordered:
        return told
    rows = "".join(_row(one) for one in ordered[:_MOST_ROWS])
    more = "\n" + _MORE[language].format(n=len(ordered) - _MOST_ROWS) + "\n" if len(ordered) > _MOST_ROWS else ""
    return f"{told}\n| | {' | '.join(_HEADS[language])} |\n|---|---|---|---|\n{rows}{more}"


def _row(one: Shown) -> str:
    place = f"{one.file}:{one.line}" if one.line else one.file or "–"
    return f"| {_SIGNS[one.severity]} {one.code} | {_code(place)} | {_cell(one.what)} | {_cell(one.mend)} |\n"


def _code(value: str) -> str:
    return "`" + text.plain(value).replace("`", "'").replace("|", "\\|") + "`"


def _cell(value: str) -> str:
    """A table cell: code stays code, everything else that Markdown or HTML would read is said as it is written."""
    value = text.plain(value if len(value) <= 300 else value[:299] + "…")
    parts = value.split("`")
    if len(parts) % 2 == 0:  # an odd backtick
        parts = [value.replace("`", "'")]
    return "".join(
        "`" + part.replace("|", "\\|") + "`" if number % 2 else _escaped(part) for number, part in enumerate(parts)
    )  # fmt: skip


def _escaped(value: str) -> str:
    for sign in "\\*_[]|#@":
        value = value.replace(sign, f"\\{sign}" if sign != "@" else "@\u200b")
    return value.replace("<", "&lt;").replace(">", "&gt;")


def _dump(value: object) -> str:
    """JSON in which signs that could do something to a terminal, or to the order of letters, are escaped."""
    return _HARMFUL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, indent=1)) + "\n"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lodpipe")
    except PackageNotFoundError:
        return "0.0.0"


_HARMFUL = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class Format(NamedTuple):
    """A report format: its name, the file endings that mean it, and its writer."""

    name: str
    endings: tuple[str, ...]
    write: Callable[[Report], str]


FORMATS: tuple[Format, ...] = (
    Format("text", (".txt",), _text),
    Format("github", (), _github),
    Format("gitlab", (".codequality.json",), _gitlab),
    Format("sarif", (".sarif", ".sarif.json"), _sarif),
    Format("junit", (".xml",), _junit),
    Format("json", (".json",), _json),
    Format("markdown", (".md",), _markdown),
)


def format_of(target: str) -> tuple[str, str]:
    """Format and file of `--report`: `FORMAT:FILE`, or a file whose ending says it. Raises ValueError where nothing does.

    >>> format_of("out/findings.sarif"), format_of("gitlab:quality.json")
    (('sarif', 'out/findings.sarif'), ('gitlab', 'quality.json'))
    """
    name, colon, file = target.partition(":")
    if colon and file and name in {one.name for one in FORMATS}:
        return name, file
    endings = sorted(((ending, one.name) for one in FORMATS for ending in one.endings), key=lambda pair: -len(pair[0]))
    for ending, name in endings:
        if target.endswith(ending):
            return name, target
    raise ValueError(target)


def write_report(report: Report, format_name: str, path: Path | None = None) -> str:
    """A report in a format, written to a file where one is given."""
    told = next(one for one in FORMATS if one.name == format_name).write(report)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as made:
            made.write_text(told, "utf-8", newline="\n")
    return told
