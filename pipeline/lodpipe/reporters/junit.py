"""Findings as a JUnit file. A separate module, because only this format needs the XML library,
which is slow to load.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from xml.sax.saxutils import escape, quoteattr

from lodpipe.reporters import text
from lodpipe.reporters.report import RenderedFinding, Report


def write(report: Report) -> str:
    """A suite for each file, a case for each finding: one that fails the run is a failure, any
    other is in system-out.

    Attributes that some readers require and that would differ between runs (time, host) are
    constants.
    """
    files: dict[str, list[RenderedFinding]] = {}
    for finding in report.rendered:
        files.setdefault(finding.file or "–", []).append(finding)
    suites = [
        _suite(number, file, findings, report)
        for number, (file, findings) in enumerate(files.items())
    ]
    suites = suites or [_suite(0, "lodpipe", [], report)]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n'
        + "".join(suites)
        + "</testsuites>\n"
    )


def _suite(number: int, file: str, findings: list[RenderedFinding], report: Report) -> str:
    failing = [
        finding
        for finding in findings
        if report.fail_on is not None and finding.severity >= report.fail_on
    ]
    package = quoteattr(_token(str(PurePosixPath(file).parent)))
    head = (
        f'<testsuite id="{number}" name={quoteattr(_token(file))} package={package} tests="{max(1, len(findings))}" failures="{len(failing)}" '
        'errors="0" time="0" timestamp="1970-01-01T00:00:00" hostname="localhost">'
    )
    cases = (
        "".join(_case(finding, finding in failing) for finding in findings)
        or '    <testcase name="conforms" classname="lodpipe" time="0"/>\n'
    )
    notes = "".join(
        f"{finding.line}: {finding.code}: {finding.text}\n"
        for finding in findings
        if finding not in failing
    )
    properties = '<properties><property name="tool" value="lodpipe"/></properties>'
    output = f"<system-out>{_xml(notes)}</system-out>\n    <system-err></system-err>"
    return f"  {head}\n    {properties}\n{cases}    {output}\n  </testsuite>\n"


def _case(finding: RenderedFinding, failing: bool) -> str:
    name = quoteattr(_token(f"{finding.code} {finding.place} {finding.message}"))
    opened = f'    <testcase name={name} classname={quoteattr(_token(finding.file or "lodpipe"))} time="0"'
    if not failing:
        return opened + "/>\n"
    parts = (f"{finding.place}: {finding.message}", finding.source.strip(), f"→ {finding.help}")
    body = _xml("\n".join(part for part in parts if part))
    attributes = f"type={quoteattr(finding.code)} message={quoteattr(_token(finding.message))}"
    return f"{opened}>\n      <failure {attributes}>{body}</failure>\n    </testcase>\n"


def _xml(value: str) -> str:
    """Text that XML 1.0 can hold (2.2), line breaks kept."""
    return "\n".join(escape(_holdable(text.plain(line))) for line in value.split("\n"))


def _token(value: str) -> str:
    return " ".join(_holdable(text.plain(value)).split())


def _holdable(value: str) -> str:
    return "".join(
        "\ufffd" if "\ud800" <= sign <= "\udfff" or sign in "\ufffe\uffff" else sign
        for sign in value
    )
