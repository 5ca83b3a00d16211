"""Where the findings of a run go: to the terminal in one or more formats, and into report files."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin, Severity, SourceError
from lodpipe.reporters.report import Report, fails
from lodpipe.reporters.report_formats import render_report
from lodpipe.reporters.selection import Selection
from lodpipe.reporters.text import Listing, write
from lodpipe.runtime.machine import unwritable, whole_file


@dataclass(frozen=True)
class ReportOutput:
    """The formats for the terminal, the report files with their formats, the lowest severity that
    fails, and colours.

    `colour` None: only on a terminal. `detailed`: consequences are listed on the terminal; `quiet`:
    no text where there is no finding.
    """

    formats: tuple[str, ...] = ("text",)
    files: tuple[tuple[str, Path], ...] = ()
    fail_on: Severity | None = Severity.ERROR
    colour: bool | None = None
    selection: Selection = field(default_factory=Selection)
    listing: Listing = "grouped"
    quiet: bool = False
    detailed: bool = False

    def chosen(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings that the options choose."""
        return self.selection.chosen(findings)

    def exit_code(self, findings: Sequence[Finding]) -> int:
        """1 if a finding has a severity that fails, else 0."""
        return int(fails(findings, self.fail_on))

    def emit(
        self,
        findings: Sequence[Finding],
        root: Path,
        language: str,
        exit_code: int,
        not_listed: int = 0,
    ) -> None:
        """Writes text to standard error, every other format to standard output, and the report
        files. `not_listed` is the number of findings that are not chosen.

        Raises SourceError (LP703, LP706) if one of them cannot be written.
        """
        inner = Report(
            tuple(findings), root, language, "", self.fail_on, exit_code, self.detailed, not_listed
        )
        outer = replace(inner, prefix=_prefix(root), detailed=False)
        for name in self.formats:
            if name == "text":
                if findings or not self.quiet:
                    write(inner, sys.stderr, self.colour, self.listing)
            else:
                _print(render_report(outer, name))
        for name, path in self.files:
            try:
                _write_file(path, render_report(outer, name))
            except OSError as error:
                raise SourceError(
                    [
                        Finding(
                            "LP703",
                            Origin(path.name),
                            {"file": path.name, "detail": error.strerror or str(error)},
                        )
                    ]
                ) from None


def _write_file(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        part.write_text(content, "utf-8", newline="\n")


def _print(text: str) -> None:
    """Writes to standard output unbuffered, so that a full disk is an error that can still be
    reported.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise SourceError([unwritable("standard output", error)]) from None


def _prefix(root: Path) -> str:
    """The path from the working folder, usually the repository, to the project; empty if the
    project is not below it.
    """
    try:
        inside = root.resolve().relative_to(Path.cwd()).as_posix()
    except (ValueError, OSError):
        return ""
    return "" if inside == "." else inside + "/"
