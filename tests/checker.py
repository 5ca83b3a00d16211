"""A project that is checked again and again, as `lodpipe check --watch` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lodpipe.config.publication import Project
from lodpipe.diagnostics.finding import Finding, LodpipeError
from lodpipe.documents.snapshot import snapshot
from lodpipe.workflow.declarations import other_records
from lodpipe.workflow.pipeline import Engines, checked, stale
from lodpipe.workflow.resident import Resident


class Checker:
    """Checks a project by what the checks before have read and made; with `whole` also its queries and
    dist/.
    """

    def __init__(self, root: Path, *, whole: bool = True) -> None:
        self.root, self.whole, self.resident = root, whole, Resident({})

    def check(self) -> Sequence[Finding]:
        """The findings, whether errors or not."""
        self.resident.states = snapshot(self.root, other_records(self.root))
        try:
            return self._findings(self.resident.begin(self.root), self.resident)
        except LodpipeError as error:
            return error.findings
        finally:
            self.resident.end()

    def check_from_nothing(self) -> Sequence[Finding]:
        """The findings of a check of its own."""
        try:
            return self._findings(Project.open(self.root))
        except LodpipeError as error:
            return error.findings

    def _findings(self, project: Project, resident: Resident | None = None) -> Sequence[Finding]:
        with checked(project, engines=Engines(resident=resident), queries=self.whole) as outcome:
            return (*outcome.findings, *(stale(outcome) if self.whole else ()))
