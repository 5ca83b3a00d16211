"""`lodpipe release`: closes a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, ON, PROJECT, VERBOSE, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding


@click.command("release")
@grouped("options", ProjectOptions, PROJECT, ON, LANGUAGE, VERBOSE)
@click.option(
    "--version",
    help="Version of the release (default: the one in publication.yaml if it is new, else the next one by what changed).",
)
@click.option(
    "--date",
    help="Date of the release (default: the one in publication.yaml if it is later than the last release, else today).",
)
@click.option(
    "--draft", is_flag=True, help="Write only the notes, for review: releases/VERSION/notes.LANGUAGE.md."
)  # fmt: skip
@click.option("--no-site", is_flag=True, help="Leave out the pages (dist/site/).")
def command(
    options: ProjectOptions, version: str | None, date: str | None, draft: bool, no_site: bool
) -> None:
    """Close a release: write its notes, its entry in releases/, its files, and dist/.

    Notes that exist are kept as they are. The files of a closed release never change.
    """

    def release(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.releasing import ReleaseOptions, close_release

        result = close_release(
            project,
            ReleaseOptions(version, date, draft, options.on),
            on_progress=on_progress,
            site=not no_site,
        )
        for path in result.notes:
            print_result(str(path.relative_to(project.root)))
        if result.folder:
            print_result(f"{result.version}, {result.date}: dist/{result.folder}/")
        return result.findings

    run_on_project(options, release, needs_result=True)
