"""The report formats: one row each. A report is the same on every machine: no clock, no absolute
path.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from lodpipe.diagnostics.explanation import generic, summary_of, title_of
from lodpipe.diagnostics.finding import Severity
from lodpipe.diagnostics.rules import RULES
from lodpipe.reporters import text
from lodpipe.reporters.report import RenderedFinding, Report, fails

SARIF_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def _text(report: Report) -> str:
    out = io.StringIO()
    text.write(report, out)
    return out.getvalue()


# -- annotations of GitHub -------------------------------------------------------------------------

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def _github(report: Report) -> str:
    """Workflow commands, one in each line; GitHub shows each at its line of the pull request."""
    return "".join(_annotation(finding) + "\n" for finding in report.rendered)


def _annotation(finding: RenderedFinding) -> str:
    places = {
        "file": finding.file, "line": finding.line, "col": finding.column, "endColumn": finding.end_column,
        "title": f"lodpipe {finding.code}",
    }  # fmt: skip
    properties = ",".join(
        f"{key}={_property(str(value))}" for key, value in places.items() if value
    )
    return f"::{_COMMANDS[finding.severity]} {properties}::{_data(text.plain(finding.text))}"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


# -- GitLab's code quality report ------------------------------------------------------------------

_GITLAB = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def _gitlab(report: Report) -> str:
    """The part of Code Climate's format that GitLab reads; a finding without a line is at line 1."""
    return _dump([
        {
            "description": text.plain(finding.text),
            "check_name": finding.code,
            "fingerprint": finding.fingerprint,
            "severity": _GITLAB[finding.severity],
            "location": {
                "path": finding.file or report.prefix + "publication.yaml",
                "lines": {"begin": max(1, finding.line)},
            },
        }
        for finding in report.rendered
    ])  # fmt: skip


# -- SARIF 2.1.0 -----------------------------------------------------------------------------------

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def _sarif(report: Report) -> str:
    codes = sorted({finding.code for finding in report.rendered})
    driver = {
        "name": "lodpipe",
        "semanticVersion": _version(),
        "rules": [_rule(code, report.language) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "language": report.language if len(report.language) == 2 else "en",
        "invocations": [
            {"executionSuccessful": report.exit_code < 2, "exitCode": report.exit_code}
        ],
        "results": [_result(finding, codes.index(finding.code)) for finding in report.rendered],
    }
    return _dump({"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(code: str, language: str) -> dict[str, Any]:
    """What a rule means, without the values of a finding: title and beginning of its page, and its
    address where the package names that of the documentation.
    """
    help_text = generic(RULES[code].templates(language)[1])
    rule: dict[str, Any] = {
        "id": code,
        "name": RULES[code].name,
        "shortDescription": {"text": _sentence(title_of(code, language))},
        "fullDescription": {"text": summary_of(code, language)},
        "help": {"text": f"{help_text} lodpipe explain {code}"},
    }
    if address := _documentation():
        rule["helpUri"] = f"{address}errors/{code}.md"
    return rule


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."


@functools.cache
def _documentation() -> str:
    """The address of docs/ that the metadata of the installed package name, with a slash at its
    end; empty if there is none.
    """
    from importlib.metadata import PackageNotFoundError, metadata

    try:
        addresses = metadata("lodpipe").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    return documentation_of(addresses)


def documentation_of(addresses: Sequence[str]) -> str:
    """The address under `Documentation` among the addresses of a package.

    >>> documentation_of(["Source, https://example.org/x", "Documentation, https://example.org/docs"])
    'https://example.org/docs/'
    """
    for entry in addresses:
        label, _, address = entry.partition(", ")
        if label.lower() == "documentation":
            return f"{address.rstrip('/')}/"
    return ""


def _result(finding: RenderedFinding, rule_index: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text.plain(finding.text)},
        "partialFingerprints": {"lodpipe/v1": finding.fingerprint},
    }
    if finding.file:
        location = _location(finding.file, _region(finding))
        if finding.field:
            location["logicalLocations"] = [{"name": finding.field, "kind": "member"}]
        result["locations"] = [location]
    if finding.related:
        result["relatedLocations"] = [
            _location(place.file, {"startLine": place.line} if place.line else {})
            for place in finding.related
        ]
    return result


def _location(file: str, region: dict[str, Any]) -> dict[str, Any]:
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(file), "uriBaseId": "%SRCROOT%"}}
    return {"physicalLocation": physical | ({"region": region} if region else {})}


def _region(finding: RenderedFinding) -> dict[str, Any]:
    if not finding.line:
        return {}
    region: dict[str, Any] = {"startLine": finding.line}
    if finding.column:
        region |= {"startColumn": finding.column, "endColumn": finding.end_column}
    if finding.source:
        region["snippet"] = {"text": text.plain(finding.source)[:1000]}
    return region


def _junit(report: Report) -> str:
    from lodpipe.reporters import junit

    return junit.write(report)


def _execution_report(report: Report) -> str:
    from lodpipe.reporters import execution_report

    return execution_report.write(report, _version())


