"""`lodpipe check`: checks a publication, once or after each change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import (
    ENGINE,
    LANGUAGE,
    NO_CACHE,
    ON,
    PROJECT,
    VERBOSE,
    ProjectOptions,
    ReportOptions,
    check_options,
    grouped,
)
from lodpipe.commands.session import Progress, run_on_project
from lodpipe.commands.watching import run_after_changes

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.resident import Resident


@click.command("check")
@grouped("options", ProjectOptions, PROJECT, ENGINE, ON, LANGUAGE, VERBOSE)
@check_options
@NO_CACHE
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--watch", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@click.option(
    "--write-baseline",
    is_flag=True,
    help="Write all findings into the file of known findings (`baseline` in publication.yaml).",
)
@click.option(
    "--served",
    metavar="URL",
    help="Also ask the address at which dist/site/ is served now for identifiers, downloads and pages.",
)
def command(
    options: ProjectOptions,
    report: ReportOptions,
    files: tuple[Path, ...],
    watch: bool,
    served: str | None,
    write_baseline: bool,
) -> None:
    """Read, map and validate a publication without writing; warn if dist/ is outdated.

    The whole publication is checked; with FILES (or folders), only findings in them are reported.
    """
    output = report.output(_inside(options.root, files) if files else None)

    def check_project(
        project: Project, on_progress: Progress, resident: Resident | None = None
    ) -> tuple[Finding, ...]:
        from lodpipe.workflow.admission import Admission
        from lodpipe.workflow.pipeline import Engines, checked, stale
        from lodpipe.workflow.served import served_findings

        engines = Engines(options.engine, options.on, resident)
        with checked(project, engines=engines, on_progress=on_progress) as outcome:
            answers = served_findings(outcome, served) if served else ()
            of_dist = Admission(project).rated(stale(outcome))
            return (*outcome.findings, *of_dist, *answers)

    def check_again(resident: Resident) -> None:
        cached = None if options.on else resident  # Spark has the rows elsewhere
        run_on_project(
            options,
            lambda project, on_progress: check_project(project, on_progress, cached),
            output,
            open_project=resident.begin,
        )

    if write_baseline:
        run_on_project(options, lambda *run: _write_baseline(options, *run), output)
    elif watch:
        run_after_changes(options.root, check_again)
    else:
        run_on_project(options, check_project, output)


def _write_baseline(
    options: ProjectOptions, project: Project, on_progress: Progress
) -> tuple[Finding, ...]:
    """Writes the known findings; the others are reported. Raises click.UsageError where
    publication.yaml names no file for them.
    """
    from lodpipe.workflow.pipeline import Engines, write_known

    file = project.publication.baseline
    if file is None:
        raise click.UsageError(
            "publication.yaml names no file of known findings; add `baseline: known-findings.yaml`"
        )
    engines = Engines(options.engine, options.on)
    number, findings = write_known(project, file, engines, on_progress)
    click.echo(f"{file}: {number:,} known findings")
    return findings


def _inside(root: Path, files: tuple[Path, ...]) -> tuple[str, ...]:
    """Files relative to the project, with `/`. Raises click.BadParameter for one that does not exist
    or is elsewhere.
    """
    names = []
    for file in files:
        try:
            name = file.resolve().relative_to(root.resolve()).as_posix()
        except ValueError:
            raise click.BadParameter(f"{file} is not in the project", param_hint="FILES") from None
        if not file.exists():
            raise click.BadParameter(f"{file} does not exist", param_hint="FILES")
        names.append("" if name == "." else name)
    return tuple(names)
