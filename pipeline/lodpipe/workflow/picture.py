"""The picture for previews, drawn from the records as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from msgspec import structs

from lodpipe.config.publication import Project
from lodpipe.config.publication_keys import SiteKeys
from lodpipe.workflow.pipeline import checked


def drawn_preview(project: Project, on_progress: Callable[[str], None]) -> bytes | None:
    """The map and the network of the start page as PNG; None without either.

    Raises InvalidData where the records are wrong, and ImportError without the extra `preview`.
    """
    from lodpipe.site.preview import draw_preview, png

    site = project.publication.site
    if isinstance(site, SiteKeys):  # a picture that is declared and not there yet is no error
        undeclared = structs.replace(site, preview=None)
        publication = structs.replace(project.publication, site=undeclared)
        project = replace(project, publication=publication)
    with checked(project, on_progress=on_progress, queries=False) as outcome:
        picture = draw_preview(project, outcome.statements, outcome.declarations.vocabulary)
    return None if picture is None else png(picture)
