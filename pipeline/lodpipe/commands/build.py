"""`lodpipe build`: checks a publication and writes dist/."""

from __future__ import annotations

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
    grouped,
    report_options,
)
from lodpipe.commands.session import Progress, run_on_project
from lodpipe.commands.watching import run_after_changes

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.resident import Resident


@click.command("build")
@grouped("options", ProjectOptions, PROJECT, ENGINE, ON, LANGUAGE, VERBOSE)
@report_options
@NO_CACHE
@click.option("--no-site", is_flag=True, help="Leave out the pages (dist/site/).")
@click.option("--watch", is_flag=True, help="Build again whenever a file is saved, until Ctrl-C.")
@click.option(
    "--allow-loss",
    is_flag=True,
    help="Build even if a table lost more records than `max_loss_percent` in publication.yaml allows.",
)
def command(
    options: ProjectOptions, report: ReportOptions, no_site: bool, watch: bool, allow_loss: bool
) -> None:
    """Read, map and validate a publication, and write dist/ completely or not at all."""
    output = report.output()

    def build_project(
        project: Project, on_progress: Progress, resident: Resident | None = None
    ) -> tuple[Finding, ...]:
        from lodpipe.workflow.pipeline import Engines, build

        return build(
            project,
            engines=Engines(options.engine, options.on, resident),
            on_progress=on_progress,
            fail_on=output.fail_on,
            allow_loss=allow_loss,
            site=not no_site,
        )

    def build_again(resident: Resident) -> None:
        run_on_project(
            options,
            lambda project, on_progress: build_project(
                project, on_progress, None if options.on else resident
            ),
            output,
            needs_result=True,
            open_project=resident.begin,
        )

    if watch:
        run_after_changes(options.root, build_again)
    else:
        run_on_project(options, build_project, output, needs_result=True)
