"""Where the packed pages of a publication are (`site: {packed: true}`)."""

from __future__ import annotations

from pathlib import Path

from lodpipe.engine.site_archive import ArchiveWriter, Entry, SiteArchive

FILE = "pages.sqlar"
"""The archive in dist/site/."""


def packed_pages(dist: Path) -> SiteArchive | None:
    """The archive of the pages of dist/; None where they are files."""
    path = dist / "site" / FILE
    return SiteArchive(path) if path.is_file() else None


__all__ = ["FILE", "ArchiveWriter", "Entry", "SiteArchive", "packed_pages"]
