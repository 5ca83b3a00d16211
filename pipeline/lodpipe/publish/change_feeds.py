"""The change feeds of a publication: of its data, and of its catalogue."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lodpipe.config.publication_keys import Publication
from lodpipe.engine.nquads_writer import write_statements
from lodpipe.engine.sql_session import Session
from lodpipe.publish.catalogue.catalogue_feed import write_catalogue_pages
from lodpipe.releases.change_set import ChangeSet
from lodpipe.releases.feed import (
    CATALOGUE,
    DATA,
    Event,
    changed_members,
    first_members,
    pages_of,
    write_pages,
    write_root,
)
from lodpipe.releases.graph_versions import SortedLines, canonical_file
from lodpipe.releases.ledger import Ledger, version_number


def write_feeds(event: Event, ledger: Ledger, source: ChangeSet | Session, folder: Path) -> None:
    """The pages of a release, into its folder below `folder`.

    `source` are the changes since the release before it; of the first, the session that holds its
    statements.
    """
    target = folder / event.folder
    if isinstance(source, ChangeSet):
        write_pages(event, changed_members(source), target)
    else:
        with tempfile.TemporaryDirectory(prefix="lodpipe-") as scratch:
            path = Path(scratch) / "statements.nt"
            write_statements(source, path, graphs=False)
            with SortedLines(canonical_file(path, event.version)) as lines:
                write_pages(event, first_members(lines), target)
    earlier = [
        folder / page
        for release in ledger.releases
        if release.number < version_number(event.version)
        for page in pages_of(folder, release, CATALOGUE)
    ]
    write_catalogue_pages(event, folder / "catalog.nt", earlier, target)


def write_roots(publication: Publication, ledger: Ledger, folder: Path) -> None:
    """feed.trig and catalog-feed.trig."""
    for stem in (DATA, CATALOGUE):
        write_root(publication.base, publication.title, ledger, folder, stem)
