"""`lodpipe preview`: draws the picture that is shown where a page is shared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lodpipe.commands.options import LANGUAGE, PROJECT, ProjectOptions, grouped
from lodpipe.commands.session import Progress, print_result, run_on_project

if TYPE_CHECKING:
    from lodpipe.config.publication import Project
    from lodpipe.diagnostics.finding import Finding


@click.command("preview")
@grouped("options", ProjectOptions, PROJECT, LANGUAGE)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The PNG file to write; default: that of `site.preview`, else source/preview.png.",
)
def command(options: ProjectOptions, output: Path | None) -> None:
    """Draw the picture that is shown where a page is shared, from the data, as PNG.

    It shows the map and the network of the start page, 1200 × 630 pixels; `site.preview` of
    publication.yaml declares it.
    """

    def draw(project: Project, on_progress: Progress) -> tuple[Finding, ...]:
        from lodpipe.config.publication_keys import SiteKeys
        from lodpipe.runtime.whole_files import whole_files
        from lodpipe.workflow.picture import drawn_preview

        site = project.publication.site
        declared = site.preview if isinstance(site, SiteKeys) else None
        path = output or project.root / (declared or "source/preview.png")
        if path.suffix != ".png":
            raise click.UsageError(f"{path} is no PNG file: name one with --output")
        try:
            data = drawn_preview(project, on_progress)
        except ImportError as error:
            raise click.UsageError(
                f"{error.name} is missing; install the extra in the folder of lodpipe: pip install -e '.[preview]'"
            ) from None
        if data is None:
            raise click.UsageError("publication.yaml declares neither `site.map` nor `site.graph`")
        with whole_files([path]) as (part,):
            part.write_bytes(data)
        print_result(f"{path}: {len(data)} bytes")
        return ()

    run_on_project(options, draw)
