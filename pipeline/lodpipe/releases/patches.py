"""Patches of the ledger: from the data of a release back to those of the release before it."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from heapq import merge
from pathlib import Path

from lodpipe.releases.graph_versions import GraphVersion, canonical_file
from lodpipe.releases.ledger import PATCH, Ledger, Release


@contextlib.contextmanager
def earlier_version(
    ledger: Ledger, current: GraphVersion, of: Release, wanted: Release
) -> Iterator[GraphVersion]:
    """The data of release `wanted`, from those of a later release `of`; a file while the context is
    open.
    """
    with tempfile.TemporaryDirectory(prefix="lodpipe-") as folder:
        version = current
        for release in reversed(ledger.releases):
            if wanted.number < release.number <= of.number:
                path = Path(folder) / f"before-{release.version}.nq"
                _revert(version, ledger.folder(release.version) / PATCH, path)
                version = canonical_file(path, release.previous or "")
        yield version


def _revert(version: GraphVersion, patch: Path, target: Path) -> None:
    """Writes a version without the lines that a patch added, with those that it removed."""
    with version.read() as lines, target.open("wb") as out:
        added = _lines(patch, b"A ")
        next_added = next(added, None)
        for line in merge(lines, _lines(patch, b"D ")):
            if line == next_added:
                next_added = next(added, None)
            else:
                out.write(line)


def _lines(patch: Path, start: bytes) -> Iterator[bytes]:
    """The statements of a patch that begin so, in order; none where nothing changed."""
    if not patch.is_file():
        return
    with patch.open("rb") as lines:
        for line in lines:
            if line.startswith(start):
                yield line[len(start) :]