# -- JSON and Markdown -----------------------------------------------------------------------------


def _json(report: Report) -> str:
    """The stable form for other programs, described in docs/reports.md."""
    findings = [
        {
            "code": finding.code,
            "name": finding.name,
            "severity": str(finding.severity),
            "file": finding.file or None,
            "line": finding.line or None,
            "column": finding.column or None,
            "end_column": finding.end_column or None,
            "field": finding.field or None,
            "message": finding.message,
            "help": finding.help,
            "params": finding.params,
            "related": [
                {"file": place.file, "line": place.line or None, "column": place.column or None}
                for place in finding.related
            ],
            "caused_by": finding.caused_by or None,
            "consequences": [
                {
                    "code": follower.code,
                    "severity": str(follower.severity),
                    "file": follower.file or None,
                    "line": follower.line or None,
                    "message": follower.message,
                }
                for follower in finding.consequences
            ],
            "source": finding.source or None,
            "fingerprint": finding.fingerprint,
        }
        for finding in report.rendered
    ]
    summary = {str(severity): report.count(severity) for severity in reversed(Severity)}
    return _dump({
        "format": 2, "tool": "lodpipe", "version": _version(), "exit_code": report.exit_code, "summary": summary, "findings": findings,
    })  # fmt: skip


_MOST_ROWS = 100  # a comment on a pull request may be 65,536 characters long
_SIGNS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.INFO: "ℹ️"}
_HEADS = {"de": ("Wo", "Was", "Abhilfe"), "en": ("Where", "What", "How to fix it")}
_MORE = {"de": "… und {n} weitere", "en": "… and {n} more"}


def _markdown(report: Report) -> str:
    """A table for a comment on a pull request, by severity."""
    language = "de" if report.language.startswith("de") else "en"
    sign = "❌" if fails(report.findings, report.fail_on) else "✅"
    title = f"### {sign} lodpipe: {text.summary(report.findings, language)}\n"
    ordered = sorted(report.rendered, key=lambda finding: -finding.severity)
    if not ordered:
        return title
    rows = "".join(_row(finding) for finding in ordered[:_MOST_ROWS])
    more = (
        "\n" + _MORE[language].format(n=len(ordered) - _MOST_ROWS) + "\n"
        if len(ordered) > _MOST_ROWS
        else ""
    )
    return f"{title}\n| | {' | '.join(_HEADS[language])} |\n|---|---|---|---|\n{rows}{more}"


def _row(finding: RenderedFinding) -> str:
    sign = f"{_SIGNS[finding.severity]} {finding.code}"
    return (
        f"| {sign} | {_code(finding.place)} | {_cell(finding.message)} | {_cell(finding.help)} |\n"
    )


def _code(value: str) -> str:
    return "`" + text.plain(value).replace("`", "'").replace("|", "\\|") + "`"


def _cell(value: str) -> str:
    """A table cell: code stays code, all other markup of Markdown and HTML is escaped."""
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
    """JSON in which characters that could change a terminal, or the order of letters, are escaped."""
    return (
        _HARMFUL.sub(
            lambda match: f"\\u{ord(match[0]):04x}", json.dumps(value, ensure_ascii=False, indent=1)
        )
        + "\n"
    )


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("lodpipe")
    except PackageNotFoundError:
        return "0.0.0"


_HARMFUL = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


class ReportFormat(NamedTuple):
    """A report format: its name, the file endings that stand for it, and its renderer."""

    name: str
    endings: tuple[str, ...]
    render: Callable[[Report], str]


REPORT_FORMATS: tuple[ReportFormat, ...] = (
    ReportFormat("text", (".txt",), _text),
    ReportFormat("github", (), _github),
    ReportFormat("gitlab", (".codequality.json",), _gitlab),
    ReportFormat("sarif", (".sarif", ".sarif.json"), _sarif),
    ReportFormat("junit", (".xml",), _junit),
    ReportFormat("json", (".json",), _json),
    ReportFormat("markdown", (".md",), _markdown),
    ReportFormat("rer", (".ttl",), _execution_report),
)


def parse_target(target: str) -> tuple[str, str]:
    """Format and file of `--report`: `FORMAT:FILE`, or a file whose ending is that of a format.
    Raises ValueError for any other.

    >>> parse_target("out/findings.sarif"), parse_target("gitlab:quality.json")
    (('sarif', 'out/findings.sarif'), ('gitlab', 'quality.json'))
    """
    name, colon, file = target.partition(":")
    if colon and file and name in {form.name for form in REPORT_FORMATS}:
        return name, file
    endings = sorted(
        ((ending, form.name) for form in REPORT_FORMATS for ending in form.endings),
        key=lambda pair: -len(pair[0]),
    )
    for ending, name in endings:
        if target.endswith(ending):
            return name, target
    raise ValueError(target)


def render_report(report: Report, format_name: str) -> str:
    """A report in the format of a name."""
    return next(form for form in REPORT_FORMATS if form.name == format_name).render(report)
