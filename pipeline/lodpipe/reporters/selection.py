"""Which findings a report lists: those of chosen rules, in chosen files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lodpipe.diagnostics.finding import Finding, Severity


@dataclass(frozen=True)
class Selection:
    """The rules and files of interest: `select` None are all rules, `ignore` those to leave out,
    `files` None all files; a folder stands for all that is in it. With `errors_only`, warnings and
    notes are left out.
    """

    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    files: tuple[str, ...] | None = None
    errors_only: bool = False

    def chosen(self, findings: Iterable[Finding]) -> tuple[Finding, ...]:
        """The findings that are of interest, in their order."""
        return tuple(finding for finding in findings if self._includes(finding))

    def _includes(self, finding: Finding) -> bool:
        if self.errors_only and finding.severity is not Severity.ERROR:
            return False
        if finding.code in self.ignore:
            return False
        if self.select is not None and finding.code not in self.select:
            return False
        return self.files is None or any(map(self._is_inside, _files(finding)))

    def _is_inside(self, file: str) -> bool:
        return any(
            file == wanted or not wanted or file.startswith(f"{wanted}/")
            for wanted in self.files or ()
        )


def _files(finding: Finding) -> Iterable[str]:
    """The file of a finding, and those of the other places that belong to it."""
    places = (finding.where, *finding.related)
    return (place.file for place in places if place is not None)
