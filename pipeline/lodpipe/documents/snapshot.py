"""Which files a project is made of, and whether one of them has changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lodpipe.diagnostics.finding import Finding, Origin, SourceError
from lodpipe.documents.readers import is_hidden

SOURCES = ("source", "ontology", "shapes", "queries")
Snapshot = dict[str, tuple[int, int, int]]


def snapshot(root: Path) -> Snapshot:
    """Time, size and number of every file that a build may read, by its name."""
    states: Snapshot = {}
    for path in (
        root / "publication.yaml",
        *(path for folder in SOURCES for path in (root / folder).rglob("*")),
    ):
        try:
            state = path.stat()
        except OSError:  # gone between the listing and the look
            continue
        local = path.relative_to(root)
        if path.is_file() and not is_hidden(local):
            states[local.as_posix()] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return states


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The names of files that were changed, added or removed."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def changes(
    root: Path, before: Snapshot, pause: float = 0.3, wait: Callable[[float], None] = time.sleep
) -> Iterator[list[str]]:
    """Waits for changes since a snapshot, for ever; gives the names once no more follow, for
    editors save in several steps.
    """
    while True:
        wait(pause)
        now = snapshot(root)
        if now == before:
            continue
        while True:
            wait(pause)
            later = snapshot(root)
            if later == now:
                break
            now = later
        if names := changed(before, now):
            yield names
        before = now


def unchanged(root: Path, before: Snapshot) -> None:
    """Raises SourceError (LP704) where a source file is no longer what it was: half of the old and
    half of the new is published nowhere.
    """
    if names := changed(before, snapshot(root)):
        raise SourceError([Finding("LP704", Origin(name), {"file": name}) for name in names[:10]])
