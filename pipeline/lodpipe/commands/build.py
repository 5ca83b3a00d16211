"""`lodpipe build`: checks a publication and writes dist/."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
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
    from pathlib import Path

    from lodpipe.commands.live_pages import LivePages
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding
    from lodpipe.workflow.resident import Resident


@dataclass(frozen=True)
class _Editing:
    """Whether a build follows each save, and where its pages are shown."""

    watch: bool
    serve: bool
    port: int


@click.command("build")
@grouped("options", ProjectOptions, PROJECT, ENGINE, ON, LANGUAGE, VERBOSE)
@report_options
@NO_CACHE
@click.option("--no-site", is_flag=True, help="Leave out the pages (dist/site/).")
@grouped(
    "editing", _Editing,
    click.option("--watch", is_flag=True, help="Build again whenever a file is saved, until Ctrl-C."),
    click.option("--serve", is_flag=True, help="With --watch: show the pages on this machine; they load again after each build."),
    click.option("--port", default=8000, type=click.IntRange(0, 65535), help="Port for --serve; 0 takes a free one (default: 8000)."),
)  # fmt: skip
@click.option(
    "--allow-loss",
    is_flag=True,
    help="Build even if a table lost more records than `max_loss_percent` in publication.yaml allows.",
)
def command(
    options: ProjectOptions,
    report: ReportOptions,
    no_site: bool,
    editing: _Editing,
    allow_loss: bool,
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

    def build_again(resident: Resident, pages: LivePages | None = None) -> None:
        def work(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
            cached = None if options.on else resident
            if pages is None:
                return build_project(project, on_progress, cached)
            with pages.reported(options.root, options.lang or project.publication.languages[0]):
                findings = build_project(project, on_progress, cached)
            pages.built()
            return findings

        def begin(root: Path) -> Project:
            with pages.reported(root, options.lang or "en") if pages else nullcontext():
                return resident.begin(root)

        run_on_project(options, work, output, needs_result=True, open_project=begin)

    if editing.serve and (no_site or not editing.watch):
        raise click.UsageError("--serve needs --watch, and pages")
    if editing.serve:
        from lodpipe.commands.live_pages import LivePages

        pages = LivePages(options.root.absolute() / "dist" / "site", editing.port)
        pages.start()
        click.echo(f"serving {pages.address}", err=True)
        run_after_changes(options.root, lambda resident: build_again(resident, pages))
    elif editing.watch:
        run_after_changes(options.root, build_again)
    else:
        run_on_project(options, build_project, output, needs_result=True)
