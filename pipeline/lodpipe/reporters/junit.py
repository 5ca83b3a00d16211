"""Findings as a JUnit file. A module of its own, for only this format needs the tools for XML, which take a while to load."""

from __future__ import annotations

from pathlib import PurePosixPath
from xml.sax.saxutils import escape, quoteattr

from lodpipe.reporters import text
from lodpipe.reporters.report import Report, Shown


def write(report: Report) -> str:
    """A suite for each file, a case for each finding: what fails the run is a failure, what does not is told beside it.

    Attributes that some readers must have and that would differ from run to run (time, host) are constants.
    """
    files: dict[str, list[Shown]] = {}
    for one in report.shown:
        files.setdefault(one.file or "–", []).append(one)
    suites = [_suite(number, file, found, report) for number, (file, found) in enumerate(files.items())]
    suites = suites or [_suite(0, "lodpipe", [], report)]
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n' + "".join(suites) + "</testsuites>\n"


def _suite(number: int, file: str, found: list[Shown], report: Report) -> str:
    failing = [one for one in found if report.fail_on is not None and one.severity >= report.fail_on]
    package = quoteattr(_token(str(PurePosixPath(file).parent)))
    head = (
        f'<testsuite id="{number}" name={quoteattr(_token(file))} package={package} tests="{max(1, len(found))}" failures="{len(failing)}" '
        'errors="0" time="0" timestamp="1970-01-01T00:00:00" hostname="localhost">'
    )
    cases = "".join(_case(one, one in failing) for one in found) or '    <testcase name="conforms" classname="lodpipe" time="0"/>\n'
    notes = "".join(f"{one.line}: {one.code}: {one.message}\n" for one in found if one not in failing)
    properties = '<properties><property name="tool" value="lodpipe"/></properties>'
    told = f"<system-out>{_xml(notes)}</system-out>\n    <system-err></system-err>"
    return f"  {head}\n    {properties}\n{cases}    {told}\n  </testsuite>\n"


def _case(one: Shown, failing: bool) -> str:
    place = f"{one.file}:{one.line}" if one.line else one.file or "–"
    name = quoteattr(_token(f"{one.code} {place} {one.what}"))
    opened = f'    <testcase name={name} classname={quoteattr(_token(one.file or "lodpipe"))} time="0"'
    if not failing:
        return opened + "/>\n"
    body = "\n".join(part for part in (f"{place}: {one.what}", one.source.strip(), f"→ {one.mend}") if part)
    return f"{opened}>\n      <failure type={quoteattr(one.code)} message={quoteattr(_token(one.what))}>{_xml(body)}</failure>\n    </testcase>\n"


def _xml(value: str) -> str:
    """Text that XML 1.0 can hold (2.2), line breaks kept."""
    return "\n".join(escape(_holdable(text.plain(line))) for line in value.split("\n"))


def _token(value: str) -> str:
    return " ".join(_holdable(text.plain(value)).split())


def _holdable(value: str) -> str:
    return "".join("\ufffd" if "\ud800" <= sign <= "\udfff" or sign in "\ufffe\uffff" else sign for sign in value)
