"""Reads the reports of every format back: which errors they report, and where."""

from __future__ import annotations

import json
import re

from lxml import etree

from support import errors_in

MACHINE = ("github", "gitlab", "sarif", "junit", "json", "markdown")
PLACES = {
    "github": r"^::error (?:file=(?P<file>[^,:]*))(?:,line=(?P<line>\d+))?.*?,title=lodpipe (?P<code>LP\d+)::",
    "markdown": r"^\| ❌ (?P<code>LP\d+) \| `(?P<file>[^:`]*)(?::(?P<line>\d+))?` \|",
}


def places(kind: str, text: str) -> list[tuple[str, str, int]]:
    """Code, file and line of the errors in a report."""
    if kind == "json":
        return [
            (finding["code"], finding["file"], finding["line"] or 0)
            for finding in json.loads(text)["findings"]
            if finding["severity"] == "error"
        ]
    if kind == "gitlab":
        major = [issue for issue in json.loads(text) if issue["severity"] == "major"]
        return [
            (issue["check_name"], issue["location"]["path"], issue["location"]["lines"]["begin"])
            for issue in major
        ]
    if kind == "sarif":
        results = [
            result
            for result in json.loads(text)["runs"][0]["results"]
            if result["level"] == "error"
        ]
        where = [
            (result["ruleId"], result["locations"][0]["physicalLocation"]) for result in results
        ]
        return [
            (code, place["artifactLocation"]["uri"], place.get("region", {}).get("startLine", 0))
            for code, place in where
        ]
    if kind == "junit":
        failures = etree.fromstring(text.encode()).iter("failure")
        heads = [
            (failure.get("type"), failure.text.partition(": ")[0].partition(":"))
            for failure in failures
        ]
        return [(code, file, int(line or 0)) for code, (file, _, line) in heads]
    if kind == "text":
        return [(finding.code, finding.file, finding.line) for finding in errors_in(text)]
    matches = re.finditer(PLACES[kind], text, re.M)
    return [(match["code"], match["file"], int(match["line"] or 0)) for match in matches]
