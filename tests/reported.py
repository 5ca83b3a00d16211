"""Reads the reports of every format back: which errors they tell, and where."""

from __future__ import annotations

import json
import re

from lxml import etree

from support import errors_told

MACHINE = ("github", "gitlab", "sarif", "junit", "json", "markdown")
PLACES = {
    "github": r"^::error (?:file=(?P<file>[^,:]*))(?:,line=(?P<line>\d+))?.*?,title=lodpipe (?P<code>LP\d+)::",
    "markdown": r"^\| ❌ (?P<code>LP\d+) \| `(?P<file>[^:`]*)(?::(?P<line>\d+))?` \|",
}


def places(kind: str, text: str) -> list[tuple[str, str, int]]:
    """Code, file and line of the errors in a report."""
    if kind == "json":
        return [
            (one["code"], one["file"], one["line"] or 0)
            for one in json.loads(text)["findings"]
            if one["severity"] == "error"
        ]
    if kind == "gitlab":
        major = [one for one in json.loads(text) if one["severity"] == "major"]
        return [
            (one["check_name"], one["location"]["path"], one["location"]["lines"]["begin"])
            for one in major
        ]
    if kind == "sarif":
        results = [one for one in json.loads(text)["runs"][0]["results"] if one["level"] == "error"]
        where = [(one["ruleId"], one["locations"][0]["physicalLocation"]) for one in results]
        return [
            (code, place["artifactLocation"]["uri"], place.get("region", {}).get("startLine", 0))
            for code, place in where
        ]
    if kind == "junit":
        failures = etree.fromstring(text.encode()).iter("failure")
        heads = [(one.get("type"), one.text.partition(": ")[0].partition(":")) for one in failures]
        return [(code, file, int(line or 0)) for code, (file, _, line) in heads]
    if kind == "text":
        return [(one.code, one.file, one.line) for one in errors_told(text)]
    found = re.finditer(PLACES[kind], text, re.M)
    return [(one["code"], one["file"], int(one["line"] or 0)) for one in found]
