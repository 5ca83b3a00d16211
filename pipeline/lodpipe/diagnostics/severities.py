"""Severities that a publication declares for rules (`severities` in publication.yaml), and the rules whose
severity is fixed: what they report would make invalid RDF, or nothing could be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lodpipe.diagnostics.finding import Finding, Severity
from lodpipe.diagnostics.rule_selection import codes_of
from lodpipe.diagnostics.rules import RULES

# Patterns of codes, and why they cannot be lowered.
FIXED: tuple[tuple[str, str], ...] = (
    (r"LP10[1-8]", "files that cannot be read whole"),
    (r"LP30[1-5]|LP31[156]", "values that make no term; `on_invalid_value` decides on them"),
    (r"LP306|LP320", "links that run programs, and characters that no XML can hold"),
    (r"LP52[0-9]|LP53[0-8]", "the catalogue and withdrawn IRIs"),
    (r"LP54[013-5]|LP54[78]", "promises of closed releases"),
    (r"LP55\d|LP56\d", "what commands other than check and build report"),
    (r"LP6\d\d", "declarations"),
    (r"LP7\d\d", "the machine"),
    (r"LP80[12]|LP80[7-9]|LP81\d|LP82\d|LP84\d", "queries that cannot run, server and pages"),
)
_FIXED = re.compile("|".join(f"(?:{pattern})" for pattern, _ in FIXED))
# Notes of a run on what it left out; they are no errors.
_NOTES = frozenset({"LP711", "LP712", "LP713"})


def is_fixed(code: str) -> bool:
    """Whether a rule's severity cannot be lowered, and its findings cannot be known ones."""
    return code not in _NOTES and _FIXED.fullmatch(code) is not None


def declared_severities(words: Mapping[str, str]) -> dict[str, Severity | None]:
    """The severity of each rule that `severities` names, None for those that are off.

    Raises UnknownRule, and ValueError for a rule that is named by its code or name and whose
    severity is fixed. A group sets only those of its rules that are not fixed.
    """
    severities: dict[str, Severity | None] = {}
    for word, value in words.items():
        codes = codes_of(word)
        severity = None if value == "off" else Severity[value.upper()]
        free = {code for code in codes if severity is Severity.ERROR or not is_fixed(code)}
        if not free:
            raise ValueError(min(codes))
        severities |= dict.fromkeys(free, severity)
    return severities


def rated(findings: Iterable[Finding], severities: Mapping[str, Severity | None]) -> list[Finding]:
    """The findings with the declared severities; those of rules that are off are left out."""
    return [
        replace(finding, severity=severity)
        for finding in findings
        if (severity := severities.get(finding.code, finding.severity)) is not None
    ]


def fixed_rules() -> list[str]:
    """The codes of all rules whose severity is fixed."""
    return [code for code in RULES if is_fixed(code)]
