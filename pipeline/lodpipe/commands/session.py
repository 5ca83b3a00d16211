"""What commands do around their work: open the project, print progress and results, report
findings, choose the exit code.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import ProjectOptions

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.reporters import ReportOutput

Progress = Callable[[str], None]
Work = Callable[["Project", Progress], Sequence["Finding"]]


def run_on_project(
    options: ProjectOptions,
    work: Work,
    output: ReportOutput | None = None,
    *,
    needs_result: bool = False,
    open_project: Callable[[Path], Project] | None = None,
) -> None:
    """Does the work of a command on a project, reports its findings, and ends with the exit code of
    the most severe one. `open_project` is there for one that was opened before.

    Without `output` a command prints its own results, and findings are text. With `needs_result`,
    errors in the data fail whatever `--fail-on` says.
    """
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import InvalidData, LodpipeError
    from lodpipe.reporters import ReportOutput, summary, write_text
    from lodpipe.runtime.machine import machine_faults

    report = replace(output or ReportOutput(), detailed=options.verbose)
    language = options.lang or "en"
    on_progress = progress_printer(options.verbose)
    try:
        everything: Sequence[Finding] = ()
        code = 0
        try:
            with machine_faults():
                project = (open_project or Project.open)(options.root)
                language = options.lang or project.publication.languages[0]
                everything = work(project, on_progress)
                findings = report.chosen(everything)
                code = report.exit_code(findings)
                on_progress("done")
        except InvalidData as error:
            everything, findings = error.findings, report.chosen(error.findings)
            code = error.exit_code if needs_result else report.exit_code(findings)
        except LodpipeError as error:  # without declarations or files, nothing was checked
            everything = findings = error.findings
            code = error.exit_code
        left = len(everything) - len(findings)
        if findings or report.formats != ("text",) or report.files:
            report.emit(findings, options.root, language, code, left)
        elif output is not None and not report.quiet:
            print_result(summary(findings, language, left))
    except LodpipeError as error:  # a report that cannot be written
        write_text(error.findings, options.root, sys.stderr, language)
        code = error.exit_code
    if code:
        sys.exit(code)


@contextlib.contextmanager
def errors_reported(
    root: Path, language: Callable[[], str], output: ReportOutput | None = None
) -> Iterator[None]:
    """For commands without a project: the findings of an error are printed, or go to `output`, and
    its exit code ends the command.
    """
    from lodpipe.diagnostics.finding import LodpipeError
    from lodpipe.reporters import ReportOutput, write_text
    from lodpipe.runtime.machine import machine_faults

    try:
        with machine_faults():
            yield
    except LodpipeError as error:
        try:
            (output or ReportOutput()).emit(error.findings, root, language(), error.exit_code)
        except LodpipeError as of_report:
            write_text(of_report.findings, root, sys.stderr, language())
        sys.exit(error.exit_code)


def language_of(root: Path) -> str:
    """The first language of the publication, English where there is no publication."""
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import LodpipeError

    try:
        return Project.open(root).publication.languages[0]
    except LodpipeError:
        return "en"


def progress_printer(verbose: bool) -> Progress:
    """Prints each step with the time since the start, with `--verbose`."""
    started = time.perf_counter()

    def print_step(step: str) -> None:
        if verbose:
            click.echo(f"{time.perf_counter() - started:7.2f} s  {step}", err=True)

    return print_step


def print_result(text: str, end: str = "\n") -> None:
    """Writes to standard output at once, so that a full disk is noticed while it can be reported
    (LP706).
    """
    try:
        click.echo(text + end, nl=False)
    except BrokenPipeError:
        raise
    except OSError as error:
        from lodpipe.diagnostics.finding import SourceError
        from lodpipe.runtime.machine import unwritable

        raise SourceError([unwritable("standard output", error)]) from None
