"""`lodpipe catalogue`: the metadata quality score of the written catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import ENGINE, LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding


@click.command("catalogue")
@grouped("options", ProjectOptions, PROJECT, ENGINE, LANGUAGE)
@click.option(
    "--served",
    metavar="URL",
    help="Address at which dist/ is served now, such as http://127.0.0.1:8000/: each file is requested with HEAD.",
)
def command(options: ProjectOptions, served: str | None) -> None:
    """Show the metadata quality score of data.europa.eu for dist/catalog.ttl, and what would raise
    it.
    """

    def print_score(project: Project, _: Progress) -> tuple[Finding, ...]:
        from lodpipe.publish.catalogue.quality import head_requests, quality, score_lines

        if not (project.dist / "catalog.ttl").is_file():
            raise click.UsageError("there is no dist/catalog.ttl yet: run `lodpipe build`")
        answers = head_requests(served, project.publication.downloads)
        for line in score_lines(quality(project, answers=answers, engine=options.engine)):
            print_result(line)
        return ()

    run_on_project(options, print_score)
