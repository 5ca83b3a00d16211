"""What can go wrong, where, and how it is told: findings, and the errors that carry them."""

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
    """A place in a file: path relative to the project, line and column counted from 1 (0: the whole file).

    `field` is the field or column that is meant, where one is; it does not make another place of the same line.
    """

    file: str
    line: int = 0
    column: int = 0
    field: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True)
class Finding:
    """One problem: a stable code (see messages.py), a place, and the words that fill the code's message."""

    code: str
    where: Origin | None
    words: Mapping[str, str] = field(default_factory=dict)
    severity: Severity = Severity.ERROR

    @property
    def sort_key(self) -> tuple[Origin, str, str]:
        """Findings are shown by file, line and code, in the same order on every machine."""
        return self.where or Origin(""), self.code, repr(sorted(self.words.items()))


class LodpipeError(Exception):
    """Root of the errors that a user can mend; holds every finding collected so far."""

    exit_code = 3

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings: tuple[Finding, ...] = tuple(sorted(set_of(findings), key=lambda one: one.sort_key))
        super().__init__(", ".join(f"{one.where}: {one.code}" for one in self.findings))


class InvalidData(LodpipeError):
    """The records (or the graph made of them) do not conform; for the editor of the records."""

    exit_code = 1


class InvalidDeclaration(LodpipeError):
    """publication.yaml, records.yaml, mapping, shapes, ontology or the command line are wrong; for the publisher."""

    exit_code = 2


class SourceError(LodpipeError):
    """A source cannot be reached or read at all; for whoever runs the machine."""

    exit_code = 2


def set_of(findings: Iterable[Finding]) -> list[Finding]:
    """Findings without doubles, in the order of their first appearance."""
    seen: dict[tuple[object, ...], Finding] = {}
    for one in findings:
        seen.setdefault((one.severity, *one.sort_key), one)
    return list(seen.values())
