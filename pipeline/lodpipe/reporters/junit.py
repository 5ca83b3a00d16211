"""Findings as a JUnit file. A separate module, because only this format needs the XML library,
which is slow to load.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from xml.etree.ElementTree import Element, SubElement, indent, tostring

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
    root = Element("testsuites")
    for number, (file, findings) in enumerate((files or {"lodpipe": []}).items()):
        _add_suite(root, number, file, findings, report)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'


def _add_suite(
    root: Element, number: int, file: str, findings: list[RenderedFinding], report: Report
) -> None:
    least = report.fail_on
    failing = [item for item in findings if least is not None and item.severity >= least]
    package = _token(str(PurePosixPath(file).parent))
    counts = {"tests": str(max(1, len(findings))), "failures": str(len(failing)), "errors": "0"}
    constants = {"time": "0", "timestamp": "1970-01-01T00:00:00", "hostname": "localhost"}
    names = {"id": str(number), "name": _token(file), "package": package}
    suite = SubElement(root, "testsuite", names | counts | constants)
    SubElement(SubElement(suite, "properties"), "property", name="tool", value="lodpipe")
    for finding in findings:
        _add_case(suite, finding, finding in failing)
    if not findings:
        SubElement(suite, "testcase", name="conforms", classname="lodpipe", time="0")
    notes = (f"{item.line}: {item.code}: {item.text}\n" for item in findings if item not in failing)
    SubElement(suite, "system-out").text = _lines("".join(notes))
    SubElement(suite, "system-err")


def _add_case(suite: Element, finding: RenderedFinding, failing: bool) -> None:
    name = _token(f"{finding.code} {finding.place} {finding.message}")
    classname = _token(finding.file or "lodpipe")
    case = SubElement(suite, "testcase", name=name, classname=classname, time="0")
    if failing:
        message = _token(finding.message)
        failure = SubElement(case, "failure", type=finding.code, message=message)
        parts = (f"{finding.place}: {finding.message}", finding.source.strip(), f"→ {finding.help}")
        failure.text = _lines("\n".join(part for part in parts if part))


def _lines(value: str) -> str:
    """Text that XML 1.0 can hold (2.2), line breaks kept."""
    return "\n".join(_holdable(text.plain(line)) for line in value.split("\n"))


def _token(value: str) -> str:
    return " ".join(_holdable(text.plain(value)).split())


def _holdable(value: str) -> str:
    return "".join(
        "\ufffd" if "\ud800" <= sign <= "\udfff" or sign in "\ufffe\uffff" else sign
        for sign in value
    )
