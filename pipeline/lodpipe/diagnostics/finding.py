"""Findings (which rule is broken, where, with which parameters) and the errors that carry them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class Severity(IntEnum):
    """How much a finding weighs; only an error stops a build."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, order=True)
class Origin:
    """A place in a file: path relative to the project, line and column from 1 (0: the whole file).

    `field` names the field or column, if the place is one; it is not part of the comparison.
    """

    file: str
    line: int = 0
    column: int = 0
    field: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Finding:
    """One problem: the code of the broken rule (see rules.py), a place, and the parameters of its
    message.

    `related` are other places that belong to it, such as the first record with the same key;
    `caused_by` is the code of the finding that it follows from, `consequences` are the findings that
    follow from it and are not reported themselves; `mapping` is the place of the term map or join
    that read a value which is wrong.
    """

    code: str
    where: Origin | None
    params: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.ERROR
    related: tuple[Origin, ...] = ()
    caused_by: str = ""
    mapping: Origin | None = None
    consequences: tuple[Finding, ...] = ()

    @property
    def sort_key(self) -> tuple[Origin, str, str]:
        """Findings are in the order of file, line and code, the same on every machine."""
        return self.where or Origin(""), self.code, repr(sorted(self.params.items()))


def invalid_rdf(file: str, format_name: str, error: Exception) -> Finding:
    """A file that is not valid in the RDF format of that name (LP603), with the place that a
    SyntaxError of the parser has.
    """
    origin, detail = Origin(file), str(error)
    if isinstance(error, SyntaxError):
        origin, detail = Origin(file, error.lineno or 0, error.offset or 0), str(error.msg)
    return Finding("LP603", origin, {"format": format_name, "detail": detail})


class LodpipeError(Exception):
    """Root of the errors that a user can fix; holds every finding collected so far."""

    exit_code = 3

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(
            sorted(set_of(findings), key=lambda finding: finding.sort_key)
        )
        places = (f"{finding.where}: {finding.code}" for finding in self.findings)
        super().__init__(", ".join(places))


class InvalidData(LodpipeError):
    """The records (or the graph made of them) do not conform; for the editor of the records."""

    exit_code = 1


class InvalidDeclaration(LodpipeError):
    """The declarations (publication.yaml, mapping, shapes …) or the options are wrong; for the
    publisher.
    """

    exit_code = 2


class SourceError(LodpipeError):
    """A source cannot be reached or read, or the machine fails; for the operator."""

    exit_code = 2


def set_of(findings: Iterable[Finding]) -> list[Finding]:
    """Findings without duplicates, in the order of their first appearance."""
    seen: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        seen.setdefault((finding.severity, *finding.sort_key), finding)
    return list(seen.values())
