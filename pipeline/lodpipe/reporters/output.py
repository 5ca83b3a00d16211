"""Where the findings of a run go: to the terminal in one or more formats, and into report files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin, Severity, SourceError
from lodpipe.reporters.formats import write_report
from lodpipe.reporters.report import Report, fails
from lodpipe.reporters.text import write
from lodpipe.runtime.machine import unwritable


@dataclass(frozen=True)
class Telling:
    """What the command line asks for: formats for the terminal, files with their formats, what fails, colours (None: ask the terminal)."""

    formats: tuple[str, ...] = ("text",)
    files: tuple[tuple[str, Path], ...] = ()
    fail_on: Severity | None = Severity.ERROR
    colour: bool | None = None

    def exit_code(self, findings: Sequence[Finding]) -> int:
        """0 or 1, by what weighs enough to fail."""
        return int(fails(findings, self.fail_on))

    def tell(self, findings: Sequence[Finding], root: Path, language: str, exit_code: int) -> None:
        """Text goes to standard error, every other format to standard output. Raises SourceError (LP703, LP706) where it cannot be written."""
        inner = Report(tuple(findings), root, language, "", self.fail_on, exit_code)
        outer = Report(tuple(findings), root, language, _prefix(root), self.fail_on, exit_code)
        for name in self.formats:
            if name == "text":
                write(inner, sys.stderr, self.colour)
            else:
                _print(write_report(outer, name))
        for name, path in self.files:
            try:
                write_report(outer, name, path)
            except OSError as error:
                raise SourceError([Finding("LP703", Origin(path.name), {"file": path.name, "detail": error.strerror or str(error)})]) from None


def _print(text: str) -> None:
    """Writes to standard output at once, so that a full disk is noticed where it can be reported."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SourceError([unwritable("standard output", error)]) from None


def _prefix(root: Path) -> str:
    """From the folder where the command runs, a repository's as a rule, to the project; empty where the project is not below it."""
    try:
        inside = root.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return ""
    return "" if inside == "." else inside + "/"
