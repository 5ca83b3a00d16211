"""`lodpipe restore`: brings back the folders of closed releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, VERBOSE, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding


@click.command("restore")
@click.argument("source")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE, VERBOSE)
def command(source: str, options: ProjectOptions) -> None:
    """Fetch the folders of closed releases that dist/ lacks, and compare them with the ledger.

    SOURCE is the address at which dist/ is served, or a folder with a copy of it.
    """

    def restore(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
        from lodpipe.workflow.restoring import restore_releases

        for name in restore_releases(project, source, on_progress):
            print_result(f"dist/{name}/")
        return ()

    run_on_project(options, restore, needs_result=True)
